// `dev`: the hub on this machine, under the runtime of Cloudflare's own servers.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Failure } from './failure.js';
import { askKit } from './kit.js';

const WORKER = fileURLToPath(new URL('../cloudflare/worker', import.meta.url));

/** How long the hub may take to answer for the first time; a busy machine is slow. */
const READY = 60_000;

/** How long it may take to end by itself: with open streams, workerd does not. */
const GRACE = 1_000;

/** Says, beside the data, which hub is using them. */
const NOTE = 'hub.json';

/** What programs need to be found and to run. Others of the user's could change what a hub does. */
const INHERITED = ['HOME', 'LANG', 'PATH', 'SYSTEMROOT', 'TEMP', 'TMPDIR', 'USER'];

export async function dev(args) {
  const { port, data } = options(args);
  await refuseUsedData(data);
  await refuseTakenPort(port);
  const { files, variables, welcome } = await askKit(['dev', String(port)]);

  for (const folder of ['objects', 'cache']) {
    mkdirSync(join(data, folder), { recursive: true });
  }
  // A Git repository that this is in need not know of it.
  writeFileSync(join(data, '.gitignore'), '*\n');
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(data, name), text);
  }
  const hub = spawn(workerd(), [
    'serve',
    `--import-path=${WORKER}`,
    `--directory-path=objects=${join(data, 'objects')}`,
    `--directory-path=cached=${join(data, 'cache')}`,
    `--socket-addr=http=127.0.0.1:${port}`,
    join(data, 'workerd.capnp'),
  ], {
    env: { ...inherited(), ...variables },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  try {
    writeFileSync(join(data, NOTE), JSON.stringify({ pid: hub.pid, port }));
    return await serve(hub, port, welcome);
  } finally {
    hub.kill('SIGKILL');
    rmSync(join(data, NOTE), { force: true });
  }
}

/** Prints the welcome once the hub answers, and returns what a shell reports for the signal that ends it. */
async function serve(hub, port, welcome) {
  const end = new Promise((resolve, reject) => {
    hub.once('error', reject);
    hub.once('exit', (code, signal) => resolve(signal ?? code));
  });
  let stoppedBy;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      stoppedBy ??= signal;
      hub.kill('SIGINT');
      setTimeout(() => hub.kill('SIGKILL'), GRACE).unref();
    });
  }
  if (await Promise.race([end.then(() => false), answers(hub, port)])) {
    console.log(welcome);
  }
  const how = await end;
  if (stoppedBy !== undefined) {
    return 128 + constants.signals[stoppedBy];
  }
  throw new Failure(`the hub ended (${how}): see what it printed above`);
}

function options(args) {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string', default: '8787' },
      data: { type: 'string', default: '.cinnabar/data' },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Failure(`--port ${values.port}: a port is a number from 1 to 65535`);
  }
  return { port, data: resolve(values.data) };
}

function inherited() {
  const present = INHERITED.filter((name) => name in process.env);
  return Object.fromEntries(present.map((name) => [name, process.env[name]]));
}

/** workerd itself: npm's `.bin/workerd` is a wrapper, and ending that can leave workerd running. */
function workerd() {
  const require = createRequire(import.meta.url);
  const found = require('workerd');
  return found.default ?? found;
}

/** Waits until the hub is ready. */
async function answers(hub, port) {
  const deadline = Date.now() + READY;
  let status = 'nothing';
  while (hub.exitCode === null && hub.signalCode === null) {
    try {
      const signal = AbortSignal.timeout(10_000);
      status = (await fetch(`http://127.0.0.1:${port}/healthz`, { signal })).status;
      if (status === 200) return true;
    } catch {
      // Nobody is listening yet.
    }
    if (Date.now() > deadline) {
      hub.kill('SIGKILL');
      throw new Failure(`the hub answers ${status} at /healthz: see what it printed above`);
    }
    await sleep(50);
  }
  return false;
}

/** Fails if a hub is using the data: two that wrote to one log would break each other. */
async function refuseUsedData(data) {
  let use;
  try {
    use = JSON.parse(readFileSync(join(data, NOTE), 'utf8'));
    process.kill(use.pid, 0);
  } catch {
    // There is no note, or its process has ended.
    return;
  }
  // Since a restart of the machine, another process may have the number.
  if (await isFree(use.port, '127.0.0.1')) return;
  throw new Failure(
    `a hub at port ${use.port} is using the data in ${data}: stop it (Ctrl-C in its terminal, or if that is gone, end process ${use.pid}), or choose another folder with --data and another port with --port`,
  );
}

/** Fails if something is listening already, at either loopback address: `localhost` means both. */
async function refuseTakenPort(port) {
  for (const address of ['127.0.0.1', '::1']) {
    if (!(await isFree(port, address))) {
      const other = port + 10 > 65_535 ? 8080 : port + 10;
      throw new Failure(
        `port ${port} is taken at ${address}: stop the program that is listening there, or choose another port with \`npx cinnabar-hub dev --port ${other}\``,
      );
    }
  }
}

function isFree(port, host) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', ({ code }) => {
      if (code === 'EACCES') {
        reject(new Failure(`only root may use port ${port}: choose one above 1023 with --port`));
      }
      // On a machine without IPv6, nobody is listening there.
      resolve(code !== 'EADDRINUSE');
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
