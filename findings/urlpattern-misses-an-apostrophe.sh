#!/usr/bin/env bash
# A pattern that is spelt like a URL, and does not match that URL, in two engines of URLPattern.
#
# Node.js 24.11.1 (npm `node`) and workerd 1.20261023.1 (npm): a query with an apostrophe, relative to
# a base of http or https. The URL Standard encodes ' in the query of such a URL, and these engines do
# not in the pattern. Chromium 156 does, and matches.
#
# Seen:
#   node, /x?n=O'Brien: false
#   node, /x?n=OBrien: true
#   workerd, /x?n=O'Brien: false
#   workerd, /x?n=OBrien: true
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@24.11.1 workerd@1.20261023.1 >/dev/null

cat > seen.mjs <<'JS'
export function show(engine) {
  for (const text of ["/x?n=O'Brien", "/x?n=OBrien"]) {
    const base = "https://a.example";
    console.log(`${engine}, ${text}: ${new URLPattern(text, base).test(new URL(text, base).href)}`);
  }
}
JS
cat > node.mjs <<'JS'
import { show } from "./seen.mjs";
show("node");
JS
cat > worker.js <<'JS'
import { show } from "seen.mjs";
export default {
  test() {
    show("workerd");
  },
};
JS
cat > config.capnp <<'CAPNP'
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = .main)]);
const main :Workerd.Worker = (
  modules = [
    (name = "worker.js", esModule = embed "worker.js"),
    (name = "seen.mjs", esModule = embed "seen.mjs"),
  ],
  compatibilityDate = "2026-04-01",
);
CAPNP

output=$(./node_modules/.bin/node node.mjs; ./node_modules/@cloudflare/workerd-linux-64/bin/workerd test config.capnp 2>&1)
output=$(grep -E '^(node|workerd), ' <<<"$output" || true)
echo "$output"
diff <(echo "$output") - <<'SEEN' || { echo "this has changed"; exit 1; }
node, /x?n=O'Brien: false
node, /x?n=OBrien: true
workerd, /x?n=O'Brien: false
workerd, /x?n=OBrien: true
SEEN
