// Updates that the hub cannot read: node app.mjs, then http://localhost:3000/, and
// curl http://localhost:3000/ --data 'for your eyes'
import { readFile } from 'node:fs/promises';
import { CompactEncrypt, exportJWK, generateKeyPair } from 'jose';
import { page, publicHub, publish, serve } from '../hub.mjs';

const topic = 'https://example.com/secrets';
const alg = 'ECDH-ES+A256KW';
const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
const kid = crypto.randomUUID(); // keys change: the message says which one it is for
const encoder = new TextEncoder();

async function encrypt(message) {
  // Whoever has the ciphertext could publish it again: what is inside tells that it is the same.
  const inside = { message, id: crypto.randomUUID(), at: Date.now() };
  const plaintext = encoder.encode(JSON.stringify(inside));
  return new CompactEncrypt(plaintext).setProtectedHeader({ alg, enc: 'A256GCM', kid }).encrypt(publicKey);
}

const library = new URL('../node_modules/jose/dist/webapi/', import.meta.url);

serve({
  'GET /': (request, response) => {
    response.setHeader('Link', [`<${publicHub}>; rel="mercure"`, '</keys>; rel="key-set"']);
    return page(import.meta.url);
  },
  // In earnest, only for whoever may read the messages. The hub never comes here.
  'GET /keys': async (request, response) => {
    response.setHeader('Content-Type', 'application/jwk-set+json');
    return JSON.stringify({ keys: [{ ...(await exportJWK(privateKey)), kid, alg }] });
  },
  'POST /': async (request, response, message) => publish({ topic, data: await encrypt(message) }),
  // What the page decrypts with; a bundler would do.
  'GET /jose/': (request, response) => {
    response.setHeader('Content-Type', 'text/javascript');
    return readFile(new URL(request.url.slice('/jose/'.length), library), 'utf8');
  },
});
