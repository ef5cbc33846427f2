"""``manifest.sig``: who vouches for a model folder, asked before any parser sees a byte.

A signature is 64 raw bytes of Ed25519 over the exact bytes of ``manifest.json``.  The manifest
names every other file by its SHA-256, so that one signature covers the folder.
"""

from __future__ import annotations

import os
from pathlib import Path

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.runtime.file_gate import read_file
from alpamayo_ros.security import signing

SIGNATURE = 'manifest.sig'
PUBLIC_SUFFIX = '.pub'
MAX_KEY = 4096  # bytes; a public key of Ed25519 in PEM has 113
MOST_KEYS = 64


def check_signature(folder: Path, directory: int, manifest: bytes, trusted: Path) -> Fault | None:
    """Refuse a manifest that none of the keys of ``trusted`` signed.

    ``directory``: descriptor of the opened ``folder``.  ``trusted``: one public key, or a folder
    whose files ``*.pub`` are public keys.  A key that cannot be read refuses, too.
    """
    if signing.missing():
        return Fault(Code.MODEL_PROVIDER, signing.MISSING)
    keys = trusted_texts(trusted)
    if isinstance(keys, Fault):
        return keys
    signature = read_file(folder, directory, SIGNATURE, signing.SIGNATURE_BYTES)
    if isinstance(signature, Fault):
        text = (
            f'{signature.message}; a key of {trusted} has to have signed it (alpamayo model sign)'
        )
        return Fault(Code.MODEL_SIGNATURE, text, signature.values)
    if len(signature) != signing.SIGNATURE_BYTES:
        numbers = {
            'bytes': float(len(signature)),
            'expected_bytes': float(signing.SIGNATURE_BYTES),
        }
        text = f'{folder / SIGNATURE} is no signature: {len(signature)} bytes, expected '
        return Fault(Code.MODEL_SIGNATURE, f'{text}{signing.SIGNATURE_BYTES}', numbers)
    signed = False
    for name, text_of_key in keys.items():
        try:
            signed |= signing.signed_by(signing.public_key(text_of_key), signature, manifest)
        except ValueError as error:
            return Fault(Code.MODEL_SIGNATURE, f'trusted_keys: {name}: {error}')
    if signed:
        return None
    text = f'{folder / SIGNATURE} was not made by a key of {trusted} for this manifest.json'
    return Fault(Code.MODEL_SIGNATURE, text, {'keys': float(len(keys))})


def nothing_signed(kind: str, trusted: Path) -> Fault:
    """The fault of a runtime for which keys are given and that reads no manifest."""
    text = f'trusted_keys is {trusted}, and runtime {kind!r} reads no manifest that is signed'
    return Fault(Code.MODEL_SIGNATURE, f'{text}: leave trusted_keys empty, or choose onnx')


def trusted_texts(trusted: Path) -> dict[Path, bytes] | Fault:
    """The public keys by file, unparsed; a fault where there is none, or one cannot be read."""
    if not trusted.exists():
        text = f'trusted_keys: no folder or file of keys {trusted}: alpamayo key init makes some'
        return Fault(Code.MODEL_SIGNATURE, text)
    place = trusted if trusted.is_dir() else trusted.parent
    try:
        directory = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        text = f'trusted_keys: no folder or file of keys {trusted}: {error.strerror}'
        return Fault(Code.MODEL_SIGNATURE, text)
    try:
        names = [trusted.name]
        if place == trusted:
            names = sorted(name for name in os.listdir(directory) if name.endswith(PUBLIC_SUFFIX))
        if not 1 <= len(names) <= MOST_KEYS:
            text = f'trusted_keys: expected 1 to {MOST_KEYS} files *{PUBLIC_SUFFIX} in {trusted}, '
            return Fault(Code.MODEL_SIGNATURE, f'{text}found {len(names)}: alpamayo key init')
        keys: dict[Path, bytes] = {}
        for name in names:
            data = read_file(place, directory, name, MAX_KEY)
            if isinstance(data, Fault):
                return Fault(Code.MODEL_SIGNATURE, f'trusted_keys: {data.message}', data.values)
            keys[place / name] = data
        return keys
    finally:
        os.close(directory)
