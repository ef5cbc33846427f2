"""Latched texts: which instruction or prompt is in force at t0."""

from __future__ import annotations

from alpamayo_ros.faults import Code, Fault

MAX_TEXT = 256  # characters; the longest canonical wording has 48 of a street in it
KEPT = 16  # texts kept; the newest at or before t0 is among them


class Instructions:
    """Latched texts with their stamps.

    ``at`` gives the newest one at or before t0 that has not expired.
    """

    def __init__(self, default: str = '', longest: int = MAX_TEXT) -> None:
        """``default``: the text where none is in force; ``longest``: in characters."""
        self._default, self._longest = default, longest
        self._items: list[tuple[int, int, str]] = []

    def add(self, stamp_ns: int, expires_ns: int, text: str) -> Fault | None:
        """A text that holds from ``stamp_ns`` until superseded or ``expires_ns`` (0: never).

        PROMPT_FORMAT for one that is too long or not printable; what was in force stays so.
        """
        if len(text) > self._longest or not text.isprintable():
            expected = f'at most {self._longest} printable characters'
            return Fault(Code.PROMPT_FORMAT, f'expected {expected}, got {len(text)} characters')
        self._items = [*self._items[-KEPT:], (stamp_ns, expires_ns, text)]
        return None

    def at(self, t0_ns: int) -> str:
        """Text in force at ``t0_ns``."""
        valid = [item for item in self._items if item[0] <= t0_ns]
        if not valid:
            return self._default
        _, expires_ns, text = max(valid, key=lambda item: item[0])
        return text if expires_ns == 0 or t0_ns <= expires_ns else self._default
