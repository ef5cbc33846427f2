"""Ed25519 over exact bytes (RFC 8032): make a pair of keys, sign, check.

``cryptography`` is imported where a key is made or asked for, and nowhere else.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SIGNATURE_BYTES = 64  # RFC 8032, section 5.1.6
MISSING = (
    'signatures need the package cryptography: .venv/bin/pip install -r requirements/core.txt'
)


def missing() -> bool:
    """Whether the package that signs and checks is not installed."""
    return find_spec('cryptography') is None


def new_pair() -> tuple[bytes, bytes]:
    """A fresh private key (PKCS 8) and its public key (SubjectPublicKeyInfo), both PEM."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = key.public_key().public_bytes(
        form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo
    )
    return private, public


def sign(private: bytes, data: bytes) -> bytes:
    """The 64 bytes that sign ``data``; ValueError where ``private`` is no Ed25519 key in PEM."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(private, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError('it is no private key in PEM without a password') from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError('its key is not of Ed25519')
    return key.sign(data)


def public_key(text: bytes) -> Ed25519PublicKey:
    """A public key from its PEM; ValueError where it is none of Ed25519."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if b'PRIVATE KEY-----' in text:
        raise ValueError('it is a private key, which stays with its owner: expected its .pub')
    try:
        key = load_pem_public_key(text)
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError('it is no public key in PEM') from None
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError('its key is not of Ed25519')
    return key


def signed_by(key: Ed25519PublicKey, signature: bytes, data: bytes) -> bool:
    """Whether ``key`` signed exactly ``data``."""
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True
