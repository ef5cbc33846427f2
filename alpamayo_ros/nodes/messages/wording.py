"""The words of a chain of causation as they may be shown.  Pure, no ROS."""

from __future__ import annotations

from alpamayo_ros.metrics.words import PARTS, split

__all__ = ['MAX_BYTES', 'PARTS', 'printable', 'split']

MAX_BYTES = 4096  # docs/faults.md, row F33


def printable(text: str) -> str:
    """Printable UTF-8 of at most 4 kB; every other character is escaped as in ``\\x1b``."""
    safe = ''.join(
        c if c.isprintable() or c == '\n' else c.encode('unicode_escape').decode() for c in text
    )
    return safe.encode()[:MAX_BYTES].decode(errors='ignore')
