"""The turn that was asked for: who makes it is not charged, and consensus decides among those."""

from dataclasses import replace

import numpy as np
import pytest
from drives import DT, LIMITS, SECOND, VEHICLE, K, P, ego, plan, truth
from loop import CONFIG

from alpamayo_ros.motion.cost import Weights, cost
from alpamayo_ros.motion.obedience import BEGUN_M, BEYOND_M, disobedience
from alpamayo_ros.motion.rollout import roll_out
from alpamayo_ros.motion.select import select
from alpamayo_ros.pipeline import SafetyState, Scene, decide
from alpamayo_ros.safety.state import Mode
from alpamayo_ros.types import Proposal

SPEED, AT_M = 7.0, 15.0
TIMES = np.arange(P) * DT


def ways(*radians: float, at_m: float = AT_M, speed: float = SPEED) -> np.ndarray:
    """Candidates that turn by so much, within 12 m from ``at_m`` on, at constant speed."""
    inside = (TIMES * speed >= at_m) & (TIMES * speed < at_m + 12.0)
    return np.stack([truth(speed, 0.0, turn / 12.0 * inside)[0] for turn in radians])


def charged(navigation: str, *radians: float, **how: float) -> list[float]:
    return disobedience(navigation, ways(*radians, **how)).round(3).tolist()


def chosen(raw: np.ndarray, navigation: str, weights: Weights | None = None) -> float:
    """Turn of the candidate that is chosen [rad]."""
    start = ego(SPEED)
    result = roll_out(raw, start, VEHICLE, LIMITS, 12.0, DT)
    given = (None, None, VEHICLE, LIMITS, weights or Weights(), navigation)
    costs = cost(result, start, *given)
    k = select(costs.total, np.ones(len(raw), bool), result.poses)
    return float(result.poses[k, -1, 2])


def test_what_each_instruction_charges():
    assert charged('turn left in 15 m', 1.5, 0.6, 0.0, -1.5) == [0.0, 0.0, 1.0, 2.0]
    assert charged('turn right in 15 m', 1.5, 0.6, 0.0, -1.5) == [2.0, 2.0, 1.0, 0.0]
    assert charged('go straight in 15 m', 1.5, 0.3, 0.0, -1.5) == [2.0, 0.0, 0.0, 2.0]
    assert charged('turn left in 15 m onto Elm Street', 1.5, 0.0) == [0.0, 1.0]


@pytest.mark.parametrize(
    'words',
    [
        '', 'follow the road', 'turn left', 'turn left now', 'stop in 15 m', 'take the exit',
        'merge left in 15 m', 'make a U-turn in 15 m', 'disregard the brake in 15 m', 'x' * 300,
    ],
)  # fmt: skip
def test_other_words_charge_nothing(words):
    assert disobedience(words, ways(1.5, 0.0)) is None


def test_who_does_not_get_there_is_not_charged():
    """Until 10 m past the place, nothing; from 15 m past it, all of it."""
    for past_m, share in (
        (-5.0, 0.0),
        (0.0, 0.0),
        (BEGUN_M, 0.0),
        (12.5, 0.5),
        (BEYOND_M, 1.0),
        (25.0, 1.0),
    ):
        way_m = SPEED * P * DT
        straight = ways(0.0)
        at_m = way_m - past_m
        assert disobedience(f'turn left in {at_m:.1f} m', straight)[0] == pytest.approx(
            share, abs=0.01
        )
    assert disobedience('turn left in 15 m', np.zeros((2, P, 3))).tolist() == [0.0, 0.0]


def test_a_bend_before_the_place_is_no_turn():
    assert charged('turn left in 25 m', 1.0, at_m=0.0)[0] == 1.0
    assert charged('go straight in 25 m', 1.0, at_m=0.0)[0] == 0.0


@pytest.mark.parametrize(('words', 'sign'), [('turn left', 1), ('turn right', -1)])
def test_three_that_obey_are_preferred_to_five_that_do_not(words, sign):
    raw = ways(1.40 * sign, 1.45 * sign, 1.50 * sign, 0.02, 0.01, 0.0, -0.01, -0.02)
    assert abs(chosen(raw, '')) < 0.1, 'without an instruction the majority is right'
    assert chosen(raw, f'{words} in 15 m') * sign > 1.2
    assert abs(chosen(raw, 'go straight in 15 m')) < 0.1


@pytest.mark.parametrize('words', ['turn left in 15 m', 'go straight in 15 m', 'follow the road'])
def test_consensus_decides_among_those_that_obey(words):
    turn = 0.0 if 'left' not in words else 1.4
    raw = ways(*(turn + np.array([-0.2, -0.1, 0.02, 0.1, 0.25])))
    assert chosen(raw, words) == chosen(raw, '')


def test_one_alone_is_an_outlier_still():
    raw = ways(1.5, *np.linspace(-0.02, 0.02, K - 1))
    assert abs(chosen(raw, 'turn left in 15 m')) < 0.1


def test_a_likely_collision_outweighs_every_instruction():
    most = Weights().navigation * 2.0
    assert most < Weights().collision * 0.1


@pytest.mark.parametrize('seed', range(3))
def test_the_choice_does_not_depend_on_the_order(seed):
    raw = ways(1.4, 1.45, 1.5, 0.02, 0.01, 0.0, -0.01, -0.02)
    order = np.random.default_rng(seed).permutation(K)
    assert chosen(raw, 'turn left in 15 m') == pytest.approx(
        chosen(raw[order], 'turn left in 15 m'), abs=1e-9
    )


def test_hysteresis_still_keeps_the_plan_being_driven_among_equals():
    """Two ways that both turn left: the one being driven goes on to be driven."""
    begun, turns = ego(SPEED, SECOND // 10, x=SPEED * DT), (1.1, 1.1, 1.6, 1.6)
    result = roll_out(ways(*turns, at_m=6.0 - SPEED * DT), begun, VEHICLE, LIMITS, 12.0, DT)
    for side in (0, 2):
        one = ways(turns[side], at_m=6.0)
        old = roll_out(one, ego(SPEED), VEHICLE, LIMITS, 12.0, DT).trajectory(0)
        previous = replace(plan(SPEED), trajectory=old)
        costs = cost(result, begun, previous, None, VEHICLE, LIMITS, Weights(), 'turn left in 5 m')
        assert select(costs.total, np.ones(4, bool), result.poses) // 2 == side // 2


def test_decide_takes_the_words_of_the_proposal():
    raw = ways(1.40, 1.45, 1.50, 0.02, 0.01, 0.0, -0.01, -0.02).astype(np.float32)
    ends = []
    for words in ('', 'turn left in 15 m'):
        start = ego(SPEED)
        proposal = Proposal(0, raw, '', navigation=words)
        decision = decide(
            proposal, Scene(start, start), SafetyState(Mode.ACTIVE), CONFIG, SECOND // 20
        )
        terms = decision.judgement.costs.terms
        assert ('navigation' in terms) == bool(words)
        assert ('navigation' in decision.judgement.costs.absent) == (not words)
        ends.append(decision.judgement.feasible.poses[decision.judgement.chosen, -1, 2])
    assert abs(ends[0]) < 0.1 and ends[1] > 1.2
