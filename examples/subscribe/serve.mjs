// Serves the pages of this folder: node serve.mjs, then http://localhost:3000/page.html. The hub has to allow that
// origin: CORS_ORIGINS=http://localhost:3000
import { cookie, page, serve } from '../hub.mjs';

serve({
  'GET /page.html': () => page(import.meta.url, 'page.html'),
  'GET /topics.html': () => page(import.meta.url, 'topics.html'),
  // Whoever is logged in gets a cookie for what only they may read, with the page that reads it.
  'GET /private.html': async (request, response) => {
    response.setHeader('Set-Cookie', await cookie(['https://example.com/users/42/inbox']));
    return page(import.meta.url, 'private.html');
  },
});
