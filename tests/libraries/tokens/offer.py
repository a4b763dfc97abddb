"""Tokens and keys for the suite: what a library signs, and the key as the library writes it."""

import json
import sys

audience, secret = sys.argv[1:]


def offer(library, algorithm, form, key, sign):
    """Offers a key in one of its forms, and a token of each generation that it signs.

    Nobody but the library says what a header holds, and how times are written:
    `sign(typ, claims)` leaves `typ` to it where it is None.
    """
    issuer = f"https://{library}.example/{algorithm}/{form}"
    v0 = {"iss": issuer, "mercure": {"publish": ["*"], "subscribe": ["*"]}}
    v1 = {
        "iss": issuer,
        "aud": audience,
        "sub": "https://example.com/users/42",
        "client_id": "https://example.com",
        "jti": issuer,
        "authorization_details": [
            {
                "type": "https://mercure.rocks/authorization-detail",
                "actions": ["publish", "subscribe"],
                "topics": [{"match": "*"}],
            }
        ],
    }
    tokens = {"0.x": sign(None, v0), "1.0": sign("at+jwt", v1)}
    print(json.dumps({"issuer": issuer, "algorithm": algorithm, "key": key, "tokens": tokens}))
