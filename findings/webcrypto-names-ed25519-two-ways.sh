#!/usr/bin/env bash
# Two WebCrypto engines export one key of Ed25519 with two names of the algorithm, and the second
# does not take back what the first wrote.
#
# Node.js 24.11.1 (npm `node`) writes `"alg": "Ed25519"` (RFC 9864); workerd 1.20261023.1 (npm)
# writes `"alg": "EdDSA"` and refuses a JWK with the former, with a DataError.
#
# Seen:
#   node exports alg: Ed25519
#   workerd exports alg: EdDSA
#   workerd imports Ed25519: DataError
#   workerd imports EdDSA: ok
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@24.11.1 workerd@1.20261023.1 >/dev/null

cat > node.mjs <<'JS'
const { publicKey } = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
console.log(`node exports alg: ${(await crypto.subtle.exportKey("jwk", publicKey)).alg}`);
JS

cat > worker.js <<'JS'
export default {
  async test() {
    const { publicKey } = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
    const jwk = await crypto.subtle.exportKey("jwk", publicKey);
    console.log(`workerd exports alg: ${jwk.alg}`);
    for (const alg of ["Ed25519", "EdDSA"]) {
      const take = crypto.subtle.importKey("jwk", { ...jwk, alg }, "Ed25519", true, ["verify"]);
      console.log(`workerd imports ${alg}: ${await take.then(() => "ok", (error) => error.name)}`);
    }
  },
};
JS
cat > config.capnp <<'CAPNP'
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = .main)]);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-04-01",
);
CAPNP

output=$(./node_modules/.bin/node node.mjs; ./node_modules/@cloudflare/workerd-linux-64/bin/workerd test config.capnp 2>&1)
output=$(grep -E '^(node|workerd) ' <<<"$output" || true)
echo "$output"
diff <(echo "$output") - <<'SEEN' || { echo "this has changed"; exit 1; }
node exports alg: Ed25519
workerd exports alg: EdDSA
workerd imports Ed25519: DataError
workerd imports EdDSA: ok
SEEN
