#!/usr/bin/env bash
# Two clients take an event for seen when its `id:` line has arrived, though its data has not.
#
# npm @microsoft/fetch-event-source 2.0.1 and github.com/r3labs/sse/v2 v2.10.0: a connection that is
# cut behind `id: 2` and half of the data is resumed after 2, so a server that resumes as asked never
# sends event 2 again. The second also hands the torn half to the application. With `id:` as the last
# field, both resume after 1. The HTML standard (section 9.2.6) sets the last event ID only when an
# event is dispatched.
#
# Seen:
#   fetch-event-source, id first: handled [one], resumes after 2
#   fetch-event-source, id last: handled [one], resumes after 1
#   r3labs/sse, id first: handled [one ha], resumes after 2
#   r3labs/sse, id last: handled [one ha], resumes after 1
set -euo pipefail

folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
export GOPATH="$folder/go" GOFLAGS=-mod=mod GOTOOLCHAIN=local
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @microsoft/fetch-event-source@2.0.1 >/dev/null

# /first and /last: one event, then half of another, then a reset; a client that comes back is asked
# for its last event ID, and gets no more.
cat > server.mjs <<'JS'
import { createServer } from "node:http";
import { writeFileSync } from "node:fs";

const halves = { "/first": "id: 2\ndata: ha", "/last": "data: ha" };
createServer((request, response) => {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  const last = request.headers["last-event-id"];
  if (last === undefined) {
    response.write(`data: one\nid: 1\n\n${halves[request.url]}`, () => {
      setTimeout(() => response.socket.resetAndDestroy(), 300);
    });
  } else {
    response.write(`event: resumed\ndata: ${last}\n\n`);
  }
}).listen(0, "127.0.0.1", function () {
  writeFileSync("port", String(this.address().port));
});
JS
cat > client.mjs <<'JS'
globalThis.window = globalThis;
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };
const { fetchEventSource } = await import("@microsoft/fetch-event-source");
const [origin] = process.argv.slice(2);
for (const order of ["first", "last"]) {
  const handled = [];
  await new Promise((done) => {
    fetchEventSource(`${origin}/${order}`, {
      openWhenHidden: true,
      onopen() {},
      onerror: () => 100,
      onmessage({ event, data }) {
        if (event !== "resumed") return handled.push(data);
        console.log(`fetch-event-source, id ${order}: handled [${handled.join(" ")}], resumes after ${data}`);
        done();
      },
    });
  });
}
process.exit();
JS
cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/r3labs/sse/v2"
)

func main() {
	for _, order := range []string{"first", "last"} {
		var handled []string
		done := make(chan struct{})
		client := sse.NewClient(os.Args[1] + "/" + order)
		go client.SubscribeRaw(func(event *sse.Event) {
			if string(event.Event) != "resumed" {
				handled = append(handled, string(event.Data))
				return
			}
			fmt.Printf("r3labs/sse, id %s: handled [%s], resumes after %s\n",
				order, strings.Join(handled, " "), event.Data)
			close(done)
		})
		<-done
	}
}
GO
go mod init seen >/dev/null 2>&1
go get github.com/r3labs/sse/v2@v2.10.0 >/dev/null 2>&1

node server.mjs &
server=$!
until [ -s port ]; do sleep 0.1; done
origin="http://127.0.0.1:$(cat port)"
output=$(node client.mjs "$origin"; go run . "$origin")
echo "$output"
diff <(echo "$output") - <<'SEEN' || { echo "this has changed"; exit 1; }
fetch-event-source, id first: handled [one], resumes after 2
fetch-event-source, id last: handled [one], resumes after 1
r3labs/sse, id first: handled [one ha], resumes after 2
r3labs/sse, id last: handled [one ha], resumes after 1
SEEN
