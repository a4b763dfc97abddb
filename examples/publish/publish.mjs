// Publishes from Node.js: node publish.mjs TOPIC DATA
import { SignJWT } from 'jose';

const hub = process.env.MERCURE_URL ?? 'http://localhost:8787/.well-known/mercure';
const secret = new TextEncoder().encode(process.env.MERCURE_JWT_SECRET ?? '!ChangeThisMercureHubJWTSecretKey!');

export async function publish(topic, data, isPrivate = false) {
  const token = await new SignJWT({ mercure: { publish: [topic] } })
    .setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1m').sign(secret);
  const body = new URLSearchParams({ topic, data });
  if (isPrivate) body.set('private', 'on');
  const answer = await fetch(hub, { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body });
  if (!answer.ok) throw new Error(`the hub says ${answer.status}: ${await answer.text()}`);
  return answer.text();
}

const [topic, data] = process.argv.slice(2);
console.log(await publish(topic, data)); // the update's id
