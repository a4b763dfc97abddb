/** Something that the user can do something about. */
export class Failure extends Error {}
