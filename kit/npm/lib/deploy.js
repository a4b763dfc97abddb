// `deploy`: wrangler, at the version that the hub was tested with.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Failure } from './failure.js';

const settings = JSON.parse(
  readFileSync(new URL('../cloudflare/package.json', import.meta.url), 'utf8'),
);

export async function deploy(args) {
  if (!existsSync('wrangler.toml')) {
    throw new Failure('there is no wrangler.toml in this folder: `npx cinnabar-hub init` writes it');
  }
  // npx finds the one that `npm install` has put here, and else fetches it.
  const wrangler = `wrangler@${settings.devDependencies.wrangler}`;
  const child = spawn('npx', ['--yes', wrangler, 'deploy', ...args], {
    stdio: 'inherit',
    // On Windows, npx is a script.
    shell: process.platform === 'win32',
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
