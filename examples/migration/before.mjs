// An application that speaks 0.x: a shop whose orders change, and a page that only their customer sees. node before.mjs
import { createServer } from 'node:http';
import { SignJWT } from 'jose';

const { env } = process;
const hub = env.MERCURE_URL ?? 'http://localhost:8787/.well-known/mercure';
const publicHub = env.MERCURE_PUBLIC_URL ?? hub;
const secret = new TextEncoder().encode(env.MERCURE_JWT_SECRET ?? '!ChangeThisMercureHubJWTSecretKey!');

const token = (mercure) =>
  new SignJWT({ mercure }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h').sign(secret);

async function shipped(order) {
  const topic = `https://shop.example/customers/42/orders/${order}`;
  const body = new URLSearchParams({ topic, data: `order ${order} is on its way`, private: 'on' });
  const Authorization = `Bearer ${await token({ publish: ['https://shop.example/customers/{customer}/orders/{order}'] })}`;
  return fetch(hub, { method: 'POST', headers: { Authorization }, body });
}

const page = `<!doctype html><title>Orders</title><ul></ul><script type="module">
  const url = new URL('${publicHub}');
  url.searchParams.append('topic', 'https://shop.example/customers/42/orders/{order}');
  new EventSource(url, { withCredentials: true }).onmessage = ({ data }) =>
    document.querySelector('ul').append(Object.assign(document.createElement('li'), { textContent: data }));
</script>`;

createServer(async (request, response) => {
  if (request.method === 'POST') return response.writeHead((await shipped(request.url.slice(1))).status).end();
  const grant = await token({ subscribe: ['https://shop.example/customers/42/orders/{order}'] });
  const cookie = `mercureAuthorization=${grant}; Path=${new URL(publicHub).pathname}; HttpOnly; SameSite=Strict`;
  response.writeHead(200, { 'Content-Type': 'text/html', 'Set-Cookie': cookie }).end(page);
}).listen(env.PORT ?? 3000, '127.0.0.1', () => console.log(`http://localhost:${env.PORT ?? 3000}/`));
