"""A graph that drives beside busy loops: is every plan young, and is all well soon after them?"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from graph import PATIENCE_S, Graph, Listener

from alpamayo_ros.faults import Code
from alpamayo_ros.limits import load_limits
from alpamayo_ros.msg import Health, PlannedTrajectory
from alpamayo_ros.nodes.common.convert import ns
from alpamayo_ros.units import NS

BUSY = 'while True: pass'
AGE_P99_S = 0.3  # of plans beside the loops, from the pictures' instant to publication
RECOVERY_S = 2.0  # from the end of the loops to ACTIVE, with no fault of time
AGE_MAX_S = load_limits().plan_age_s  # what the gate promises of each plan
QUIET_S = 5.0  # before and after, for comparison
PACE = Code.MODEL_OVERRUN_WARN.name  # a percentile of 100 cycles: it outlives its cause by 10 s
DRIVING = (Health.ACTIVE, Health.DEGRADED)


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """So many processes that do nothing as fast as they can, at normal priority.

    Also where this program, and with it the graph, runs at a higher one.
    """
    back = str(max(0, -os.getpriority(os.PRIO_PROCESS, 0)))
    command = ['nice', '-n', back, sys.executable, '-c', BUSY]
    started = [subprocess.Popen(command) for _ in range(loops)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def age_s(plan: PlannedTrajectory) -> float:
    """From the pictures' instant to publication, in the time of the graph."""
    return (ns(plan.published) - ns(plan.header.stamp)) / NS


class Starved(Listener):
    """Watches a graph that drives, before, beside and after the loops."""

    def __init__(self, context: object, graph: Graph) -> None:
        super().__init__(context)
        self.graph = graph

    def driving(self) -> bool:
        """Healthy and ACTIVE."""
        return bool(self.health) and self.health[-1].state == Health.ACTIVE

    def watch(self, seconds: float) -> dict[str, Any]:
        """What was seen in so many seconds of wall time."""
        self.health.clear()
        self.plans.clear()
        end_s = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end_s, seconds + 1.0)
        return figures(self.health, self.plans)

    def recovered(self) -> tuple[float | None, float | None]:
        """Seconds until it drives, and until it drives as before.

        Twice with a plan each and nothing said but ``PACE``; and ACTIVE, with nothing said at all.
        """
        begin_s, first = time.monotonic(), len(self.health)

        def after(allowed: set[str], states: tuple[int, ...]) -> float | None:
            def well() -> bool:
                last = [h for h in self.health[first:] if h.plan_id][-2:]
                good = [h.state in states and allowed.issuperset(h.faults) for h in last]
                return len(good) == 2 and all(good)

            return time.monotonic() - begin_s if self.until(well, PATIENCE_S) else None

        return after({PACE}, DRIVING), after(set(), (Health.ACTIVE,))


def figures(health: list[Health], plans: list[PlannedTrajectory]) -> dict[str, Any]:
    """Ages of the plans, states and faults of one stretch of time."""
    ages = np.array([age_s(plan) for plan in plans])
    states = [h.state for h in health]
    out: dict[str, Any] = {'plans': len(plans), 'decisions': len(health)}
    out['share_driving'] = round(float(np.isin(states, DRIVING).mean()), 3) if states else 0.0
    out['states'] = sorted(set(states))
    out['faults'] = sorted({fault for h in health for fault in h.faults})
    for name, share in (('median', 50), ('p99', 99), ('max', 100)):
        out[f'age_{name}_s'] = round(float(np.percentile(ages, share)), 3) if len(ages) else None
    return out


def held(found: dict[str, Any]) -> bool:
    """Whether plans beside the loops were young and few things were late after them."""
    beside, back_s = found['beside'], found['recovered_s']
    if beside['plans'] == 0 or back_s is None or Health.FAULT in beside['states']:
        return False
    young = beside['age_p99_s'] <= AGE_P99_S and beside['age_max_s'] <= AGE_MAX_S
    return bool(young and back_s <= RECOVERY_S)


def starve(
    watch: Starved, loops: int, seconds: float, say: Callable[[str], None]
) -> dict[str, Any]:
    """The figures before, beside and after ``loops`` busy loops of ``seconds``."""
    if not watch.until(watch.driving):
        return {'never_drove': watch.graph.log[-2000:], 'held': False}
    found: dict[str, Any] = {'before': watch.watch(QUIET_S)}
    with busy(loops):
        found['beside'] = watch.watch(seconds)
    found['driving_s'], found['recovered_s'] = watch.recovered()
    found['after'] = watch.watch(QUIET_S)
    for name, value in found.items():
        say(f'{name}: {value}')
    times = {key: found[key] and round(found[key], 2) for key in ('driving_s', 'recovered_s')}
    return {**found, **times, 'held': held(found)}
