"""The driver's Health as a record, as a page for a person and as one line of ``--watch``."""

from __future__ import annotations

import math
from dataclasses import dataclass

from alpamayo_ros.causes import told
from alpamayo_ros.faults import Severity
from alpamayo_ros.msg import Health
from alpamayo_ros.safety.state import Mode
from alpamayo_ros.units import counted

SILENT_S = 2.0  # without Health nobody knows the state any more


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
    texts: dict[str, list[str]] = {}
    for code, text in dict.fromkeys(zip(health.faults, health.messages, strict=True)):
        texts.setdefault(code, []).append(text)
    order: list[tuple[str, str]] = []
    for code, _, follow in told({code: said[0] for code, said in texts.items()}):
        order += [(code, ''), *((name, code) for name in follow)]
    return [
        {'code': code, 'severity': Severity(severities[code]).name, 'text': text, 'cause': cause}
        for code, cause in order
        for text in texts[code]
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
    heads = [f'  of {f["cause"]}:' if f['cause'] else f'{f["severity"]:<10}' for f in s.faults]
    lines += [f'{head} {f["text"]}' for head, f in zip(heads, s.faults, strict=True)]
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
    about = _causes(s) or s.words or s.reason
    return f'{s.state:<8}  {cap}  {plan}  {about}'


def _causes(s: Status) -> str:
    """Codes of the causes, each with those of what follows from it in brackets."""
    found: dict[str, list[str]] = {}
    for f in s.faults:
        if f['severity'] != Severity.INFO.name:
            below = found.setdefault(f['cause'] or f['code'], [])
            below += [f['code']] if f['cause'] else []
    named = {code: ', '.join(dict.fromkeys(below)) for code, below in found.items()}
    return ', '.join(f'{code} ({below})' if below else code for code, below in named.items())
