"""How the driver is: its Health, the newest words, and what to do about its faults."""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import asdict, dataclass
from typing import Any

from alpamayo_ros.causes import told
from alpamayo_ros.faults import Severity
from alpamayo_ros.graph_spec import NAMESPACE, OUR_WORDS
from alpamayo_ros.msg import ChainOfCausation, EgoHistory, Health
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import ns
from alpamayo_ros.nodes.operating.outsider import NoAnswer, Outsider, nobody
from alpamayo_ros.safety.state import Mode
from alpamayo_ros.units import NS, counted

NICE = 5  # who watches gives way to who drives
LINE_S = 1.0  # between two lines of --watch where nothing changes
MOTION_S, WORDS_S = 2.0, 0.5  # waited for, after Health; a driver that stands says no words
SILENT_S = 2.0  # without Health nobody knows the state any more
OLD_NS = 2 * NS  # of words: four times the age at which they may still condition a plan


@dataclass(frozen=True, slots=True)
class Status:
    """What ``alpamayo status`` tells; ages in milliseconds, None where unknown.

    ``silent_s``: since the Health that it is made of, by the clock of this machine.
    """

    state: str
    armed: bool
    rearm_required: bool
    reason: str
    speed_mps: float | None
    speed_cap_mps: float | None
    plan_age_ms: float | None
    frame_age_ms: float | None
    odometry_age_ms: float | None
    candidates: int
    rejected: dict[str, int]
    stages_ms: dict[str, float]
    plans: int
    stops: int
    refusals: int
    deadline_misses: int
    model: str
    model_alive: bool
    model_restarts: int
    views: dict[str, bool]
    faults: list[dict[str, str]]
    words: str
    silent_s: float

    @property
    def stopped(self) -> bool:
        """Whether there is no trustworthy plan: FALLBACK or FAULT."""
        return self.state in (Mode.FALLBACK.name, Mode.FAULT.name)


def status_of(
    health: Health, cycle: Health, words: str, speed_mps: float = math.nan, silent_s: float = 0.0
) -> Status:
    """The record of a message.

    ``cycle``: the newest that was about a proposal.  ``words``: intent of the newest text.
    """
    return Status(
        state=Mode(health.state).name,
        armed=health.armed,
        rearm_required=health.rearm_required,
        reason=health.reason,
        speed_mps=_known(speed_mps),
        speed_cap_mps=_known(health.speed_cap_mps),
        plan_age_ms=_known(health.plan_age_ms),
        frame_age_ms=_known(health.frame_age_ms),
        odometry_age_ms=_known(health.odometry_age_ms),
        candidates=cycle.candidates,
        rejected=dict(zip(cycle.rejected_checks, map(int, cycle.rejected_counts), strict=True)),
        stages_ms={
            n: round(float(t), 2) for n, t in zip(cycle.stages, cycle.stage_ms, strict=True)
        },
        plans=health.plans,
        stops=health.stops,
        refusals=health.refusals,
        deadline_misses=health.deadline_misses,
        model=f'{health.profile} by {health.runtime or "no runtime yet"}',
        model_alive=health.worker_alive,
        model_restarts=health.worker_restarts,
        views={v: bool(health.view_mask >> i & 1) for i, v in enumerate(health.views)},
        faults=_faults(health),
        words=words,
        silent_s=round(silent_s, 1),
    )


def _faults(health: Health) -> list[dict[str, str]]:
    """Causes first, each with what follows from it below; ``cause`` '' for a cause."""
    severities = dict(zip(health.faults, health.severities, strict=True))
    texts = dict(zip(health.faults, health.messages, strict=True))
    order: list[tuple[str, str]] = []
    for code, _, follow in told(texts):
        order += [(code, ''), *((name, code) for name in follow)]
    return [
        {
            'code': code,
            'severity': Severity(severities[code]).name,
            'text': texts[code],
            'cause': cause,
        }
        for code, cause in order
    ]


def _known(value: float) -> float | None:
    return round(float(value), 3) if math.isfinite(value) else None


def page(s: Status) -> str:
    """The status as a person reads it."""
    armed = 'armed' if s.armed else 'not armed'
    cap = 'none beyond the profile' if s.speed_cap_mps is None else f'{s.speed_cap_mps:.1f} m/s'
    plan = f'{s.plan_age_ms:.0f} ms old' if s.plan_age_ms is not None else 'none'
    spoilt = ''.join(f', {name} rejects {count}' for name, count in s.rejected.items())
    stages = ', '.join(f'{name} {ms:.1f}' for name, ms in s.stages_ms.items())
    seen = [name for name, ok in s.views.items() if ok]
    missing = [name for name, ok in s.views.items() if not ok]
    rows = [
        ('state', f'{s.state}, {armed}' + (f': {s.reason}' if s.reason else '')),
        ('plan', f'{plan}; last of {counted(s.candidates, "candidate")}{spoilt}'),
        ('speed', 'unknown' if s.speed_mps is None else f'{s.speed_mps:.1f} m/s'),
        ('speed cap', cap),
        ('cycle', f'{sum(s.stages_ms.values()):.0f} ms ({stages})' if stages else 'none yet'),
        ('views', f'{len(seen)} of {len(s.views)}' + _without(missing)),
        ('model', f'{s.model}, {"alive" if s.model_alive else "not running"}'
                  f', {counted(s.model_restarts, "restart")}'),
        ('so far', f'{counted(s.plans, "plan")}, {counted(s.stops, "stop")}, '
                   f'{counted(s.refusals, "refusal")}, '
                   f'{counted(s.deadline_misses, "deadline")} missed'),
        ('words', s.words or 'none now'),
    ]  # fmt: skip
    lines = [f'{name:<10} {text}' for name, text in rows]
    lines += [f'{f["severity"]:<10} {f["text"]}' for f in s.faults if not f['cause']]
    lines += [f'  of {f["cause"]}: {f["text"]}' for f in s.faults if f['cause']]
    if s.rearm_required:
        lines.append('to drive on: alpamayo rearm')
    elif s.state == Mode.READY.name:
        lines.append('to drive: alpamayo arm')
    return '\n'.join(lines)


def _without(missing: list[str]) -> str:
    return f' (without {", ".join(missing)})' if missing else ''


def line(s: Status) -> str:
    """The status on one line; of a driver that fell silent, that it did."""
    if s.silent_s > SILENT_S:
        return f'SILENT    no health for {s.silent_s:.0f} s; the last state was {s.state}'
    cap = f'cap {s.speed_cap_mps:.1f} m/s' if s.speed_cap_mps is not None else 'no cap'
    plan = f'plan {s.plan_age_ms:.0f} ms' if s.plan_age_ms is not None else 'no plan'
    faults = ', '.join(f['code'] for f in s.faults if f['severity'] != Severity.INFO.name)
    about = faults or s.words or s.reason
    return f'{s.state:<8}  {cap}  {plan}  {about}'


class Listening:
    """The newest Health and words."""

    def __init__(self, outsider: Outsider) -> None:
        self._outsider = outsider
        self._health: Health | None = None
        self._cycle: Health | None = None
        self._words, self._words_ns, self._speed_mps = '', 0, math.nan
        self._open, self._heard_s = False, 0.0
        health = qos.output(False)
        outsider.node.create_subscription(Health, 'health', self._on_health, health)

    def _listen(self, lockstep: bool) -> None:
        """To the rest; in lockstep the newest of a world that stands still is latched."""
        node, kept = self._outsider.node, qos.output(lockstep)
        for name in ('reasoning', OUR_WORDS):
            node.create_subscription(ChainOfCausation, name, self._on_words, kept)
        node.create_subscription(EgoHistory, 'ego_history', self._on_motion, kept)
        self._open = True

    def _on_health(self, message: Health) -> None:
        self._health, self._heard_s = message, time.monotonic()
        if message.stages or self._cycle is None:
            self._cycle = message

    def _on_words(self, message: ChainOfCausation) -> None:
        self._words = ' '.join((message.intent or message.text).split())
        self._words_ns = ns(message.header.stamp)

    def _on_motion(self, message: EgoHistory) -> None:
        self._speed_mps = float(message.speed_mps[0]) if message.valid[:1] == [True] else math.nan

    def first(self) -> Status:
        """The status, waited for; NoAnswer where there is none."""
        if not self._outsider.until(lambda: self._health is not None):
            names = [n for n in self._outsider.topics() if self._outsider.node.count_publishers(n)]
            where, patience_s = f'{NAMESPACE}/health', self._outsider.patience_s
            raise NoAnswer(f'nothing on {where} in {patience_s:g} s. {nobody(names)}')
        assert self._health is not None
        if not self._open:
            self._listen(self._health.lockstep)
        patience_s = self._outsider.patience_s
        self._outsider.until(lambda: math.isfinite(self._speed_mps), min(MOTION_S, patience_s))
        self._outsider.until(lambda: self._words, min(WORDS_S, patience_s))
        return self.now()

    def now(self) -> Status:
        """The newest, after ``first``; words that are old, as after a disarm, are none."""
        assert self._health is not None and self._cycle is not None
        old = ns(self._health.header.stamp) - self._words_ns > OLD_NS
        words = '' if old else self._words
        silent_s = time.monotonic() - self._heard_s
        return status_of(self._health, self._cycle, words, self._speed_mps, silent_s)


def status(outsider: Outsider, watch: bool, as_json: bool, every_s: float = LINE_S) -> int:
    """Print the status once, or every ``every_s`` and at each change; 1 in FALLBACK or FAULT."""
    listening = Listening(outsider)
    found = listening.first()
    if watch:
        os.nice(NICE)
    show: Any = line if watch else page
    text = (lambda s: json.dumps(asdict(s))) if as_json else show
    print(text(found), flush=True)
    told_s = time.monotonic()
    while watch:
        outsider.spin()
        last, found = found, listening.now()
        if found.state != last.state or time.monotonic() - told_s > every_s:
            print(text(found), flush=True)
            told_s = time.monotonic()
    return 1 if found.stopped else 0
