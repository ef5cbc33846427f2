"""The feasibility loss names what no car could drive, and leaves alone what the expert drives."""

import math

import pytest

torch = pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from alpamayo_ros.profile import load_profile  # noqa: E402
from alpamayo_ros.simulation.scenario import load_scenario  # noqa: E402
from alpamayo_ros.simulation.worlds import expert  # noqa: E402
from alpamayo_ros.simulation.worlds.simulation import Simulation  # noqa: E402
from alpamayo_ros.training.feasibility import feasibility_terms, inside_limits  # noqa: E402

DT_S = 0.1


def plan(speeds, turn_rps=0.0):
    """A plan with these speeds and one yaw rate, (1, P, 3)."""
    heading = turn_rps * DT_S * torch.arange(1, len(speeds) + 1)
    step = torch.tensor(speeds) * DT_S
    x, y = (step * heading.cos()).cumsum(0), (step * heading.sin()).cumsum(0)
    return torch.stack([x, y, heading], -1)[None]


def broken(path, speed_mps):
    """Names of the terms that cost something."""
    terms = feasibility_terms(path, torch.tensor([speed_mps]), DT_S)
    return {name for name, value in terms.items() if float(value) > 1e-4}


@pytest.mark.parametrize(
    ('path', 'speed_mps', 'name'),
    [
        (plan([min(1.0 + 0.9 * k, 30.0) for k in range(60)]), 1.0, 'acceleration'),
        (plan([10.0] * 60, turn_rps=1.0), 10.0, 'lateral'),
        (plan([2.0] * 60, turn_rps=1.0), 2.0, 'curvature'),
        (plan([8.0 + 2 * math.sin(k / 2) for k in range(60)]), 8.0, 'jerk'),
        (plan([0.0] * 60), 8.0, 'stopping'),
    ],
)
def test_each_limit_has_a_term(path, speed_mps, name):
    assert name in broken(path, speed_mps)


def test_steady_driving_and_a_firm_stop_cost_nothing():
    assert broken(plan([8.0] * 60, turn_rps=0.2), 8.0) == set()
    assert broken(plan([max(8.0 - 0.3 * k, 0.0) for k in range(60)]), 8.0) == set()


def test_the_loss_pulls_an_impossible_stop_forwards():
    path = plan([0.0] * 60) + 1e-3
    path.requires_grad_()
    feasibility_terms(path, torch.tensor([8.0]), DT_S)['stopping'].backward()
    assert float(path.grad[0, -1, 0]) <= 0 and float(path.grad.abs().sum()) > 0


def test_what_the_expert_plans_costs_nothing_to_speak_of():
    sim, form = Simulation(load_scenario('winding_road'), 10001, False), load_profile('nano')
    terms = []
    for _ in range(20):
        made = torch.from_numpy(expert.plan(sim, form.trajectory))[None]
        speed = torch.tensor([sim.pose.speed_mps])
        terms.append(float(sum(feasibility_terms(made, speed, DT_S).values())))
        sim.step(*expert.control(sim))
    sim.close()
    assert max(terms) < 0.1


def test_a_plan_is_inside_the_limits_as_a_whole_or_not():
    jumping = plan([8.0] * 30 + [11.0] * 30)
    both = torch.cat([plan([8.0] * 60), jumping])
    assert inside_limits(both, torch.full((2,), 8.0), DT_S).tolist() == [True, False]
