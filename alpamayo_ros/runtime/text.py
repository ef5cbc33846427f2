"""Bounds on generated text: tokens, and bytes of printable UTF-8 (docs/faults.md, row F33)."""

from __future__ import annotations

MAX_TOKENS = 256
MAX_BYTES = 4096


def _visible(character: str) -> str:
    shown = character == '\n' or character.isprintable()
    return character if shown else f'\\u{ord(character):04x}'


def bounded_text(text: str) -> tuple[str, bool]:
    """``text`` with control characters escaped, at most 4 kB; True when something was cut off."""
    cut = len(text) > MAX_BYTES
    data = ''.join(map(_visible, text[:MAX_BYTES])).encode('utf-8', 'backslashreplace')
    return data[:MAX_BYTES].decode('utf-8', 'ignore'), cut or len(data) > MAX_BYTES


def bounded_tokens(ids: tuple[int, ...]) -> tuple[tuple[int, ...], bool]:
    """The first 256 ids; True when something was cut off."""
    return ids[:MAX_TOKENS], len(ids) > MAX_TOKENS
