# Named so because Python would take `jwcrypto.py` for the package.
import time

from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT

from offer import offer


def signer(algorithm, key):
    def sign(typ, claims):
        header = {"alg": algorithm} | ({"typ": typ} if typ else {})
        now = int(time.time())
        token = JWT(header=header, claims=claims | {"iat": now, "exp": now + 3600})
        token.make_signed_token(key)
        return token.serialize()

    return sign


ed25519 = JWK.generate(kty="OKP", crv="Ed25519")
keys = {
    "RS256": JWK.generate(kty="RSA", size=2048),
    "ES256": JWK.generate(kty="EC", crv="P-256"),
    "EdDSA": ed25519,
    # RFC 9864 calls `Ed25519` what RFC 8037 called `EdDSA`.
    "Ed25519": ed25519,
}
for algorithm, key in keys.items():
    offer("jwcrypto", algorithm, "PEM", key.export_to_pem().decode(), signer(algorithm, key))
    offer("jwcrypto", algorithm, "JWK", key.export_public(as_dict=True), signer(algorithm, key))

secret = JWK.generate(kty="oct", size=256)
offer("jwcrypto", "HS256", "JWK", secret.export(as_dict=True), signer("HS256", secret))
