"""Rows F34, F36, F37 and F50 in a drive whose model is a process of its own, and really fails.

The matrix puts a failure's answer in the place of the model's; here the process raises, hangs,
dies or answers NaN, and what the worker says of it reaches the decision.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from invariants import Expected, Seen, violations
from matrix import scenario, watch

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import load_limits
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.process.child import WorkerSpec
from alpamayo_ros.runtime.process.worker import Worker
from alpamayo_ros.runtime.scripted import Script
from alpamayo_ros.safety.state import Mode
from alpamayo_ros.simulation.drive.drive import Drive
from alpamayo_ros.types import PlannerInput, Proposal

pytestmark = pytest.mark.processes

PATIENCE_S = 300.0
ABSENT_STEPS = 5  # of the drive, which waits then: its time is not the process's
BAD = 20  # the cycle that fails
AFTER = 15  # cycles after it; the next process would fail at BAD again
KILL_S = 10.0  # a hang; the test machine may be busy
NO_PLAN = frozenset({Code.MODEL_ERROR, Code.MODEL_ABSENT, Code.MODEL_LATE})


class Asked:
    """A planner that asks the worker, as the planner node does."""

    name, blind, manifest_sha256 = 'worker', True, ''

    def __init__(self, script: Script) -> None:
        self.profile = load_profile('nano')
        late = {'cycle_warn_periods': 1.0, 'cycle_drop_periods': 1.0, 'cycle_kill_periods': 1.0}
        limits = load_limits().model_copy(update=late)
        own = {'period_s': KILL_S, 'startup_s': PATIENCE_S, 'kind': 'scripted', 'script': script}
        self.worker = Worker(WorkerSpec(profile=self.profile, limits=limits, **own))
        self.answered = self.failed = 0  # cycles, and since when in a row
        self.t0_ns: list[int] = []  # of the cycles that failed
        self._absent = 0

    def begin(self, sim: object) -> None:
        del sim
        self.worker.start()
        assert self.worker.wait_warm(PATIENCE_S)

    def propose(self, inputs: PlannerInput) -> Proposal | Fault:
        if self._absent == ABSENT_STEPS:
            assert self.worker.wait_warm(PATIENCE_S)
        answer = None
        if self.worker.submit(inputs):
            answer = self.worker.wait(PATIENCE_S)
        if answer is not None:
            self.answered, self._absent = self.answered + 1, 0
            return answer
        self.t0_ns.append(inputs.t0_ns)
        self._absent = 0 if self.worker.state == 'warm' else self._absent + 1
        return (self.worker.faults() or [Fault(Code.MODEL_ABSENT)])[-1]


def driven(script: Script, answers: int) -> tuple[list[Seen], Asked]:
    """A drive until the process has answered so often."""
    planner = Asked(script)
    drive = Drive(scenario(''), 3, planner)
    seen: list[Seen] = []
    end_s = time.monotonic() + PATIENCE_S
    try:
        while planner.answered < answers and time.monotonic() < end_s:
            seen.append(watch(drive))
    finally:
        drive.close()
        planner.worker.close()
    return seen, planner


@pytest.mark.slow
@pytest.mark.parametrize(
    ('script', 'code', 'threshold_s'),
    [
        (Script(speed_mps=5.0, raise_from=BAD, raise_until=BAD + 3), Code.MODEL_FAILING, 0.3),
        (Script(speed_mps=5.0, hang_at=BAD), Code.MODEL_KILLED, 0.1),
        (Script(speed_mps=5.0, exit_at=BAD), Code.MODEL_ABSENT, 0.1),
    ],
    ids=['f34 raises', 'f36 hangs', 'f50 dies'],
)
def test_f34_f36_f50_a_process_that_fails_is_named_and_another_takes_over(
    script, code, threshold_s
):
    """I1 to I7 as of every row; the times are the drive's, which waits for the process."""
    seen, planner = driven(script, BAD + AFTER)
    at_s = {one.now_ns: one.at_s for one in seen}
    start_s, last_s = at_s[planner.t0_ns[0]], at_s[planner.t0_ns[-1]]
    expected = Expected(code, threshold_s, NO_PLAN, Mode.FALLBACK)
    assert violations(seen, expected, start_s, last_s + 0.1) == []
    assert planner.answered == BAD + AFTER and planner.worker.restarts == 1


def test_f37_candidates_of_a_process_that_are_nan_are_never_driven():
    seen, _ = driven(Script(speed_mps=5.0, nan_candidates=3), 16)
    assert Mode.ACTIVE in {one.mode for one in seen}
    plans = [one.plan for one in seen if one.plan is not None]
    assert len(plans) > 3
    assert all(np.isfinite(plan.trajectory.x_m).all() for plan in plans)
    every = Script(speed_mps=5.0, nan_candidates=load_profile('nano').candidates)
    seen, _ = driven(every, 16)
    assert Code.MODEL_NONFINITE in {code for one in seen for code in one.codes}
    assert not {one.mode for one in seen} & {Mode.ACTIVE, Mode.DEGRADED}
    assert not any(one.plan is not None for one in seen)
