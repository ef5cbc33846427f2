"""The annotator says what a person would, and every text it can write is in the grammar."""

import numpy as np
import pytest
from first_grammar import first_grammar

from alpamayo_ros.training.annotate import Facts, annotate, plan_speeds

GRAMMAR = first_grammar()


def plan(start: float, end: float) -> np.ndarray:
    x = np.cumsum(np.linspace(start, end, 60) * 0.1)
    return np.stack([x, np.zeros(60), np.zeros(60)], 1).astype(np.float32)


def facts(**changes: object) -> Facts:
    base = {
        'speed_mps': 8.0,
        'lane_offset_m': 0.0,
        'curvature_ahead_1pm': np.zeros(4),
        'gap_m': np.inf,
        'leader_speed_mps': 0.0,
        'leader_acceleration_mps2': 0.0,
    }
    return Facts(**(base | changes))


@pytest.mark.parametrize(
    ('known', 'path', 'slot', 'phrase'),
    [
        (facts(), plan(8, 8), 'vehicle', ', no vehicle ahead'),
        (facts(), plan(8, 8), 'speed', 'keep speed'),
        (facts(gap_m=21.0), plan(8, 0), 'gap', ' at 20 m'),
        (facts(gap_m=21.0), plan(8, 0), 'speed', 'stop'),
        (facts(gap_m=21.0), plan(8, 0), 'rationale', 'there is no room to drive on'),
        (facts(speed_mps=0.0, gap_m=5.0), plan(0, 0), 'speed', 'wait'),
        (facts(speed_mps=0.0), plan(0, 5), 'speed', 'speed up'),
        (
            facts(gap_m=15.0, leader_speed_mps=6.0, leader_acceleration_mps2=-2.0),
            plan(8, 5),
            'vehicle',
            ', braking vehicle ahead',
        ),
        (facts(gap_m=15.0, leader_speed_mps=6.0), plan(8, 5), 'situation', 'closing on a vehicle'),
        (facts(lane_offset_m=0.8), plan(8, 8), 'lane', ' and steer back to the centre'),
        (
            facts(curvature_ahead_1pm=np.array([0.0, 0.02, 0.0, 0.0])),
            plan(8, 8),
            'road',
            'road bends left',
        ),
        (
            facts(curvature_ahead_1pm=np.array([0.0, -0.04, 0.0, 0.0])),
            plan(8, 8),
            'road',
            'road bends sharply right',
        ),
    ],
)
def test_words(known: Facts, path: np.ndarray, slot: str, phrase: str) -> None:
    assert annotate(known, path, 0.1)[slot] == phrase


def test_every_annotation_is_in_the_grammar() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        known = facts(
            speed_mps=float(rng.uniform(0, 10)),
            lane_offset_m=float(rng.normal()),
            gap_m=float(rng.uniform(0, 90)),
            curvature_ahead_1pm=rng.normal(0, 0.02, 4),
            leader_speed_mps=float(rng.uniform(0, 9) * (rng.random() > 0.3)),
            leader_acceleration_mps2=float(rng.normal()),
        )
        ids = GRAMMAR.encode(annotate(known, plan(known.speed_mps, rng.uniform(0, 10)), 0.1))
        assert GRAMMAR.parse(GRAMMAR.text(ids)) == ids


def test_plan_speeds() -> None:
    np.testing.assert_allclose(plan_speeds(plan(4, 4), 0.1), 4.0, rtol=1e-5)
