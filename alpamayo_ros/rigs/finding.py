"""One thing that a check of a rig found, and what to change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal['wrong', 'warn', 'note', 'good']
ORDER: tuple[Level, ...] = ('wrong', 'warn', 'note', 'good')


@dataclass(frozen=True, slots=True)
class Finding:
    """``about``: a camera, ``odometry`` or ``rig``; ``change``: what to do, '' where nothing."""

    level: Level
    about: str
    text: str
    change: str = ''

    def as_dict(self) -> dict[str, str]:
        """For ``findings.json``."""
        return {
            'level': self.level,
            'about': self.about,
            'text': self.text,
            'change': self.change,
        }


def ordered(findings: list[Finding]) -> list[Finding]:
    """The worst first, else as they were found."""
    return sorted(findings, key=lambda finding: ORDER.index(finding.level))


def signed(value: float, digits: int) -> str:
    """A figure with its sign; what is 0 in so many digits has none."""
    text = f'{value:+.{digits}f}'
    return text if float(text) else text[1:]
