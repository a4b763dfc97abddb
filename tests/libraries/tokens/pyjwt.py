import json
from datetime import datetime, timedelta, timezone

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from offer import offer, secret


def signer(algorithm, key):
    def sign(typ, claims):
        now = datetime.now(timezone.utc)
        times = {"iat": now, "exp": now + timedelta(hours=1)}
        return jwt.encode(claims | times, key, algorithm, headers={"typ": typ} if typ else None)

    return sign


offer("pyjwt", "HS256", "text", secret, signer("HS256", secret))

keys = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
for algorithm, key in keys.items():
    public = key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    jwk = json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(public))
    offer("pyjwt", algorithm, "PEM", pem, signer(algorithm, key))
    offer("pyjwt", algorithm, "JWK", jwk, signer(algorithm, key))
