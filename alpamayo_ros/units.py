"""Factors between the units of this package, with stamps in integers of ns; counts in words."""

from __future__ import annotations

NS = 1_000_000_000  # nanoseconds in a second
MS = 1_000_000  # nanoseconds in a millisecond


def counted(count: int, one: str, several: str = '') -> str:
    """``count`` with its noun; ``several``: the plural, where it is not ``one`` and an s."""
    return f'{count} {one if count == 1 else several or one + "s"}'
