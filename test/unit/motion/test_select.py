"""Costs and choice: the medoid without objects, away from collisions, the same in any order."""

import numpy as np
import pytest
from drives import DT, LIMITS, SECOND, VEHICLE, K, P, ego, noisy, plan, truth

from alpamayo_ros.motion.cost import Weights, collision_probability, consensus, cost, spread
from alpamayo_ros.motion.rollout import roll_out
from alpamayo_ros.motion.select import select
from alpamayo_ros.types import TrackedObject

WEIGHTS = Weights()


def swerves(ends, speed=8.0, t0_ns=0):
    """Candidates that drift sideways to the given offsets at the end of the horizon."""
    poses, _ = truth(speed)
    raw = np.repeat(poses[None], len(ends), axis=0)
    raw[:, :, 1] += np.array(ends)[:, None] * np.linspace(0, 1, P) ** 2
    start = ego(speed, t0_ns, x=speed * t0_ns / SECOND)
    return roll_out(raw, start, VEHICLE, LIMITS, 10.0, DT), start


def box(x, y, speed=0.0, heading=0.0, length=4.5, width=1.8, stamp=0):
    return TrackedObject(1, 'car', stamp, float(x), float(y), heading, speed, length, width)


def test_medoid_is_chosen_without_objects():
    rollout, start = swerves([-2.0, -0.5, 0.0, 0.4, 3.0])
    costs = cost(rollout, start, None, None, VEHICLE, LIMITS, WEIGHTS)
    assert select(costs.total, np.ones(5, bool), rollout.poses) == 2
    assert np.argmin(consensus(rollout.poses)) == 2


def test_absent_terms_are_named():
    rollout, start = swerves([0.0, 1.0])
    costs = cost(rollout, start, None, None, VEHICLE, LIMITS, WEIGHTS)
    assert set(costs.absent) == {'navigation', 'change', 'collision'} and costs.collision is None
    costs = cost(rollout, start, plan(8.0, t0_ns=-1), (), VEHICLE, LIMITS, WEIGHTS)
    assert costs.absent == ('navigation',) and not costs.collision.any()


def test_terms_add_up():
    rollout, start = swerves([0.0, 1.0, 2.0])
    costs = cost(rollout, start, plan(8.0, t0_ns=-1), (box(30, 0),), VEHICLE, LIMITS, WEIGHTS)
    np.testing.assert_allclose(sum(costs.terms.values()), costs.total)


def test_a_stopped_car_outweighs_consensus():
    """Three candidates hit the stopped car, one passes it with two metres to spare."""
    rollout, start = swerves([0.0, 0.1, -0.1, 9.0])
    costs = cost(rollout, start, None, (box(35.0, 0.0),), VEHICLE, LIMITS, WEIGHTS)
    assert select(costs.total, np.ones(4, bool), rollout.poses) == 3
    assert costs.collision[0] > 0.5 > costs.collision[3]


@pytest.mark.parametrize(
    ('obj', 'likely'),
    [
        (box(20, 0), True),
        (box(20, 3.5), False),
        (box(20, 0, speed=8.0), False),  # it drives as fast as we do
        (box(60, 0, speed=8.0, heading=np.pi), True),  # head-on
        (box(24, -24, speed=8.0, heading=np.pi / 2), True),  # crosses us at 3 s
        (box(24, -24, speed=2.0, heading=np.pi / 2), False),  # far from there by then
        (box(-10, 0), False),
        (box(0, 0, speed=8.0, stamp=-3 * SECOND), False),  # seen 3 s ago, now 24 m ahead
        (box(24, 2.4, heading=np.pi / 2), True),  # parked across: its rear reaches into the lane
    ],
)
def test_collision_probability(obj, likely):
    rollout, _ = swerves([0.0])
    p = collision_probability(rollout, (obj,), VEHICLE)[0]
    assert 0 <= p <= 1
    assert (p > 0.4) if likely else (p < 0.3)


def test_hysteresis_keeps_the_way_being_driven():
    """Two equal groups, left and right of a pillar; the plan being driven goes left."""
    ends = [4.0, 4.1, 4.2, -4.0, -4.1, -4.2]
    for side in (1, -1):
        old, _ = swerves([side * 4.1])
        previous = plan(8.0)
        previous = type(previous)(1, 0, ego(8.0), old.trajectory(0), SECOND // 2, 'model', 10.0)
        rollout, start = swerves(ends, t0_ns=SECOND // 10)
        costs = cost(rollout, start, previous, None, VEHICLE, LIMITS, WEIGHTS)
        chosen = select(costs.total, np.ones(6, bool), rollout.poses)
        assert np.sign(rollout.poses[chosen, -1, 1]) == side


@pytest.mark.parametrize('seed', range(5))
def test_order_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    raw = noisy(truth(8.0)[0], 0.05, seed)
    order = rng.permutation(K)
    previous, objects = plan(8.0, t0_ns=-SECOND // 10, x=-0.8), (box(30.0, 1.0),)

    def chosen_path(candidates):
        r = roll_out(candidates, ego(8.0), VEHICLE, LIMITS, 10.0, DT)
        c = cost(r, ego(8.0), previous, objects, VEHICLE, LIMITS, WEIGHTS)
        return r.poses[select(c.total, np.ones(K, bool), r.poses)]

    np.testing.assert_allclose(chosen_path(raw), chosen_path(raw[order]), atol=1e-9)


def test_ties_go_to_the_same_path_in_any_order():
    poses = np.zeros((3, P, 3))
    poses[:, -1, 1] = [2.0, 1.0, 3.0]
    costs, allowed = np.zeros(3), np.ones(3, bool)
    first = poses[select(costs, allowed, poses)]
    again = poses[::-1][select(costs, allowed, poses[::-1])]
    assert first[-1, 1] == again[-1, 1] == 1.0


def test_nothing_allowed_is_nothing_chosen():
    poses = np.zeros((2, P, 3))
    assert select(np.zeros(2), np.zeros(2, bool), poses) is None
    assert select(np.full(2, np.nan), np.ones(2, bool), poses) is None
    assert select(np.zeros(2), np.ones(2, bool), poses * np.nan) is None


def test_spread_is_the_standard_deviation_of_the_ends():
    raw = np.zeros((4, P, 3), np.float32)
    raw[:, -1, 0] = [-3, 3, -3, 3]
    raw[:, -1, 1] = [-4, -4, 4, 4]
    assert spread(raw) == pytest.approx(5.0)
    assert np.isnan(spread(raw[:0]))
