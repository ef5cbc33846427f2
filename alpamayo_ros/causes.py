"""Cause before consequence: the first fault of a chain, with what follows from it folded below.

One rule for the terminal, the page, summary.json, Health and /diagnostics.  A fault is folded only
below one of which it can be the consequence, and never below one of another camera; whatever is
folded is still named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from alpamayo_ros.faults import Code, Fault, Reaction, Severity

_PICTURES = (
    Code.CAM_IDENTITY, Code.IMG_HEADER, Code.IMG_TRUNCATED, Code.IMG_TOO_LARGE, Code.IMG_ENCODING,
    Code.IMG_SIZE, Code.IMG_DECODE, Code.IMG_TORN, Code.CAM_STALE, Code.CALIBRATION,
)  # fmt: skip
_STAMPS = (Code.STAMP_INVALID, Code.STAMP_DUP, Code.STAMP_LATE)
_ABSENCE = (Code.CLOCK, Code.CLOCK_BACK, Code.CLOCK_FORWARD, Code.QOS_INCOMPATIBLE, Code.NODE_LOST)
_SILENCE = (
    Code.CAM_LOST, Code.CAM_MANDATORY_LOST, Code.CAMS_LOST, Code.CAM_RATE, Code.CAM_RATE_WARN,
)  # fmt: skip
_ODOMETRY = (Code.ODOM_FRAME, Code.ODOM_NAN)
_MODEL_FILES = (
    Code.MODEL_HASH, Code.MODEL_ROLLBACK, Code.MODEL_UNSAFE, Code.MODEL_SIGNATURE,
    Code.MODEL_MISSING,
    Code.MODEL_FORMAT, Code.MODEL_PROVIDER, Code.MODEL_GOLDEN,
)  # fmt: skip
# A fault and what it can be the consequence of.
CAUSES: dict[Code, tuple[Code, ...]] = {
    **dict.fromkeys(_SILENCE, (*_PICTURES, *_STAMPS, *_ABSENCE)),
    Code.SET_INCOMPLETE: (*_SILENCE, Code.SKEW),
    Code.FRAME_HISTORY: (Code.SET_INCOMPLETE,),
    **dict.fromkeys(
        (Code.ODOM_GAP, Code.ODOM_GAP_WARN), (*_ODOMETRY, *_STAMPS, *_ABSENCE, Code.ODOM_JUMP)
    ),
    Code.EGO_HISTORY: (Code.ODOM_GAP, Code.ODOM_GAP_WARN),
    Code.OBJECTS: (Code.ODOM_GAP,),
    Code.NODE_SILENT: (Code.NODE_LOST,),
    Code.MODEL_ABSENT: (Code.MODEL_KILLED, Code.MODEL_MEMORY, *_MODEL_FILES),
    Code.MODEL_KILLED: (Code.GPU,),
    Code.MODEL_MEMORY: (Code.GPU,),
    Code.MODEL_FAILING: (Code.MODEL_ERROR, Code.MODEL_NONFINITE),
    Code.MODEL_ERROR: (Code.MODEL_MEMORY,),
    Code.MODEL_RESPAWNS: (Code.MODEL_ABSENT,),
    Code.MODEL_OVERRUN: (Code.GPU, Code.GPU_WARN),
    Code.MODEL_OVERRUN_WARN: (Code.GPU, Code.GPU_WARN),
    Code.MODEL_LATE: (
        Code.FRAME_HISTORY, Code.EGO_HISTORY, Code.MODEL_ABSENT, Code.MODEL_FAILING,
        Code.MODEL_OVERRUN, Code.NODE_SILENT, Code.PLAN_SHAPE, Code.PLAN_STAMP,
    ),
    Code.PLAN_STALE: (Code.MODEL_OVERRUN, Code.MODEL_OVERRUN_WARN, Code.CLOCK_FORWARD),
    Code.REARM_NEEDED: tuple(c for c in Code if c.reaction is Reaction.FALLBACK),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chain:
    """A fault and those present that can be its consequences, nearest to the inputs first."""

    cause: Fault
    consequences: tuple[Fault, ...] = ()

    @property
    def weight(self) -> tuple[Reaction, Severity]:
        """The worst that any of its faults asks for, and how loudly."""
        return max((f.reaction, f.code.severity) for f in (self.cause, *self.consequences))

    @property
    def names(self) -> tuple[str, ...]:
        """Codes of the consequences, each once."""
        return tuple(dict.fromkeys(f.code.name for f in self.consequences))

    def __str__(self) -> str:
        """The cause with its values and its remedy; then the names of what follows."""
        also = f' It can be why there is {", ".join(self.names)}.' if self.names else ''
        return f'{self.cause}{also}'


@cache
def upstream(code: Code) -> frozenset[Code]:
    """Everything that ``code`` can be the consequence of, over any number of steps."""
    near = CAUSES.get(code, ())
    return frozenset(near).union(*(upstream(cause) for cause in near))


def chains(faults: Iterable[Fault]) -> list[Chain]:
    """Every fault once, consequences below their cause; what asks for the worst comes first."""
    order = list(Code)
    found = sorted(_once(faults), key=lambda f: order.index(f.code))
    below: dict[int, list[Fault]] = {i: [] for i, f in enumerate(found) if not _roots(f, found)}
    for fault in found:
        for cause in _roots(fault, found)[:1]:
            below[cause].append(fault)
    made = [Chain(found[i], tuple(rest)) for i, rest in below.items()]
    return sorted(made, key=lambda chain: chain.weight, reverse=True)


def _once(faults: Iterable[Fault]) -> list[Fault]:
    """The first of each code and camera."""
    kept: dict[tuple[Code, object], Fault] = {}
    for fault in faults:
        kept.setdefault((fault.code, fault.values.get('camera')), fault)
    return list(kept.values())


def _roots(fault: Fault, found: list[Fault]) -> list[int]:
    """Places of the faults that can be its cause and have none themselves."""
    causes = [i for i, other in enumerate(found) if _leads(other, fault)]
    return [i for i in causes if not any(_leads(other, found[i]) for other in found)]


def _leads(cause: Fault, fault: Fault) -> bool:
    """Whether ``fault`` can be a consequence of ``cause``.

    CAMS_LOST names the cameras that it is about; what is said of one of them is the same loss.
    Messages carry codes alone: then it is the same too, since CAMS_LOST counts every silent camera
    (``sensing.silence``).
    """
    if cause.code is Code.CAMS_LOST and fault.code in (Code.CAM_LOST, Code.CAM_MANDATORY_LOST):
        camera, named = fault.values.get('camera'), cause.values.get('cameras')
        return camera == named is None or camera in str(named).split(', ')
    cameras = {f.values['camera'] for f in (cause, fault) if 'camera' in f.values}
    return len(cameras) < 2 and cause.code in upstream(fault.code)


def told(texts: Mapping[str, str]) -> list[tuple[str, str, tuple[str, ...]]]:
    """The same of faults that came as code and text: code and text of a cause, codes that follow.

    Without a text, the table's sentence and remedy; a code that is not in the table stands alone.
    """
    known = [
        Fault(Code[name], values=values_in(text))
        for name, text in texts.items()
        if name in Code.__members__
    ]
    found = [
        (chain.cause.code.name, texts[chain.cause.code.name] or str(chain.cause), chain.names)
        for chain in chains(known)
    ]
    return found + [(n, t, ()) for n, t in texts.items() if n not in Code.__members__]


def values_in(text: str) -> dict[str, str]:
    """The values in the text of a fault (``str`` of it), as they are written; {} for none."""
    said = re.findall(r'\((\w+=[^()]*)\)', text)
    return dict(re.findall(r'(\w+)=(.*?)(?= \w+=|$)', said[-1])) if said else {}
