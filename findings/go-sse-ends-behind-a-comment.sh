#!/usr/bin/env bash
# A Go client stops for good where the last line before a clean end is a comment.
#
# github.com/tmaxmax/go-sse v0.12.0. It reconnects when a stream ends, but `Connect` returns nil, and
# that is all, if the stream ended right behind a comment line such as a heartbeat. A `retry:` line
# behind the comment, even without a blank line, makes it reconnect as ever.
#
# Seen:
#   event: reconnected
#   event, comment: returned <nil> after 1 connection
#   event, comment, retry: reconnected
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
export GOPATH="$folder/go" GOFLAGS=-mod=mod GOTOOLCHAIN=local

cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	"github.com/tmaxmax/go-sse"
)

func show(what, body string) {
	var connections atomic.Int32
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		if connections.Add(1) == 3 {
			cancel()
		}
		fmt.Fprint(w, body)
	}))
	defer server.Close()
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, http.NoBody)
	err := sse.NewConnection(request).Connect()
	if connections.Load() > 1 {
		fmt.Printf("%s: reconnected\n", what)
	} else {
		fmt.Printf("%s: returned %v after %d connection\n", what, err, connections.Load())
	}
}

func main() {
	show("event", "id: 1\ndata: x\n\n")
	show("event, comment", "id: 1\ndata: x\n\n:\n")
	show("event, comment, retry", "id: 1\ndata: x\n\n:\nretry: 100\n")
}
GO
go mod init seen >/dev/null 2>&1
go get github.com/tmaxmax/go-sse@v0.12.0 >/dev/null 2>&1

output=$(go run .)
echo "$output"
diff <(echo "$output") - <<'SEEN' || { echo "this has changed"; exit 1; }
event: reconnected
event, comment: returned <nil> after 1 connection
event, comment, retry: reconnected
SEEN
