// A resource that says where its updates are: node app.mjs, then node follow.mjs http://localhost:3000/books/1
import { publicHub, publish, serve } from '../hub.mjs';

const topic = 'https://example.com/books/1'; // its name, which need not be where it is served
const book = { title: 'Piranesi', pages: 245 };
let last = 'earliest';

serve({
  'GET /books/1': (request, response) => {
    response.setHeader('Content-Type', 'application/json');
    // The id says how new this answer is: whoever subscribes from there misses nothing in between.
    response.appendHeader('Link', `<${publicHub}>; rel="mercure"; last-event-id="${last}"`);
    response.appendHeader('Link', `<${topic}>; rel="self"`);
    return JSON.stringify(book);
  },
  'PUT /books/1': async (request, response, body) => {
    Object.assign(book, JSON.parse(body));
    last = await publish({ topic, data: JSON.stringify(book) });
    response.statusCode = 204;
  },
});
