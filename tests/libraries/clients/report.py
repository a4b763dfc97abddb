"""What a client is told, and how it tells the suite what its application sees."""

import json
import sys

url, *tokens = sys.argv[1:]

# The fields that an application sets by itself.
headers = {"Authorization": f"Bearer {tokens[0]}"} if tokens else {}


def say(line):
    print(json.dumps(line), flush=True)


def opened():
    """A stream is open."""
    say("opened")


def event(id, data):
    """The application is handed an event."""
    say({"event": {"id": id or "", "data": data}})


def failed():
    """The library says that a stream failed, or could not be opened, and goes on by itself."""
    say("failed")


def ended(reason):
    """The library has stopped for good."""
    say({"ended": str(reason)})
