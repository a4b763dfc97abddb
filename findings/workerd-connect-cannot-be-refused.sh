#!/usr/bin/env bash
# A Worker cannot refuse the method CONNECT: it answers 200, or workerd answers 500.
#
# workerd 1.20261023.1 (npm). CONNECT never reaches `fetch`. Without an exported `connect`, workerd
# answers 500 and writes two lines to its log; with one, 200 is sent before the handler runs, even if
# that throws. Every other method that workerd knows reaches `fetch`.
#
# Seen:
#   without connect: CONNECT 500 TRACE 405
#   with connect: CONNECT 200 TRACE 405
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund workerd@1.20261023.1 >/dev/null

cat > config.capnp <<'CAPNP'
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-04-01",
);
CAPNP

cat > statuses.mjs <<'JS'
import { spawn } from "node:child_process";
import { connect } from "node:net";

const port = 20000 + (process.pid % 20000);
const [program] = process.argv.slice(2);
const workerd = spawn(program, ["serve", "config.capnp", `--socket-addr=http=127.0.0.1:${port}`]);

const ask = (method) =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", reject);
    socket.on("data", (bytes) => (socket.destroy(), resolve(String(bytes).split(" ")[1])));
    socket.write(`${method} hub.example:443 HTTP/1.1\r\nHost: hub.example\r\n\r\n`);
  });
const retrying = async (method) => {
  for (;;) {
    try {
      return await ask(method);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
};
console.log(`CONNECT ${await retrying("CONNECT")} TRACE ${await retrying("TRACE")}`);
workerd.kill("SIGKILL");
JS

# The Worker's further handlers, and what CONNECT is then answered.
check() {
  echo "export default { fetch: () => new Response('no', { status: 405 }), $2 };" > worker.js
  statuses=$(timeout 60 node statuses.mjs ./node_modules/@cloudflare/workerd-linux-64/bin/workerd)
  echo "$1: $statuses"
  [ "$statuses" = "CONNECT $3 TRACE 405" ] || { echo "this has changed"; exit 1; }
}
check "without connect" "" 500
check "with connect" "connect() { throw new Error('no'); }" 200
