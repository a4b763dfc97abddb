// A model's answer, token by token, to pages that may be reloaded, opened twice, or come later: node app.mjs, then
// http://localhost:3000/. The hub's history is all the storage there is.
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { cookie, page, publish, serve } from '../hub.mjs';

const answers = 'https://example.com/users/42/answers'; // 42 is whoever is logged in

/** Stands in for a model: any that yields its tokens does. */
async function* model(question) {
  const answer = `You asked: ${question} Let me think. A hub keeps what was said, so a page that comes late reads it from the beginning, and goes on.`;
  for (const token of answer.match(/\s*\S+/g)) {
    await setTimeout(60);
    yield token;
  }
}

async function answer(id, question) {
  const topic = `${answers}/${id}`;
  let waiting = '';
  const send = async () => {
    const data = JSON.stringify(waiting); // a token may be a space or a line break
    waiting = '';
    if (data !== '""') await publish({ topic, data, private: 'on' });
  };
  let sent = Promise.resolve();
  for await (const token of model(question)) {
    waiting += token;
    // One publication at a time keeps them in order; tokens that come meanwhile go together.
    sent = sent.then(send);
    sent.catch(() => {}); // it is thrown below
  }
  await sent;
  await publish({ topic, data: '', type: 'done', private: 'on' });
}

serve({
  'GET /': async (request, response) => {
    response.setHeader('Set-Cookie', await cookie([`${answers}/{id}`]));
    return page(import.meta.url);
  },
  'POST /ask': (request, response, question) => {
    const id = randomUUID();
    // The request is over before the answer is. In a Worker: `context.waitUntil(answer(…))`.
    answer(id, question).catch((error) => console.error(error));
    return id;
  },
});
