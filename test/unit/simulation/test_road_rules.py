"""Speed limits, wrong ways, stop lines, and whose fault a contact is."""

import math

import pytest

from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.drive.verdict import right, row
from alpamayo_ros.simulation.outcome import Outcome
from alpamayo_ros.simulation.road_rules import Rules
from alpamayo_ros.simulation.scenario import Scenario, load_scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.simulation import Simulation


def test_speeding_begins_half_a_metre_per_second_above_the_sign() -> None:
    rules = Rules()
    for speed, limit in ((8.0, 8.0), (8.4, 8.0), (20.0, None), (8.6, 8.0), (9.0, 8.0)):
        rules.note_speed(speed, limit, 0.1)
    assert rules.speeding_s == 0.2


def test_the_wrong_way_is_the_other_lane_or_backwards_while_moving() -> None:
    rules = Rules()
    for speed, offset, turned in ((5, 1.7, 0.0), (0.2, 3.0, 0.0), (0.2, 0.0, 3.1)):
        rules.note_way(speed, offset, 1.75, turned, 0.1)
    assert rules.wrong_way_s == 0.0
    rules.note_way(5, 1.8, 1.75, 0.0, 0.1)
    rules.note_way(5, 0.0, 1.75, 2.0, 0.1)
    rules.note_way(5, 3.3, 5.05, 0.0, 0.1)  # road works lead there
    rules.note_way(25, 3.3, math.inf, 0.0, 0.1)  # a motorway
    assert rules.wrong_way_s == 0.2


def test_a_stop_beyond_the_line_at_red_counts_once() -> None:
    rules = Rules()
    for speed, beyond in ((3, -2.0), (2, 0.5), (0.0, 1.0), (0.0, 1.0), (0.3, 1.1), (0.0, 1.2)):
        rules.note_line(speed, beyond)
    assert rules.stop_lines == 1
    rules.note_line(0.0, None)
    rules.note_line(0.0, -1.0)
    rules.note_line(0.0, 30.0)
    assert rules.stop_lines == 1
    rules.note_line(0.0, 2.0)
    assert rules.stop_lines == 2


class Beside(Simulation):
    """Somebody at a place in base_link, as if the traffic had put it there."""

    who: tuple[str, float, float, float] = ('car', 0.0, 0.0, 0.0)

    def _traffic_agents(self) -> list[Agent]:
        kind, x, y, turned = self.who
        p = self.pose
        c, s = math.cos(p.heading_rad), math.sin(p.heading_rad)
        place = (p.x_m + c * x - s * y, p.y_m + s * x + c * y, p.heading_rad + turned)
        size = (4.5, 1.8) if kind in ('car', 'van') else (0.5, 0.5)
        return [Agent(9, kind, *place, 3.0, 0.0, *size, (0.5, 0.5, 0.5), False)]


FRONT, SIDE, REAR = (5.0, 0.3, 0.0), (1.0, 1.1, 0.0), (-3.0, 0.2, 0.0)


@pytest.mark.parametrize(
    ('kind', 'place', 'speed_mps', 'at_fault'),
    [
        ('car', FRONT, 6.0, True),
        ('car', FRONT, 0.0, False),
        ('car', REAR, 6.0, False),
        ('pedestrian', (3.7, 0.0, 0.0), 6.0, True),
        ('pedestrian', (-0.8, 1.1, 0.0), 6.0, True),
        ('pedestrian', (-0.8, 1.1, 0.0), 0.0, False),
        ('cyclist', (-0.8, 1.1, 0.0), 6.0, True),
        ('debris_box', (0.0, 1.0, 0.0), 6.0, True),
        ('cone', (0.5, -1.0, 0.0), 6.0, True),
        ('barrier', (3.7, 0.5, 0.0), 6.0, True),
        ('barrier', (3.7, 0.5, 0.0), 0.0, False),
    ],
)
def test_who_is_at_fault(
    kind: str, place: tuple[float, float, float], speed_mps: float, at_fault: bool
) -> None:
    sim = Beside(load_scenario('winding_road'), 1, render=False)
    sim.who = (kind, *place)
    sim.reset_ego(30.0, speed_mps=speed_mps)
    sim.step(0.0, 0.0)
    assert sim.outcome.collisions == 1 and sim.outcome.contact == kind
    assert bool(sim.outcome.collisions_at_fault) is at_fault and sim.outcome.end == 'collision'


def test_a_drive_in_the_other_lane_and_too_fast_is_noted_step_by_step() -> None:
    signed = load_scenario('winding_road').model_copy(
        update={'speed_limit_mps': 5.0, 'traffic': load_scenario('leader_stops').traffic}
    )
    sim = Simulation(signed, 1, render=False)
    sim.reset_ego(30.0, 3.5, speed_mps=6.0)
    for _ in range(10):
        sim.step(math.atan(2.7 * float(sim.road.at(sim.arc_m)[2])), 0.0)
    rules = sim.outcome.rules
    assert rules.wrong_way_s == rules.speeding_s == 1.0 and sim.outcome.left_lane_m < 7
    sim.reset_ego(30.0, 0.0, speed_mps=5.0)
    assert sim.outcome.rules == Rules(), 'a new drive'


def test_the_expert_keeps_to_the_sign() -> None:
    signed = load_scenario('winding_road').model_copy(
        update={'speed_limit_mps': 5.0, 'duration_s': 15.0}
    )
    sim = Simulation(signed, 1, render=False)
    top = 0.0
    while not sim.done:
        sim.step(*expert.control(sim))
        top = max(top, sim.pose.speed_mps)
    assert 4.5 < top <= 5.05 and sim.outcome.rules.speeding_s == 0.0


def test_road_works_are_no_wrong_way_and_leave_no_lane() -> None:
    sim = Simulation(load_scenario('closed_other_lane_free'), 0, render=False)
    aside = 0.0
    while not sim.done:
        sim.step(*expert.control(sim))
        aside = max(aside, sim.road.locate(sim.pose.x_m, sim.pose.y_m, sim.arc_m)[1])
    out = sim.outcome
    assert aside > 3.0 and out.end == 'goal'
    assert out.rules.wrong_way_s == 0 and out.left_lane_m == math.inf
    assert out.offset_max_m < 0.6, 'measured against the way'


@pytest.mark.parametrize(
    ('figures', 'broken', 'expected'),
    [
        ({'end': 'goal'}, {}, True),
        ({'end': 'stopped'}, {}, True),
        ({'end': 'time'}, {}, True),
        ({'end': 'time', 'distance_m': 100.0}, {}, False),
        ({'end': 'collision', 'collisions': 1}, {}, False),
        ({'end': 'goal', 'red_lights': 1}, {}, False),
        ({'end': 'goal'}, {'stop_lines': 1}, False),
        ({'end': 'goal'}, {'wrong_way_s': 0.4}, False),
        ({'end': 'goal'}, {'speeding_s': 3.0}, True),
        ({'end': 'offroad', 'offroad_s': 0.1}, {}, False),
    ],
)
def test_the_suites_verdict(figures: dict, broken: dict, expected: bool) -> None:
    scenario: Scenario = load_scenario('leader_stops')
    outcome = Outcome('x', 0, **{'distance_m': 130.0, 'reachable_m': 140.0, **figures})
    outcome.rules = Rules(**broken)
    assert right(scenario, outcome, False) is expected
    written = row(scenario, outcome, False, (5, 1), 1.8)
    assert written.speeding_s == outcome.rules.speeding_s and written.right is expected
