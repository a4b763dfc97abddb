// A chat that shows who is here: node app.mjs, then http://localhost:3000/?name=Ann, and in another browser ?name=Ben.
// The hub needs SUBSCRIPTIONS=1, and trusts the issuer below.
import { page, publicHub, publish, serve, sign } from '../hub.mjs';

const { env } = process;
const room = 'https://example.com/rooms/1';
const path = new URL(publicHub).pathname;
const members = `${path}/subscriptions/:match_type/${encodeURIComponent(room)}{/:subscriber}?`;

/** What lets somebody read the room and who is here, and tells the others who they are. */
const ticket = (name) =>
  sign({
    iss: env.MERCURE_JWT_ISSUER ?? 'https://issuer.localhost', aud: env.MERCURE_AUDIENCE ?? publicHub,
    sub: name, client_id: 'chat',
    authorization_details: [{
      type: 'https://mercure.rocks/authorization-detail', actions: ['subscribe'],
      topics: [{ match: room }, { match: members, match_type: 'urlpattern' }],
      payload: { name },
    }],
  }, '1h', { typ: 'at+jwt' });

const nameOf = (request) => new URL(request.url, 'http://x').searchParams.get('name') ?? 'Nobody';

serve({
  // In earnest, the name is that of your session, and nobody chooses it.
  'GET /': async (request, response) => {
    const token = await ticket(nameOf(request));
    response.setHeader('Set-Cookie', `__Secure-mercure_access_token=${token}; Path=${path}; Secure; HttpOnly; SameSite=Strict`);
    return page(import.meta.url);
  },
  // What is said passes the application, which may refuse it.
  'POST /say': async (request, response, text) => {
    await publish({ topic: room, data: JSON.stringify({ name: nameOf(request), text }), private: 'on' });
    response.statusCode = 204;
  },
});
