// A Cloudflare Worker that publishes what is posted to it, as a webhook would be. Its variable is MERCURE_URL, its secret
// MERCURE_JWT_SECRET (`npx wrangler secret put`). If the hub is a Worker of the same account, bind it as a service, and
// call `env.HUB.fetch` in place of `fetch`.
import { SignJWT } from 'jose';

export default {
  async fetch(request, env) {
    if (request.method !== 'POST') return new Response('POST an event', { status: 405 });
    const topic = `https://example.com${new URL(request.url).pathname}`;
    const token = await new SignJWT({ mercure: { publish: [topic] } })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1m')
      .sign(new TextEncoder().encode(env.MERCURE_JWT_SECRET));
    const answer = await fetch(env.MERCURE_URL, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
      body: new URLSearchParams({ topic, data: await request.text() }),
    });
    // What is wrong is for the log: the caller may be anybody.
    if (!answer.ok) console.error(`the hub says ${answer.status}: ${await answer.text()}`);
    return new Response(null, { status: answer.ok ? 204 : 502 });
  },
};
