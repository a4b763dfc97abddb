import { generateKeyPairSync } from 'node:crypto';
import jsonwebtoken from 'jsonwebtoken';
import { offer, secret } from './offer.mjs';

const signer = (algorithm, key) => (typ, claims) =>
  jsonwebtoken.sign(claims, key, { algorithm, expiresIn: '1h', header: typ ? { typ } : {} });

await offer('jsonwebtoken', 'HS256', 'text', secret, signer('HS256', secret));

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
for (const [algorithm, { publicKey, privateKey }] of [['RS256', rsa], ['PS256', rsa], ['ES256', p256]]) {
  const sign = signer(algorithm, privateKey);
  const pem = publicKey.export({ format: 'pem', type: 'spki' });
  await offer('jsonwebtoken', algorithm, 'PEM', pem, sign);
  await offer('jsonwebtoken', algorithm, 'JWK', publicKey.export({ format: 'jwk' }), sign);
}
const pkcs1 = rsa.publicKey.export({ format: 'pem', type: 'pkcs1' });
await offer('jsonwebtoken', 'RS256', 'PKCS1', pkcs1, signer('RS256', rsa.privateKey));
