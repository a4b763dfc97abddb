#!/usr/bin/env node
// `npx cinnabar-hub`: a hub on this machine, and one at Cloudflare, without its source.
import { readFileSync } from 'node:fs';
import { deploy } from './lib/deploy.js';
import { dev } from './lib/dev.js';
import { init } from './lib/init.js';
import { runKit } from './lib/kit.js';
import { Failure } from './lib/failure.js';

const { version } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8'));

const USAGE = `A hub compatible with the Mercure protocol, for Cloudflare

Usage: npx cinnabar-hub <command> [options]

  dev      Serve a hub on this machine, and print tokens and lines to paste
             --port <port>    The port to listen on, at the loopback address [default: 8787]
             --data <folder>  The folder that holds the hub's data [default: .cinnabar/data]
           Configuration variables in the environment override the development defaults.
  init     Write what is deployed to Cloudflare into this folder, or into the one that is named
  check    Check the configuration in this folder before a deploy, reading it as the hub will
  deploy   Deploy from this folder: \`wrangler deploy\`, with the options that follow
             --with-debugger  Even if DEBUGGER is on, which tells strangers what tokens the hub expects
  token    Mint an access token (\`npx cinnabar-hub token --help\`)
`;

async function run([command, ...rest]) {
  switch (command) {
    case 'dev':
      return dev(rest);
    case 'init':
      return init(rest);
    case 'deploy':
      return deploy(rest);
    case 'check':
    case 'token':
      return runKit([command, ...rest]);
    case '--version':
    case '-V':
      console.log(version);
      return 0;
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      console.log(USAGE);
      return 0;
    default:
      throw new Failure(`there is no command ${command}\n\n${USAGE}`);
  }
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  // What the user can do something about has no stack; whatever else there is, is a mistake of ours.
  const told = error instanceof Failure || error?.code?.startsWith('ERR_PARSE_ARGS');
  console.error(told ? `error: ${error.message}` : error);
  process.exitCode = 1;
}
