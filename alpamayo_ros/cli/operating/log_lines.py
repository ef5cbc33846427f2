"""One line that a node has printed: its level, and the fault that it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass

from alpamayo_ros.faults import Code, Severity

LEVEL = re.compile(r'(DEBUG|INFO|WARN|ERROR|FATAL): (.*)', re.DOTALL)
CODE = re.compile(r'\b[A-Z][A-Z_]+\b')
# What is missing before the first input has come and after the last one.
ABSENCE = frozenset({
    Code.CLOCK, Code.ODOM_GAP, Code.ODOM_GAP_WARN, Code.CAM_LOST, Code.CAM_MANDATORY_LOST,
    Code.CAMS_LOST, Code.CAM_RATE, Code.CAM_RATE_WARN, Code.SET_INCOMPLETE, Code.FRAME_HISTORY,
    Code.FRAME_AGE, Code.FRAME_AGE_WARN, Code.EGO_HISTORY, Code.OBJECTS, Code.MODEL_ABSENT,
    Code.MODEL_LATE, Code.PLAN_STALE, Code.NODE_LOST, Code.NODE_SILENT,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class LogLine:
    """``level`` '' where the line is no log line, such as one of a traceback."""

    level: str
    text: str

    @property
    def code(self) -> Code | None:
        """The fault that the line begins with."""
        return Code.__members__.get(self.text.partition(':')[0])

    @property
    def severity(self) -> Severity:
        """How loud it is; what is no log line counts as an error."""
        return Severity.__members__.get(
            self.level, Severity.INFO if self.level else Severity.ERROR
        )


def parsed(line: str) -> LogLine:
    """The line, without characters that a terminal would obey."""
    text = plain(line)
    found = LEVEL.fullmatch(text)
    return LogLine(*found.groups()) if found else LogLine('', text)


def plain(text: str) -> str:
    """``text`` with every character replaced that is not printable."""
    return ''.join(c if c.isprintable() else ' ' if c.isspace() else '?' for c in text)


def codes(text: str) -> set[Code]:
    """The faults that ``text`` names."""
    return {Code[word] for word in CODE.findall(text) if word in Code.__members__}
