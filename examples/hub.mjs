// What the applications among these examples share: where the hub is, tokens, publishing, a server.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { SignJWT } from 'jose';

const { env } = process;

/** Where the application publishes, and where pages subscribe. */
export const hub = env.MERCURE_URL ?? 'http://localhost:8787/.well-known/mercure';
export const publicHub = env.MERCURE_PUBLIC_URL ?? hub;
const secret = new TextEncoder().encode(env.MERCURE_JWT_SECRET ?? '!ChangeThisMercureHubJWTSecretKey!');

/** A token of these claims. */
export const sign = (claims, lifetime, header = {}) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256', ...header }).setExpirationTime(lifetime).sign(secret);

/** Publishes an update, and returns its id. */
export async function publish(fields) {
  const token = await sign({ mercure: { publish: [fields.topic] } }, '1m');
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(hub, { method: 'POST', headers, body: new URLSearchParams(fields) });
  if (!answer.ok) throw new Error(`the hub says ${answer.status}: ${await answer.text()}`);
  return answer.text();
}

/** The field that gives a page the right to read private updates of these topics. (Over https, add `Secure`.) */
export async function cookie(topics) {
  const token = await sign({ mercure: { subscribe: topics } }, '1h');
  return `mercureAuthorization=${token}; Path=${new URL(publicHub).pathname}; HttpOnly; SameSite=Strict`;
}

/** A page from the folder of this example, in which `{{hub}}` is where it subscribes. */
export const page = async (url, name = 'page.html') =>
  (await readFile(new URL(name, url), 'utf8')).replaceAll('{{hub}}', publicHub);

/** Serves routes such as `GET /`, or `GET /files/` and what is below. Each gets the request, the response, and the body. */
export function serve(routes) {
  const server = createServer(async (request, response) => {
    const asked = `${request.method} ${request.url.split('?')[0]}`;
    const route = routes[asked] ?? routes[asked.match(/^\w+ \/\w+\//)?.[0]];
    if (!route) return response.writeHead(404).end();
    const body = await route(request, response, await text(request));
    const type = body?.startsWith('<!doctype') ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8';
    if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', type);
    response.end(body);
  });
  server.listen(env.PORT ?? 3000, '127.0.0.1', () => console.log(`http://localhost:${server.address().port}/`));
}
