"""Subscribes in Python: python3 subscribe.py TOPIC. (pip install httpx-sse)"""

import os
import sys
import time

import httpx
from httpx_sse import connect_sse

HUB = os.environ.get("MERCURE_URL", "http://localhost:8787/.well-known/mercure")


def updates(topic):
    """Every update, over any number of connections: the library reads one, and leaves the rest to us."""
    last_id = None
    # Longer than the hub's heartbeat; by default reading would time out after 5 s.
    with httpx.Client(timeout=httpx.Timeout(5, read=60)) as client:
        while True:
            headers = {"Last-Event-ID": last_id} if last_id else {}
            try:
                with connect_sse(client, "GET", HUB, params={"match": topic}, headers=headers) as source:
                    source.response.raise_for_status()
                    print("subscribed", file=sys.stderr, flush=True)
                    for event in source.iter_sse():
                        last_id = event.id or last_id
                        if event.data:
                            yield event
            except httpx.HTTPStatusError as error:
                if error.response.status_code != 503:
                    raise  # a refusal is final
            except httpx.TransportError as error:
                print(f"comes back: {error}", file=sys.stderr)
            time.sleep(2)


for update in updates(sys.argv[1]):
    print(update.id, update.data, flush=True)
