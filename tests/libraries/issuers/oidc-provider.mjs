// An authorization server: oidc-provider, with clients that get access tokens of RFC 9068.
// Its keys are made anew each time it starts.
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const [port, audience, algorithm] = process.argv.slice(2);
const identifier = `http://127.0.0.1:${port}`;
const DETAIL = 'https://mercure.rocks/authorization-detail';

const key = async (alg, use) => {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), use, alg };
};
const keys = [
  await key('RSA-OAEP-256', 'enc'),
  await key('RS256', 'sig'),
  await key('ES256', 'sig'),
  await key('EdDSA', 'sig'),
];

const provider = new Provider(identifier, {
  clients: [
    {
      client_id: 'publisher',
      client_secret: 'a secret of the publisher',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  jwks: { keys },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    // So that its set holds a key that signs nothing.
    encryption: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        scope: 'mercure',
        audience: resource,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: algorithm } },
      }),
    },
  },
  formats: {
    customizers: {
      jwt: (_, token, { payload }) => {
        payload.authorization_details = [
          { type: DETAIL, actions: ['publish', 'subscribe'], topics: [{ match: '*' }] },
        ];
      },
    },
  },
});

createServer(provider.callback()).listen(Number(port), '127.0.0.1', async () => {
  const response = await fetch(`${identifier}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('publisher:a+secret+of+the+publisher')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: audience, scope: 'mercure' }),
  });
  const answer = await response.json();
  console.log(JSON.stringify({ issuer: identifier, token: answer.access_token ?? JSON.stringify(answer) }));
});
