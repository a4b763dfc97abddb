// `deploy`: wrangler, at the version that the hub was tested with.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Failure } from './failure.js';
import { runKit } from './kit.js';

/** Our own option; all others are wrangler's. */
const WITH_DEBUGGER = '--with-debugger';

const settings = JSON.parse(
  readFileSync(new URL('../cloudflare/package.json', import.meta.url), 'utf8'),
);

export async function deploy(args) {
  if (!existsSync('wrangler.toml')) {
    throw new Failure('there is no wrangler.toml in this folder: `npx cinnabar-hub init` writes it');
  }
  if (!args.includes(WITH_DEBUGGER)) {
    const code = await runKit(['deployable']);
    if (code !== 0) return code; // It has said why.
  }
  const options = args.filter((option) => option !== WITH_DEBUGGER);
  // npx finds the one that `npm install` has put here, and else fetches it.
  const wrangler = `wrangler@${settings.devDependencies.wrangler}`;
  const child = spawn('npx', ['--yes', wrangler, 'deploy', ...options], {
    stdio: 'inherit',
    // On Windows, npx is a script.
    shell: process.platform === 'win32',
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
