"""Words that the plan does not wait for: the plan goes by older ones, new ones come after it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alpamayo_ros.faults import Fault
from alpamayo_ros.limits import load_limits
from alpamayo_ros.pipeline import propose
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.base import words_after
from alpamayo_ros.runtime.loader import open_runtime
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.runtime.process.child import WorkerSpec
from alpamayo_ros.runtime.process.worker import Worker
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.runtime.word_mode import CONCURRENT_S
from alpamayo_ros.simulation.drive.drive import Cycle, rollout
from alpamayo_ros.simulation.drive.planners import RuntimePlanner
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.types import Conditioning, PlannerInput
from alpamayo_ros.units import NS

pytestmark = pytest.mark.processes

PROFILE = load_profile('nano')
START_NS = 10 * NS
WAIT_S = 300.0


@pytest.fixture(scope='module')
def plain() -> StagedRuntime:
    return opened()


@pytest.fixture(scope='module')
def concurrent() -> StagedRuntime:
    return opened(words_concurrent=True)


def opened(**more: bool) -> StagedRuntime:
    runtime = open_runtime('onnx', PROFILE, **more)
    assert isinstance(runtime, StagedRuntime)
    return runtime


def asked(text: str = '', age_s: float = 0.1, white: bool = False) -> PlannerInput:
    """A cycle ``age_s`` after ``text`` was decoded from the same (or from inverted) pictures."""
    frames, given, _ = made_up_input(PROFILE)
    t0_ns = START_NS + round(age_s * NS)
    ego = replace(given.ego, t0_ns=t0_ns, speed_mps=given.ego.speed_mps + 3.0 * white)
    images = 255 - frames.images if white else frames.images
    later = Conditioning(ego, previous_text=text, previous_t0_ns=START_NS)
    return PlannerInput(t0_ns, replace(frames, images=images), later)


def others(plain: StagedRuntime) -> tuple[str, str]:
    """What it says of the pictures, and of the inverted ones: not the same."""
    texts = (propose(asked(), plain).text, propose(asked(white=True), plain).text)
    assert texts[0] != texts[1]
    return texts


def test_words_that_hold_are_this_cycles_own(
    plain: StagedRuntime, concurrent: StagedRuntime
) -> None:
    said, _ = others(plain)
    inputs = asked(said)
    ours, theirs = propose(inputs, concurrent), propose(inputs, plain)
    assert (ours.text, ours.text_t0_ns) == (said, inputs.t0_ns)
    assert words_after(concurrent) == ''
    np.testing.assert_array_equal(ours.candidates, theirs.candidates)


def test_other_words_come_after_the_plan_and_are_those_of_plain_decoding(
    plain: StagedRuntime, concurrent: StagedRuntime
) -> None:
    older, new = others(plain)
    inputs = asked(older, white=True)
    proposal = propose(inputs, concurrent)
    assert (proposal.text, proposal.text_t0_ns) == (older, START_NS)
    assert concurrent.decoded is not None and concurrent.decoded.passes == 1
    said = plain.say(plain.encode(inputs.frames), inputs.given, proposal.token_ids)
    kept = concurrent.reason(concurrent.encode(inputs.frames), inputs.given)
    np.testing.assert_array_equal(kept.condition.hidden, said.condition.hidden)
    assert words_after(concurrent) == new
    assert words_after(concurrent) == ''


@pytest.mark.parametrize('age_s', [0.0, -0.2, CONCURRENT_S])
def test_words_too_old_or_from_the_future_are_waited_for(
    plain: StagedRuntime, concurrent: StagedRuntime, age_s: float
) -> None:
    older, new = others(plain)
    inputs = asked(older, age_s, white=True)
    proposal = propose(inputs, concurrent)
    assert (proposal.text, proposal.text_t0_ns) == (new, inputs.t0_ns)
    assert words_after(concurrent) == ''


def test_a_reset_leaves_nothing_undone(plain: StagedRuntime, concurrent: StagedRuntime) -> None:
    propose(asked(others(plain)[0], white=True), concurrent)
    concurrent.reset()
    assert words_after(concurrent) == ''


@pytest.mark.parametrize('lockstep', [True, False])
def test_through_the_process_they_are_there_for_the_next_cycle(
    plain: StagedRuntime, lockstep: bool
) -> None:
    older, new = others(plain)
    guard_s = WAIT_S if lockstep else None
    worker = Worker(
        WorkerSpec(
            profile=PROFILE,
            limits=load_limits(),
            period_s=WAIT_S,
            startup_s=WAIT_S,
            kind='onnx',
            words_concurrent=True,
            guard_s=guard_s,
        )
    )
    worker.start()
    try:
        assert worker.wait_warm(WAIT_S)
        inputs = asked(older, white=True)
        assert worker.submit(inputs)
        proposal = worker.wait(WAIT_S)
        assert proposal is not None and proposal.text == older
        if lockstep:  # with the reply: no clock decides what the next cycle knows
            assert proposal.later == new
        else:  # they were sent before the second cycle was read, which knows the older ones only
            assert worker.submit(asked(older, 0.2, white=True))
            assert worker.wait(WAIT_S) is not None
        assert worker.words()[0] == new
    finally:
        worker.close()


@pytest.mark.parametrize(
    ('kind', 'more', 'words'),
    [
        ('scripted', {'words_concurrent': True}, 'words_concurrent is False for it'),
        ('onnx', {'words_concurrent': True, 'words_every_s': 0.3}, 'exclude each other'),
    ],
)
def test_what_cannot_be_is_refused(kind: str, more: dict[str, bool], words: str) -> None:
    found = open_runtime(kind, PROFILE, **more)
    assert isinstance(found, Fault) and words in str(found)


def test_in_a_drive_a_plan_never_goes_by_words_of_the_cycle_before_the_last(
    concurrent: StagedRuntime,
) -> None:
    scenario = load_scenario('stopped_car').model_copy(update={'duration_s': 5.0})
    cycles: list[Cycle] = []
    rollout(scenario, 3, RuntimePlanner(concurrent, PROFILE), watch=cycles.append)
    proposals = [cycle.proposal for cycle in cycles if cycle.proposal is not None]
    ages_s = {round((p.t0_ns - p.text_t0_ns) / NS, 3) for p in proposals}
    assert len(proposals) > 30
    assert ages_s == {0.0, 0.1}
