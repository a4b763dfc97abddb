// Calls the function among the examples as Lambda does, with messages of a queue, and prints what it returns.
import { pathToFileURL } from 'node:url';

const [script, ...bodies] = process.argv.slice(2);
const { handler } = await import(pathToFileURL(script));
const Records = bodies.map((body, index) => ({ messageId: `00000000-0000-4000-8000-00000000000${index}`, body }));
console.log(JSON.stringify(await handler({ Records })));
