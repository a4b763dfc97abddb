#!/usr/bin/env bash
# What Python clients make of bytes that are no event.
#
# By the HTML standard (section 9.2.6) an event that a stream's end leaves unfinished is dropped, and
# a block without data is no event.
# PyPI httpx-sse 0.4.3: once an id was seen, each further blank line is an event with empty data.
# PyPI sseclient-py 1.9.0: an event that the end of the stream leaves unfinished is delivered.
# PyPI aiohttp-sse-client2 0.3.0: the unfinished half is kept, and put in front of the same event when
# it is replayed by the next connection.
#
# Seen:
#   httpx-sse: ['one', '', '']
#   sseclient-py: ['one', 'first half']
#   aiohttp-sse-client2: ['one', 'first half\nfirst half\nsecond half']
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet httpx==0.28.1 httpx-sse==0.4.3 requests==2.32.3 sseclient-py==1.9.0 \
  aiohttp==3.11.11 aiohttp-sse-client2==0.3.0

cat > seen.py <<'PYTHON'
import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import httpx_sse
import requests
import sseclient
from aiohttp_sse_client2 import client as aiohttp_sse

BODIES = {
    # An event, a comment and a `retry:`, each with a blank line behind it.
    "/blocks": "id: 1\ndata: one\n\n:\n\nretry: 1\n\n",
    # Half of the second event, then a clean end; whoever comes back gets it whole.
    "/half": "retry: 1\nid: 1\ndata: one\n\nid: 2\ndata: first half\n",
    "/half?1": "id: 2\ndata: first half\ndata: second half\n\n",
}


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        last = self.headers.get("Last-Event-ID")
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(BODIES[self.path if last is None else f"{self.path}?{last}"].encode())

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
origin = f"http://127.0.0.1:{server.server_port}"

with httpx_sse.connect_sse(httpx.Client(), "GET", f"{origin}/blocks") as source:
    print("httpx-sse:", [event.data for event in source.iter_sse()])

response = requests.get(f"{origin}/half", stream=True)
print("sseclient-py:", [event.data for event in sseclient.SSEClient(response).events()])


async def two_events():
    events = []
    async with aiohttp_sse.EventSource(f"{origin}/half") as source:
        async for event in source:
            events.append(event.data)
            if len(events) == 2:
                return events


print("aiohttp-sse-client2:", asyncio.run(two_events()))
PYTHON
output=$(venv/bin/python seen.py)
echo "$output"
diff <(echo "$output") - <<'SEEN' || { echo "this has changed"; exit 1; }
httpx-sse: ['one', '', '']
sseclient-py: ['one', 'first half']
aiohttp-sse-client2: ['one', 'first half\nfirst half\nsecond half']
SEEN
