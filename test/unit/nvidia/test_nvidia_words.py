"""Words to and from a released model, and the speed at t0 from poses."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.faults import Code
from alpamayo_ros.runtime.nvidia.start_speed import disagreement, start_speed
from alpamayo_ros.runtime.nvidia.words import instruction_words, parts
from alpamayo_ros.sensing.navigation import Maneuver, NavInstruction, canonical

SHOWN = re.compile(r"|Continue straight|Turn (left|right)( onto [\w .'’/-]+)?( in \d+m)?")
DRAWS = 1000


def test_every_instruction_has_words_the_checkpoint_was_shown_or_none():
    told = set()
    distances = (math.nan, 0.0, 4.0, 42.0, 333.0, 4000.0)
    for m, far, street in itertools.product(Maneuver, distances, ('', 'Elm Street')):
        words, fault = canonical(NavInstruction(m, far, street))
        assert fault is None
        asked = instruction_words(words)
        assert SHOWN.fullmatch(asked)
        assert bool(asked) == (m in (Maneuver.LEFT, Maneuver.RIGHT, Maneuver.STRAIGHT))
        told.add(asked)
    assert 'Turn right onto Elm Street in 40m' in told and 'Turn left in 0m' in told


@pytest.mark.parametrize(
    ('said', 'intent'),
    [
        ('Slow down because the lead car brakes.', 'Slow down'),
        ('Nudge left to avoid the parked van, since it blocks the lane.', 'Nudge left'),
        ('Keep lane, as the road is clear', 'Keep lane'),
        ('Continue to the left lane', 'Continue to the left lane'),
        (' because ', 'because'),
    ],
)
def test_a_sentence_is_parted_where_its_reason_begins(said, intent):
    assert parts(said) == f'rationale: {" ".join(said.split())}\nintent: {intent}'


@given(st.text(max_size=80))
def test_no_word_is_added(said):
    text = parts(said)
    if not said.split():
        assert text == ''
        return
    rationale, _, intent = text.partition('\nintent: ')
    whole = ' '.join(said.split())
    assert rationale == f'rationale: {whole}'
    assert intent and whole.startswith(intent)


def straight(speed_mps: float, noise_m: float, draw: np.random.Generator) -> np.ndarray:
    poses = np.zeros((16, 3))
    poses[:, 0] = -0.1 * speed_mps * np.arange(16)
    poses[:, :2] += draw.normal(0.0, noise_m, (16, 2)) if noise_m else 0.0
    poses[:, :2] -= poses[0, :2]  # that at t0 is as noisy, and is the origin
    return poses


@pytest.mark.parametrize('speed_mps', [0.0, 1.0, 8.0, 20.0])
def test_the_speed_of_a_straight_drive_is_found(speed_mps):
    poses = straight(speed_mps, 0.0, np.random.default_rng(0))
    assert start_speed(poses, 0.1) == pytest.approx(speed_mps, abs=0.02)


def noted(speed_mps: float, noise_m: float) -> float:
    """Share of draws in which the two speeds are said to differ."""
    draw = np.random.default_rng(1)
    found = [
        disagreement(start_speed(straight(speed_mps, noise_m, draw), 0.1), speed_mps)
        for _ in range(DRAWS)
    ]
    return sum(fault is not None for fault in found) / DRAWS


@pytest.mark.parametrize('speed_mps', [0.0, 8.0, 20.0])
def test_two_millimetres_of_noise_are_not_noted(speed_mps):
    assert noted(speed_mps, 0.002) <= 0.05


@pytest.mark.parametrize(('speed_mps', 'least'), [(0.0, 0.65), (8.0, 0.30)])
def test_twenty_millimetres_are(speed_mps, least):
    assert noted(speed_mps, 0.020) >= least


def test_what_is_noted_says_both_speeds():
    fault = disagreement(8.5, 8.0)
    assert fault is not None and fault.code is Code.ODOM_SPEED_WARN
    assert fault.values == {'poses_mps': 8.5, 'odometry_mps': 8.0, 'limit_mps': 0.4}
    assert disagreement(8.39, 8.0) is None and disagreement(math.nan, 8.0) is not None
