// What `caches.default` is on Cloudflare's servers, for one machine: a folder. workerd sends here what
// the Worker asks of its cache.

async function file(url) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(url));
  const name = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0'));
  return `http://folder/${name.join('')}`;
}

export default {
  async fetch(request, { FOLDER }) {
    const at = await file(request.url);
    if (request.method === 'PUT') {
      // A response with its head, as it would be on the wire.
      return FOLDER.fetch(at, { method: 'PUT', body: await request.arrayBuffer() });
    }
    const kept = await FOLDER.fetch(at);
    if (!kept.ok) {
      return new Response(null, { status: 504, headers: { 'CF-Cache-Status': 'MISS' } });
    }
    const [, ...body] = (await kept.text()).split('\r\n\r\n');
    return new Response(body.join('\r\n\r\n'), { headers: { 'CF-Cache-Status': 'HIT' } });
  },
};
