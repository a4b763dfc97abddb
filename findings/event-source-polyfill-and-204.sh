#!/usr/bin/env bash
# A polyfill of EventSource that 204 does not stop, and that sends its last event ID in the query.
#
# npm event-source-polyfill 1.0.31. By the HTML standard (section 9.2.3) a status other than 200 ends
# an EventSource for good, which 204 is used for, and the last event ID is a header field. This one is
# stopped by a 503, but after a 204 comes again and again; and it appends a parameter `lastEventId`,
# while whatever cursor the URL already holds stays in it.
#
# Seen:
#   after 503: stopped
#   after 204: came again
#   after a stream: /events?last_event_id=0&lastEventId=1, header undefined
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund event-source-polyfill@1.0.31 >/dev/null

cat > seen.mjs <<'JS'
import { createServer } from "node:http";
import polyfill from "event-source-polyfill";

const requests = [];
let came = () => {};
const server = createServer((request, response) => {
  requests.push(request);
  const status = Number(request.url.slice(1)) || 200;
  response.writeHead(status, { "Content-Type": "text/event-stream" });
  response.end(status === 200 ? "id: 1\ndata: x\n\n" : undefined);
  came();
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));

// The second request, or that the source has closed.
async function second(path) {
  requests.length = 0;
  const source = new polyfill.EventSourcePolyfill(`http://127.0.0.1:${server.address().port}${path}`);
  const request = await new Promise((resolve) => {
    came = () => requests.length === 2 && resolve(requests[1]);
    source.onerror = () => source.readyState === 2 && resolve(undefined);
  });
  source.close();
  return request;
}

for (const status of [503, 204]) {
  console.log(`after ${status}: ${(await second(`/${status}`)) ? "came again" : "stopped"}`);
}
const { url, headers } = await second("/events?last_event_id=0");
console.log(`after a stream: ${url}, header ${headers["last-event-id"]}`);
process.exit();
JS
output=$(node seen.mjs 2>/dev/null)
echo "$output"
diff <(echo "$output") - <<'SEEN' || { echo "this has changed"; exit 1; }
after 503: stopped
after 204: came again
after a stream: /events?last_event_id=0&lastEventId=1, header undefined
SEEN
