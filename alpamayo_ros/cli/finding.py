"""What one check of ``alpamayo doctor`` found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How bad a finding is; FAIL means that the demo or the graph will not run."""

    OK = 0
    WARN = 1
    FAIL = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found; ``remedy`` is what to type next, '' where there is nothing to do."""

    topic: str
    level: Level
    text: str
    remedy: str = ''

    def as_dict(self) -> dict[str, str]:
        """For ``--json``."""
        return {
            'topic': self.topic,
            'level': self.level.name,
            'text': self.text,
            'remedy': self.remedy,
        }


Check = Callable[[], Iterable[Finding]]
