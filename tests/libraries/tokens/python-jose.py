from datetime import datetime, timedelta, timezone

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jose import jwk, jwt

from offer import offer, secret


def signer(algorithm, key):
    def sign(typ, claims):
        now = datetime.now(timezone.utc)
        times = {"iat": now, "exp": now + timedelta(hours=1)}
        return jwt.encode(claims | times, key, algorithm, headers={"typ": typ} if typ else None)

    return sign


offer("python-jose", "HS256", "text", secret, signer("HS256", secret))

keys = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
}
for algorithm, key in keys.items():
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = jwk.construct(private, algorithm).public_key()
    offer("python-jose", algorithm, "PEM", public.to_pem().decode(), signer(algorithm, private))
    offer("python-jose", algorithm, "JWK", public.to_dict(), signer(algorithm, private))
