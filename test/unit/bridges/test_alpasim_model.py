"""The model of the egodriver: what a person at its terminal reads when it dies and comes back."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace

import pytest

from alpamayo_ros.bridges.alpasim.model import ModelProcess
from alpamayo_ros.faults import Code
from alpamayo_ros.limits import load_limits
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.runtime.process.child import WorkerSpec
from alpamayo_ros.types import PlannerInput

pytestmark = pytest.mark.processes

PATIENCE_S = 300.0
PROFILE = load_profile('nano')


def inputs(t0_ns: int) -> PlannerInput:
    frames, given, _ = made_up_input(PROFILE)
    return PlannerInput(t0_ns, replace(frames, t0_ns=t0_ns), given, 3)


def test_a_model_that_dies_is_said_once_and_so_is_its_return():
    """It was said by the faults of each reply alone, which AlpaSim keeps to itself."""
    said: list[str] = []
    spec = WorkerSpec(
        profile=PROFILE,
        limits=load_limits(),
        period_s=20.0,
        startup_s=PATIENCE_S,
        kind='scripted',
    )
    model = ModelProcess(spec, said.append)
    try:
        assert model.wait() is None
        assert model.ask(inputs(1))[0] is not None and said == []
        os.kill(model._worker.pid, signal.SIGKILL)
        proposal, faults = model.ask(inputs(2))
        assert proposal is None and {fault.code for fault in faults} == {Code.MODEL_ABSENT}
        assert len(said) == 1 and said[0].startswith('no plan from the model: MODEL_ABSENT')
        end = time.monotonic() + PATIENCE_S
        while model.ask(inputs(9))[0] is None and time.monotonic() < end:
            time.sleep(0.05)
        assert said[1:] == ['the model plans again']
    finally:
        model.close()
