#!/usr/bin/env bash
# A Python client makes two events of one, where a line break of two characters is cut in two.
#
# PyPI requests-sse 0.5.3 (requests 2.32.3). The HTML standard (section 9.2.6) ends lines with CR LF,
# LF or CR, whatever the network does in between: CR at the end of one chunk and LF at the beginning
# of the next are one line break, and not a blank line. A server that writes LF alone is not met by it.
#
# Seen:
#   in one chunk: ['first\nsecond']
#   cut between CR and LF: ['first', 'second']
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet requests==2.32.3 requests-sse==0.5.3

cat > seen.py <<'PYTHON'
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from requests_sse import EventSource

STREAMS = {
    "/whole": [b"data: first\r\ndata: second\r\n\r\ndata: end\r\n\r\n"],
    "/cut": [b"data: first\r", b"\ndata: second\r\n\r\ndata: end\r\n\r\n"],
}


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in STREAMS[self.path]:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.flush()
            pause.wait(0.3)

    def log_message(self, *_):
        pass


pause = threading.Event()
server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
for what, path in [("in one chunk", "/whole"), ("cut between CR and LF", "/cut")]:
    events = []
    with EventSource(f"http://127.0.0.1:{server.server_port}{path}", timeout=10) as source:
        for event in source:
            if event.data == "end":
                break
            events.append(event.data)
    print(f"{what}: {events}")
PYTHON
output=$(venv/bin/python seen.py)
echo "$output"
diff <(echo "$output") - <<'SEEN' || { echo "this has changed"; exit 1; }
in one chunk: ['first\nsecond']
cut between CR and LF: ['first', 'second']
SEEN
