import * as jose from 'jose';
import { offer, secret } from './offer.mjs';

const signer = (alg, key) => (typ, claims) =>
  new jose.SignJWT(claims)
    .setProtectedHeader(typ ? { alg, typ } : { alg })
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(key);

const bytes = new TextEncoder().encode(secret);
await offer('jose', 'HS256', 'text', secret, signer('HS256', bytes));
await offer('jose', 'HS256', 'JWK', await jose.exportJWK(bytes), signer('HS256', bytes));

// RFC 9864 calls `Ed25519` what RFC 8037 called `EdDSA`.
for (const algorithm of ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519']) {
  const { publicKey, privateKey } = await jose.generateKeyPair(algorithm, { extractable: true });
  const sign = signer(algorithm, privateKey);
  await offer('jose', algorithm, 'PEM', await jose.exportSPKI(publicKey), sign);
  await offer('jose', algorithm, 'JWK', await jose.exportJWK(publicKey), sign);
  // It writes `alg`, `key_ops` and `ext`.
  const exported = await crypto.subtle.exportKey('jwk', publicKey);
  await offer('jose', algorithm, 'JWK-of-WebCrypto', exported, sign);
}
