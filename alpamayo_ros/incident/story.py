"""What a person asks of an incident: seen, said, planned, refused, and when.

Times are seconds from the event, negative before it, by the clock of the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alpamayo_ros.incident.file import Incident
from alpamayo_ros.incident.reproduce import Again
from alpamayo_ros.metrics import words
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.safety.state import Mode
from alpamayo_ros.units import NS

GONE_S = 1.0  # a fault that was not seen for so long begins anew


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the state with its reason, and the faults that held, in full sentences."""

    at_s: float
    before: Mode
    after: Mode
    reason: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """Something that held from ``start_s`` to ``end_s``: a state or a fault, by name."""

    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class FaultRow:
    """A fault: since when, how long in all, its sentence with the numbers when it came."""

    name: str
    start_s: float
    held_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """Words from when on; ``age_s``: t0 of the plan minus t0 of the words."""

    at_s: float
    parts: dict[str, str]
    age_s: float


@dataclass(frozen=True, slots=True)
class Rejection:
    """What a check refused: candidates, in how many proposals, and the worst against the limit.

    ``worst`` NaN: a number was none, or the decision could not be taken again.
    """

    check: str
    candidates: int
    proposals: int
    first_s: float
    worst: float
    limit: float


@dataclass(frozen=True, slots=True)
class Motion:
    """``rows``: time [s], x, y [m] in odom, speed [m/s]; of each decision that knew the car."""

    rows: Float[np.ndarray, 'N 4']

    def at(self, at_s: float) -> tuple[float, float, float] | None:
        """Place and speed at a time, None outside of what is known."""
        times = self.rows[:, 0]
        if not len(times) or not times[0] <= at_s <= times[-1]:
            return None
        x, y, speed = (float(np.interp(at_s, times, self.rows[:, i])) for i in (1, 2, 3))
        return x, y, speed


class Story:
    """``again``: the decisions of ``incident``, taken again, in its order."""

    def __init__(self, incident: Incident, again: Sequence[Again]) -> None:
        self.incident, self.again = incident, again
        self.zero_ns = self._zero()

    def _zero(self) -> int:
        """The first event, or the last decision where the file names none."""
        if self.incident.events:
            return self.incident.events[0].time_ns
        return self.again[-1].record.now_ns if self.again else 0

    def seconds(self, time_ns: int) -> float:
        """A time of the graph's clock, from the event on [s]."""
        return (time_ns - self.zero_ns) / NS

    @property
    def changes(self) -> list[Change]:
        """Each change of the state, those between two decisions (a person armed) too."""
        out: list[Change] = []
        last: Mode | None = None
        for item in self.again:
            h = item.record.health
            at_s, texts = self.seconds(h.stamp_ns), tuple(str(f) for f in h.faults)
            if last is not None and h.previous_mode is not last:
                reason = 'from outside a decision: armed, disarmed, taken over or reconfigured'
                out.append(Change(at_s, last, h.previous_mode, reason, ()))
            if h.mode is not h.previous_mode:
                out.append(Change(at_s, h.previous_mode, h.mode, h.reason, texts))
            last = h.mode
        return out

    @property
    def states(self) -> list[Span]:
        """The states, one after the other."""
        return _runs([(self.seconds(a.record.health.stamp_ns), a.record.health.mode.name)
                      for a in self.again])  # fmt: skip

    @property
    def fault_spans(self) -> list[Span]:
        """When each fault held, in the order of their first time."""
        open_: dict[str, list[float]] = {}
        done: list[Span] = []
        for item in self.again:
            at_s = self.seconds(item.record.health.stamp_ns)
            for name in {f.code.name for f in item.record.health.faults}:
                span = open_.get(name)
                if span is not None and at_s - span[1] > GONE_S:
                    done.append(Span(name, *span))
                    span = None
                open_[name] = [at_s if span is None else span[0], at_s]
        done += [Span(name, *span) for name, span in open_.items()]
        return sorted(done, key=lambda span: (span.start_s, span.name))

    @property
    def faults(self) -> list[FaultRow]:
        """Each fault once, in the order of their first time."""
        texts: dict[str, str] = {}
        for item in self.again:
            for fault in item.record.health.faults:
                texts.setdefault(fault.code.name, str(fault))
        spans = self.fault_spans
        out = []
        for name in dict.fromkeys(span.name for span in spans):
            own = [s for s in spans if s.name == name]
            held_s = sum(s.end_s - s.start_s for s in own)
            text = texts[name].removeprefix(f'{name}: ')
            out.append(FaultRow(name, own[0].start_s, held_s, text))
        return out

    @property
    def said(self) -> list[Said]:
        """The words, where they change."""
        out: list[Said] = []
        for item in self.again:
            p = item.record.proposal
            if p is None or not p.text:
                continue
            parts = words.split(p.text) or {'words': p.text}
            if not out or out[-1].parts != parts:
                age_s = (p.t0_ns - p.text_t0_ns) / NS if p.text_t0_ns else 0.0
                out.append(Said(self.seconds(p.t0_ns), parts, age_s))
        return out

    @property
    def rejections(self) -> list[Rejection]:
        """What the checks refused, the most often first."""
        found: dict[str, Rejection] = {}
        for item in self.again:
            h = item.record.health
            for name, count in h.rejected.items():
                worst, limit = _worst(item, name)
                old = found.get(name)
                if old is None:
                    at_s = self.seconds(h.stamp_ns)
                    found[name] = Rejection(name, count, 1, at_s, worst, limit)
                    continue
                counts = (old.candidates + count, old.proposals + 1)
                found[name] = Rejection(
                    name, *counts, old.first_s, float(np.fmax(old.worst, worst)), limit
                )
        return sorted(found.values(), key=lambda r: (-r.candidates, r.check))

    @property
    def motion(self) -> Motion:
        """How the car went."""
        rows: dict[float, tuple[float, float, float]] = {}
        for item in self.again:
            ego = item.record.scene.ego_now
            if ego is not None:
                rows[self.seconds(ego.stamp_ns)] = (ego.x_m, ego.y_m, ego.speed_mps)
        table = [(at_s, *rows[at_s]) for at_s in sorted(rows)]
        return Motion(np.array(table, dtype=float).reshape(-1, 4))

    @property
    def plans(self) -> list[tuple[float, Plan]]:
        """Every plan that left, and when."""
        return [
            (self.seconds(a.record.health.stamp_ns), a.record.plan)
            for a in self.again
            if a.record.plan is not None
        ]

    def picture(self, at_s: float) -> tuple[float, bytes] | None:
        """The newest picture of the mandatory camera at a time, and when it was taken."""
        seen = [(self.seconds(t), data) for t, data in self.incident.pictures]
        return max((s for s in seen if s[0] <= at_s), key=lambda s: s[0], default=None)


def _runs(rows: Sequence[tuple[float, str]]) -> list[Span]:
    """Neighbours of one name as one span, each up to the next."""
    out: list[Span] = []
    for at_s, name in rows:
        if out:
            out[-1] = Span(out[-1].name, out[-1].start_s, at_s)
        if not out or out[-1].name != name:
            out.append(Span(name, at_s, at_s))
    return out


def _worst(item: Again, name: str) -> tuple[float, float]:
    """The worst value of a check and its limit in a decision taken again."""
    judged = None if item.decision is None else item.decision.judgement
    if judged is None or judged.checks is None or name not in judged.checks.names:
        return float('nan'), float('nan')
    column = judged.checks.names.index(name)
    values = judged.checks.values[:, column]
    known = values[np.isfinite(values)]
    limit = float(judged.checks.limits[column])
    return (float(known.max()) if len(known) else float('nan')), limit
