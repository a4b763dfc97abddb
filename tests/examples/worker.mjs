// Runs the Worker among the examples under workerd, has it publish, and prints its answer's status.
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';

const [script, path, body] = process.argv.slice(2);
const { MERCURE_URL, MERCURE_JWT_SECRET } = process.env;
const { outputFiles } = await build({ entryPoints: [script], bundle: true, format: 'esm', write: false });
const worker = new Miniflare({
  modules: true,
  script: outputFiles[0].text,
  bindings: { MERCURE_URL, MERCURE_JWT_SECRET },
  compatibilityDate: '2026-04-01',
});
try {
  const answer = await worker.dispatchFetch(`http://worker.example${path}`, { method: 'POST', body });
  console.log(answer.status);
} finally {
  await worker.dispose();
}
