import { generateKeyPairSync } from 'node:crypto';
import { createSigner } from 'fast-jwt';
import { offer, secret } from './offer.mjs';

const signer = (algorithm, key) => (typ, claims) =>
  createSigner({ algorithm, key, expiresIn: '1h', header: typ ? { typ } : {} })(claims);

await offer('fast-jwt', 'HS256', 'text', secret, signer('HS256', secret));

const format = {
  publicKeyEncoding: { format: 'pem', type: 'spki' },
  privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
};
const keys = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048, ...format }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256', ...format }),
  EdDSA: generateKeyPairSync('ed25519', format),
};
for (const [algorithm, { publicKey, privateKey }] of Object.entries(keys)) {
  await offer('fast-jwt', algorithm, 'PEM', publicKey, signer(algorithm, privateKey));
}
