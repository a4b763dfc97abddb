// Runs kit.wasm as a program: with these arguments, and the user's environment and files.
import { readFile } from 'node:fs/promises';
import { parse, relative } from 'node:path';
import { WASI } from 'node:wasi';

// WebAssembly knows no drives: the one that the user is on is all there is.
const folder = process.cwd();
const { root } = parse(folder);
const wasi = new WASI({
  version: 'preview1',
  args: ['cinnabar-hub', ...process.argv.slice(2)],
  env: { ...process.env, PWD: `/${relative(root, folder).replaceAll('\\', '/')}` },
  preopens: { '/': root },
});
const module = await WebAssembly.compile(await readFile(new URL('../kit.wasm', import.meta.url)));
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
