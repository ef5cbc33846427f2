"""Latched texts: which instruction or prompt is in force at t0."""

from __future__ import annotations

KEPT = 16  # texts kept; the newest at or before t0 is among them


class Instructions:
    """Latched texts with their stamps.

    ``at`` gives the newest one at or before t0 that has not expired.
    """

    def __init__(self, default: str = '') -> None:
        """``default``: the text where none is in force."""
        self._default = default
        self._items: list[tuple[int, int, str]] = []

    def add(self, stamp_ns: int, expires_ns: int, text: str) -> None:
        """A text that holds from ``stamp_ns`` until superseded or ``expires_ns`` (0: never)."""
        self._items = [*self._items[-KEPT:], (stamp_ns, expires_ns, text)]

    def at(self, t0_ns: int) -> str:
        """Text in force at ``t0_ns``."""
        valid = [item for item in self._items if item[0] <= t0_ns]
        if not valid:
            return self._default
        _, expires_ns, text = max(valid, key=lambda item: item[0])
        return text if expires_ns == 0 or t0_ns <= expires_ns else self._default
