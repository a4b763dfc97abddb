// The part that is Rust, as in every other hub: tokens, configurations, what to print.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Failure } from './failure.js';

// In a process of its own, since Node.js warns of WASI at its first use.
function start(args, stdout) {
  const program = fileURLToPath(new URL('./wasi.js', import.meta.url));
  return spawn(process.execPath, ['--no-warnings', program, ...args], {
    stdio: ['inherit', stdout, 'inherit'],
  });
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

/** Runs a command, which prints by itself, and returns its exit code. */
export function runKit(args) {
  return ended(start(args, 'inherit'));
}

/** What a command prints, as JSON. */
export async function askKit(args) {
  const child = start(args, 'pipe');
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (printed += text));
  if ((await ended(child)) !== 0) {
    // It has said why.
    throw new Failure('the hub cannot start like this');
  }
  return JSON.parse(printed);
}
