"""What holds in every row of the fault matrix: I1 to I7, asserted of a drive that was watched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from alpamayo_ros.faults import Code, Severity
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.nodes.common.fault_log import FaultLog
from alpamayo_ros.safety.gate import ARRAYS
from alpamayo_ros.safety.state import Mode

NAMED_WITHIN_S = 0.2  # beyond the threshold of a row
RECOVERED_WITHIN_S = 2.0
FRESH_S = 0.5
GROWTH_MB = 50.0  # over a row, from its start
LINES_PER_S = 2  # of the log, for one fault
PAGE_KB = 4  # of /proc/self/statm, on every processor that ROS 2 supports
LOUD = (Severity.ERROR, Severity.FATAL)
OF_THE_PLAN = frozenset(
    {Code.PLAN_WARN, Code.SPREAD_WARN, Code.COC_DISAGREES}
)  # without any fault


@dataclass(frozen=True, slots=True)
class Seen:
    """One cycle: elapsed time, the clock's, what was said, the state, and the plan that left.

    ``rss_mb``: memory of the process after it.
    """

    at_s: float
    now_ns: int
    codes: frozenset[Code]
    mode: Mode
    plan: Plan | None
    rss_mb: float = 0.0


@dataclass(frozen=True, slots=True)
class Expected:
    """A row: the code that names it, after how long, and which other errors follow of it.

    ``recovered_s``: from the end of the fault to ACTIVE or READY.  ``worst``: the state reached.
    """

    code: Code
    threshold_s: float = 0.0
    besides: frozenset[Code] = field(default_factory=frozenset)
    worst: Mode | None = None
    recovered_s: float = RECOVERED_WITHIN_S


def detected_s(seen: Sequence[Seen], code: Code, start_s: float) -> float | None:
    """How long after ``start_s`` the code was named first."""
    return next((s.at_s - start_s for s in seen if s.at_s >= start_s and code in s.codes), None)


def recovered_s(seen: Sequence[Seen], stop_s: float) -> float | None:
    """How long after ``stop_s`` it is ACTIVE or READY, and stays so."""
    bad = [s.at_s for s in seen if s.mode not in (Mode.ACTIVE, Mode.READY)]
    good = [s.at_s for s in seen if s.at_s > max([stop_s - 1e-6, *bad])]
    return min(good) - stop_s if good else None


def over_s(seen: Sequence[Seen], stop_s: float) -> float | None:
    """``recovered_s`` where DEGRADED by warnings about a plan alone counts too."""
    driving = [
        replace(s, mode=Mode.ACTIVE) if s.mode is Mode.DEGRADED and s.codes <= OF_THE_PLAN else s
        for s in seen
    ]
    return recovered_s(driving, stop_s)


def violations(
    seen: Sequence[Seen], expected: Expected, start_s: float, stop_s: float
) -> list[str]:
    """The invariants that a row breaks, each in words; empty when all hold."""
    return [
        *(words for one in seen if one.plan for words in _of_plan(one.plan, one.now_ns)),
        *_order([s for s in seen if s.plan is not None]),
        *_naming(seen, expected, start_s),
        *_recovery(seen, expected, stop_s),
        *_memory(seen, start_s),
        *_lines(seen),
    ]


def rss_mb() -> float:
    """Memory of this process."""
    return int(Path('/proc/self/statm').read_text().split()[1]) * PAGE_KB / 1024


def _of_plan(plan: Plan, now_ns: int) -> list[str]:
    """I1 and I2, and the half of I3 that is about one plan."""
    t, age_s = plan.trajectory, (now_ns - plan.t0_ns) * 1e-9
    out = [f'I1: {n} of plan {plan.id}' for n in ARRAYS if not np.isfinite(getattr(t, n)).all()]
    out += [] if -1e-3 <= age_s <= FRESH_S else [f'I2: plan {plan.id} is {age_s:.2f} s old']
    return out + ([] if plan.valid_until_ns > plan.t0_ns else [f'I3: plan {plan.id} never held'])


def _order(seen: Sequence[Seen]) -> list[str]:
    """I3: stamps increase, but for a clock that was said to have jumped back in between."""
    out = []
    for last, one in zip(seen, seen[1:], strict=False):
        assert last.plan is not None and one.plan is not None
        back = one.now_ns < last.now_ns
        if one.plan.t0_ns <= last.plan.t0_ns and not back:
            out.append(f'I3: plan {one.plan.id} is not newer than {last.plan.id}')
    return out


def _naming(seen: Sequence[Seen], expected: Expected, start_s: float) -> list[str]:
    """I4: named in time, with the state that it asks for, and no other error."""
    code, found = expected.code, detected_s(seen, expected.code, start_s)
    within_s = expected.threshold_s + NAMED_WITHIN_S
    out = []
    if found is None or found > within_s + 1e-6:
        after = None if found is None else round(found, 3)
        out.append(f'I4: {code.name} after {after} s, expected within {within_s:.1f} s')
    during = [s for s in seen if s.at_s >= start_s]
    others = {c for s in during for c in s.codes if c.severity in LOUD}
    others -= {code, *expected.besides}
    out += [f'I4: {name} beside {code.name}' for name in sorted(c.name for c in others)]
    reached = {s.mode for s in during}
    if expected.worst is not None and expected.worst not in reached:
        out.append(f'I4: {expected.worst.name} was not reached')
    return out


def _recovery(seen: Sequence[Seen], expected: Expected, stop_s: float) -> list[str]:
    """I5: back by itself, in time."""
    found = recovered_s(seen, stop_s)
    if found is not None and found <= expected.recovered_s + 1e-6:
        return []
    return [f'I5: recovered after {found} s, expected within {expected.recovered_s:.1f} s']


def _memory(seen: Sequence[Seen], start_s: float) -> list[str]:
    """I6: the process, which is alive as this runs in it, did not grow."""
    before = max((s.rss_mb for s in seen if s.at_s < start_s), default=seen[0].rss_mb)
    grown = max(s.rss_mb for s in seen) - before
    return [] if grown < GROWTH_MB else [f'I6: memory grew by {grown:.0f} MB']


def _lines(seen: Sequence[Seen]) -> list[str]:
    """I7: what the nodes' own log of faults writes of these cycles, by the clock of the drive."""
    at_s, lines = [0.0], list[tuple[str, float]]()
    write = lambda text: lines.append((text.split()[0], at_s[0]))  # noqa: E731
    logger = SimpleNamespace(info=write, warning=write, error=write, fatal=write)
    log = FaultLog(SimpleNamespace(get_logger=lambda: logger), lambda: at_s[0])
    for one in seen:
        at_s[0] = one.at_s
        log.update({code.name: code.name for code in one.codes})
    out = []
    for name in sorted({name for name, _ in lines}):
        times = [time_s for found, time_s in lines if found == name]
        later = zip(times, times[LINES_PER_S:], strict=False)
        if any(last - first < 1.0 - 1e-6 for first, last in later):
            out.append(f'I7: more than {LINES_PER_S} lines a second of {name}')
    return out
