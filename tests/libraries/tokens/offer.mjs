// Tokens and keys for the suite: what a library signs, and the key as the library writes it.

const [audience, secret] = process.argv.slice(2);
export { secret };

/**
 * Offers a key in one of its forms, and a token of each generation that it signs.
 *
 * Nobody but the library says what a header holds, and how times are written:
 * `sign(typ, claims)` leaves `typ` to it where it is undefined.
 */
export async function offer(library, algorithm, form, key, sign) {
  const issuer = `https://${library}.example/${algorithm}/${form}`;
  const tokens = {
    '0.x': await sign(undefined, {
      iss: issuer,
      mercure: { publish: ['*'], subscribe: ['*'] },
    }),
    '1.0': await sign('at+jwt', {
      iss: issuer,
      aud: audience,
      sub: 'https://example.com/users/42',
      client_id: 'https://example.com',
      jti: issuer,
      authorization_details: [
        {
          type: 'https://mercure.rocks/authorization-detail',
          actions: ['publish', 'subscribe'],
          topics: [{ match: '*' }],
        },
      ],
    }),
  };
  console.log(JSON.stringify({ issuer, algorithm, key, tokens }));
}
