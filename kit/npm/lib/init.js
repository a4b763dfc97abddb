// `init`: the folder that is deployed to Cloudflare.
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Failure } from './failure.js';

const SOURCE = fileURLToPath(new URL('../cloudflare/', import.meta.url));

// What belongs to a release of the hub, and is replaced by the next; all else belongs to the user.
const WORKER = 'worker';

export function init(args) {
  const { positionals } = parseArgs({ args, allowPositionals: true });
  if (positionals.length > 1) {
    throw new Failure('name one folder, or none for this one');
  }
  const folder = positionals[0] ?? '.';
  refuseOthers(folder);
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(SOURCE)) {
    // npm leaves a .gitignore out of packages.
    const to = join(folder, name === 'gitignore' ? '.gitignore' : name);
    if (name === WORKER) {
      cpSync(join(SOURCE, name), to, { recursive: true });
      console.log(`wrote ${to}`);
    } else if (existsSync(to)) {
      console.log(`kept  ${to}`);
    } else {
      copyFileSync(join(SOURCE, name), to);
      console.log(`wrote ${to}`);
    }
  }
  const enter = folder === '.' ? '' : `cd ${relative('.', folder)} && `;
  console.log(`\nNext: ${enter}npm install, and what ${join(folder, 'README.md')} says.`);
  return 0;
}

/** Leaves a folder alone that holds another Worker. */
function refuseOthers(folder) {
  for (const name of ['wrangler.toml', 'wrangler.json', 'wrangler.jsonc']) {
    const file = join(folder, name);
    if (existsSync(file) && !readFileSync(file, 'utf8').includes(`${WORKER}/index.js`)) {
      throw new Failure(
        `${file} is of another Worker: name a folder for the hub, as in \`npx cinnabar-hub init hub\``,
      );
    }
  }
}
