"""The key with which the suite signs its tokens. It opens nothing but the local stack."""

import base64
import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .place import HOME

FOLDER = HOME / "issuer"


def make_key():
    """Makes the key, unless it is there: the emulator remembers the public one for hours."""
    if (FOLDER / "keys.json").exists():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    der = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    numbers = key.public_key().public_numbers()
    public = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "aws-local", "n": text(numbers.n), "e": text(numbers.e)}
    (FOLDER / "private.der").write_bytes(der)
    (FOLDER / "keys.json").write_text(json.dumps({"keys": [public]}))


def text(number):
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
