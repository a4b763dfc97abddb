// What a client is told, and how it tells the suite what its application sees.

export const [url, token] = process.argv.slice(2);

/** The fields that an application sets by itself. */
export const headers = token ? { Authorization: `Bearer ${token}` } : {};

/** As `headers`, for a library of pages: Node's fetch leaves this field out, as no browser does. */
export const headersOfAPage = { ...headers, 'Sec-Fetch-Site': 'cross-site' };

const say = (line) => console.log(JSON.stringify(line));

/** A stream is open. */
export const opened = () => say('opened');
/** The application is handed an event. */
export const event = ({ id, data }) => say({ event: { id: id ?? '', data } });
/** The library says that a stream failed, or could not be opened, and goes on by itself. */
export const failed = () => say('failed');
/** The library has stopped for good. */
export const ended = (reason) => say({ ended: String(reason) });
