"""Publishes from Python, without a package: python3 publish.py TOPIC DATA"""

import hmac
import json
import os
import sys
import time
from base64 import urlsafe_b64encode
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

HUB = os.environ.get("MERCURE_URL", "http://localhost:8787/.well-known/mercure")
SECRET = os.environ.get("MERCURE_JWT_SECRET", "!ChangeThisMercureHubJWTSecretKey!")


def token(claims):
    def part(value):
        return urlsafe_b64encode(value).rstrip(b"=")

    header = json.dumps({"alg": "HS256"}).encode()
    signed = part(header) + b"." + part(json.dumps(claims).encode())
    return (signed + b"." + part(hmac.digest(SECRET.encode(), signed, "sha256"))).decode()


def publish(topic, data):
    claims = {"mercure": {"publish": [topic]}, "exp": int(time.time()) + 60}
    body = urlencode({"topic": topic, "data": data}).encode()
    request = Request(HUB, body, {"Authorization": f"Bearer {token(claims)}"})
    try:
        with urlopen(request, timeout=10) as answer:
            return answer.read().decode()
    except HTTPError as error:
        sys.exit(f"the hub says {error.code}: {error.read().decode()}")


print(publish(*sys.argv[1:]))  # the update's id
