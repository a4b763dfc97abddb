#!/usr/bin/env bash
# A SQL cursor of a Durable Object that is left before its last row stays open.
#
# workerd 1.20261023.1 (npm). `for (const row of sql.exec("SELECT …")) break` does not end the query:
# the cursor's iterator has no `return`, so only garbage collection does. Until then its read
# transaction is open: tables cannot be dropped (SQLITE_LOCKED), and the write-ahead log cannot be
# folded back, so it grows with each write. `toArray()`, or reading to the end, ends it at once.
#
# Seen:
#   iterator has return: false
#   after break: database table is locked: SQLITE_LOCKED
#   after reading to the end: dropped
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund workerd@1.20261023.1 >/dev/null

cat > worker.js <<'JS'
import { DurableObject } from "cloudflare:workers";

export class Table extends DurableObject {
  fetch() {
    const sql = this.ctx.storage.sql;
    const fill = () => {
      sql.exec("CREATE TABLE t (n)");
      for (let n = 0; n < 10; n++) sql.exec("INSERT INTO t VALUES (?)", n);
    };
    const drop = () => {
      try {
        sql.exec("DROP TABLE t");
        return "dropped";
      } catch (error) {
        return error.message;
      }
    };
    fill();
    const cursor = sql.exec("SELECT n FROM t");
    const lines = [`iterator has return: ${typeof cursor[Symbol.iterator]().return === "function"}`];
    for (const row of cursor) if (row.n === 3) break;
    lines.push(`after break: ${drop()}`);
    cursor.toArray();
    lines.push(`after reading to the end: ${drop()}`);
    return new Response(lines.join("\n") + "\n");
  }
}

export default {
  async test(_, env) {
    const response = await env.table.get(env.table.idFromName("x")).fetch("http://x/");
    console.log(await response.text());
  },
};
JS

mkdir data
cat > config.capnp <<CAPNP
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [
  (name = "main", worker = .main),
  (name = "data", disk = (path = "$folder/data", writable = true)),
]);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-04-01",
  durableObjectNamespaces = [(className = "Table", uniqueKey = "t", enableSql = true)],
  durableObjectStorage = (localDisk = "data"),
  bindings = [(name = "table", durableObjectNamespace = "Table")],
);
CAPNP

output=$(./node_modules/@cloudflare/workerd-linux-64/bin/workerd test config.capnp 2>&1)
grep -E '^(iterator|after) ' <<<"$output" || true
for line in "iterator has return: false" "SQLITE_LOCKED" "after reading to the end: dropped"; do
  grep -qF "$line" <<<"$output" || { echo "this has changed: no longer «$line»"; echo "$output"; exit 1; }
done
