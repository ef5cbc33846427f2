"""The chosen path against the words beside it: flagged, and degrading only on request."""

import math
from dataclasses import replace

import numpy as np
import pytest
from drives import SECOND, ego, noisy, truth
from loop import CONFIG, Loop

from alpamayo_ros.faults import Code, Reaction, Severity
from alpamayo_ros.metrics.agreement import agreement, fits
from alpamayo_ros.pipeline import SafetyState, Scene, decide
from alpamayo_ros.safety.state import Mode
from alpamayo_ros.types import Proposal

FASTER, SLOWER, STEADY, STOPS = (5.0, 1.0), (8.0, -1.0), (6.0, 0.0), (5.0, -1.5)
STANDS, LEFT, RIGHT = (0.0, 0.0), (6.0, 0.0, 0.03), (6.0, 0.0, -0.03)
V2 = 'counterfactual: without the light I would stop\n'


def decided(intent: str, path: tuple[float, ...], config=CONFIG, mode: Mode = Mode.ACTIVE):
    """The decision about one proposal that says ``intent`` and drives ``path``."""
    start = ego(path[0], curvature=path[2] if len(path) > 2 else 0.0)
    text = f'perception: a road\nintent: {intent}\n{V2}'
    proposal = Proposal(0, noisy(truth(*path)[0], 0.0), text)
    return decide(proposal, Scene(start, start), SafetyState(mode), config, SECOND // 20)


def found(decision):
    return [f for f in decision.faults if f.code is Code.COC_DISAGREES]


DENIED = [
    ('slow down', FASTER), ('stop for the light', FASTER), ('speed up', SLOWER),
    ('keep speed', STOPS), ('wait', FASTER), ('turn left', RIGHT), ('turn right', LEFT),
    ('change to the left lane', RIGHT), ('slow down and turn left', RIGHT),
    ('keep speed and turn right', LEFT),
]  # fmt: skip
FITTING = [
    ('slow down', SLOWER), ('stop', STOPS), ('speed up', FASTER), ('keep speed', STEADY),
    ('wait', STANDS), ('turn left', LEFT), ('turn right', RIGHT), ('turn left', STEADY),
    ('stop', STEADY), ('speed up', STEADY), ('do not turn left', RIGHT), ('never stop', FASTER),
    ('follow the road', FASTER), ('', FASTER), ('keep speed', SLOWER),
]  # fmt: skip


@pytest.mark.parametrize(('intent', 'path'), DENIED)
def test_the_opposite_of_what_is_announced_is_flagged(intent, path):
    decision = decided(intent, path)
    (fault,) = found(decision)
    assert decision.plan is not None and fault in decision.health.faults
    assert fault.code.severity is Severity.WARN and fault.reaction is Reaction.NOTE
    assert repr(intent) in fault.message and 'the plan does' in fault.message


@pytest.mark.parametrize(('intent', 'path'), FITTING)
def test_what_fits_or_is_left_open_is_not(intent, path):
    decision = decided(intent, path)
    assert decision.plan is not None and not found(decision)


@pytest.mark.parametrize(('intent', 'path'), DENIED + FITTING)
def test_the_figure_of_the_offline_score_is_the_same(intent, path):
    """The value is the plan's ``agreement``, and a flag is a 0 among what that averages."""
    decision = decided(intent, path)
    t = decision.plan.trajectory
    poses = np.stack([t.x_m, t.y_m, t.heading_rad], axis=1)
    read = (decision.judgement.proposal.text, poses, path[0], t.dt_s)
    assert bool(found(decision)) == (0.0 in fits(*read).values())
    for fault in found(decision):
        assert fault.values['agreement'] == agreement(*read)


def test_it_does_not_degrade_unless_asked_to():
    intent, path = DENIED[0]
    asked = replace(CONFIG, coc_degrades=True)
    noted, degraded = decided(intent, path), decided(intent, path, asked)
    assert noted.state.mode is Mode.ACTIVE and degraded.state.mode is Mode.DEGRADED
    assert 'COC_DISAGREES' in degraded.state.reason and degraded.plan is not None
    assert decided(*FITTING[0], asked).state.mode is Mode.ACTIVE


@pytest.mark.parametrize('mode', [Mode.INIT, Mode.READY])
def test_nobody_drives_those_words_yet(mode):
    """Before arming only inputs count, also where words may degrade."""
    config = replace(CONFIG, coc_degrades=True, auto_arm=False)
    decision = decided(*DENIED[0], config, mode)
    assert decision.plan is None and decision.state.clear_since_ns is not None
    assert decision.state.mode is mode


def test_a_degraded_drive_is_active_again_when_words_and_path_fit():
    loop = Loop(speed=6.0, config=replace(CONFIG, coc_degrades=True))
    loop.run(8)
    loop.state = replace(loop.state, mode=Mode.DEGRADED)
    assert loop.run(12).state.mode is Mode.ACTIVE


def test_no_path_no_disagreement():
    start = ego(6.0)
    nothing = np.full((8, 60, 3), math.nan, np.float32)
    proposal = Proposal(0, nothing, 'intent: slow down')
    decision = decide(
        proposal, Scene(start, start), SafetyState(Mode.ACTIVE), CONFIG, SECOND // 20
    )
    assert not found(decision)
