// What is published, tried by a user who has Node.js and nothing else: `node trial.mjs PACKAGE FOLDER`, the
// npm package and the folder for Cloudflare, in an empty folder.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const [tarball, made] = process.argv.slice(2);

/** For what takes seconds on a machine with nothing else to do. */
const PATIENCE = 180_000;

const TOPIC = 'https://example.com/books/1';
const CINNABAR = join(process.cwd(), 'node_modules/.bin/cinnabar-hub');

function run(program, args, options = {}) {
  const done = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: PATIENCE,
    killSignal: 'SIGKILL',
    ...options,
  });
  if (done.error) throw done.error;
  return { code: done.status, printed: done.stdout, told: done.stderr };
}

function succeeds(program, args, options) {
  const done = run(program, args, options);
  assert.equal(done.code, 0, `${program} ${args.join(' ')}: ${done.printed}${done.told}`);
  return done;
}

/** A process, and what it has printed so far. */
function start(program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const started = { child, printed: '', exit: once(child, 'exit') };
  child.stdout.setEncoding('utf8').on('data', (text) => (started.printed += text));
  return started;
}

/** Waits until a process has printed this. */
async function prints(started, text) {
  const signal = AbortSignal.timeout(PATIENCE);
  while (!started.printed.includes(text)) {
    const ended = started.exit.then(([code]) => assert.fail(`ended (${code}): ${started.printed}`));
    await Promise.race([once(started.child.stdout, 'data', { signal }), ended]);
  }
}

/** A port that is free, of those that systems do not give away by themselves. */
async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return port;
    } catch {
      continue;
    } finally {
      server.close();
    }
  }
}

assert.notEqual(run('sh', ['-c', 'command -v cargo || command -v rustc']).code, 0, 'Rust is here');

// What a release names is installed, and nothing else is fetched: no script needs to run.
writeFileSync('package.json', '{ "private": true }\n');
succeeds('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', tarball]);
assert.match(succeeds('npx', ['--no-install', 'cinnabar-hub', '--help']).printed, /Usage: npx cinnabar-hub/);

// The hub on this machine, and the very lines that it prints.
const port = await freePort();
const hub = start(CINNABAR, ['dev', '--port', `${port}`]);
let subscriber;
try {
  await prints(hub, 'Press Ctrl-C to stop.');
  const lines = hub.printed.split('\n').filter((line) => line.startsWith('curl '));
  assert.equal(lines.length, 2, hub.printed);
  const [subscribe, publish] = lines.map((line) => line.replace('curl', 'curl -sSi'));
  subscriber = start('sh', ['-c', `exec ${subscribe}`]);
  await prints(subscriber, 'text/event-stream');
  succeeds('sh', ['-c', publish]);
  await prints(subscriber, '"Piranesi"');

  // A token of one's own.
  const minted = succeeds(CINNABAR, ['token', '--publish', TOPIC, '--expires', '5m']);
  const token = minted.printed.trim();
  const [header] = token.split('.').map((part) => Buffer.from(part, 'base64url').toString());
  assert.equal(JSON.parse(header).typ, 'JWT');
  assert.ok(!minted.told.includes('Warning'), minted.told);
  const url = `http://localhost:${port}/.well-known/mercure`;
  const answer = await fetch(url, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}` },
    body: new URLSearchParams({ topic: TOPIC, data: 'with a token of my own' }),
  });
  assert.equal(answer.status, 200, await answer.text());
  await prints(subscriber, 'with a token of my own');

  // Its data are its own.
  const second = run(CINNABAR, ['dev', '--port', `${await freePort()}`]);
  assert.equal(second.code, 1, second.printed);
  assert.match(second.told, /is using the data/);
  const same = run(CINNABAR, ['dev', '--port', `${port}`, '--data', 'other']);
  assert.equal(same.code, 1, same.printed);
  assert.match(same.told, /is taken/);

  // Ctrl-C ends it, even with a stream that is open.
  hub.child.kill('SIGINT');
  assert.deepEqual(await hub.exit, [130, null]);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`));
} finally {
  subscriber?.child.kill('SIGKILL');
  // Its own handler ends the hub.
  hub.child.kill('SIGTERM');
}

// A private key's file is found from the folder that the user is in.
mkdirSync('keys');
const { privateKey } = generateKeyPairSync('ed25519');
writeFileSync('keys/private.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }));
const signed = ['token', '--publish', '*', '--algorithm', 'EdDSA', '--key', 'private.pem'];
succeeds(CINNABAR, signed, { cwd: 'keys' });
assert.match(run(CINNABAR, signed).told, /cannot read the private key's file/);

// What is deployed to Cloudflare is the folder that was made.
succeeds(CINNABAR, ['init', 'hub']);
const files = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1))
  .sort();
assert.deepEqual(files('hub'), files(made));
for (const name of files(made)) {
  assert.ok(readFileSync(join('hub', name)).equals(readFileSync(join(made, name))), name);
}
const inHub = { cwd: 'hub' };

// Its configuration is checked as in the repository.
const unset = run(CINNABAR, ['check'], inHub);
assert.equal(unset.code, 1, unset.printed);
assert.match(unset.told, /MERCURE_PUBLISHER_JWT_KEY/);
const secrets = ['PUBLISHER', 'SUBSCRIBER'].map((role) => `MERCURE_${role}_JWT_KEY=${role.repeat(4)}\n`);
writeFileSync('hub/.dev.vars', secrets.join(''));
assert.match(succeeds(CINNABAR, ['check'], inHub).printed, /ok: the hub will run with/);

// The user's own files stay, and another Worker's.
writeFileSync('hub/wrangler.toml', `${readFileSync('hub/wrangler.toml', 'utf8')}# mine\n`);
assert.match(succeeds(CINNABAR, ['init'], inHub).printed, /kept +wrangler\.toml/);
assert.match(readFileSync('hub/wrangler.toml', 'utf8'), /# mine/);
mkdirSync('other-worker');
writeFileSync('other-worker/wrangler.toml', 'main = "src/index.ts"\n');
assert.match(run(CINNABAR, ['init', 'other-worker']).told, /is of another Worker/);

// `npm install && npx wrangler deploy` is all; and so is `deploy`, unless a page for developers is on.
succeeds('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], inHub);
const deploy = ['deploy', '--dry-run', '--outdir', 'deployed'];
const settings = readFileSync('hub/wrangler.toml', 'utf8');
writeFileSync('hub/wrangler.toml', settings.replace('# DEBUGGER = "1"', 'DEBUGGER = "1"'));
const refused = run(CINNABAR, deploy, inHub);
assert.equal(refused.code, 1, refused.printed);
assert.match(refused.told, /DEBUGGER is on in wrangler\.toml/);
assert.match(succeeds(CINNABAR, [...deploy, '--with-debugger'], inHub).printed, /env\.DEBUGGER/);
writeFileSync('hub/wrangler.toml', settings);
const deployed = succeeds(CINNABAR, deploy, inHub);
assert.match(deployed.printed, /env\.SHARD/);
for (const name of ['index.js', 'index_bg.wasm']) {
  const bytes = (folder) => readFileSync(join('hub', folder, name));
  assert.ok(bytes('deployed').equals(bytes('worker')), `${name} is not what was deployed`);
}
assert.match(run(CINNABAR, ['deploy']).told, /there is no wrangler\.toml/);

console.log('ok: installed, served, published, subscribed, checked and deployed (a dry run) without Rust');
