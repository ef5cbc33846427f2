"""A manoeuvre is judged where it could be foreseen; people further aside need not be named."""

import math

import numpy as np
import pytest

from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.batch.drive_process import drive
from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.drive import facts
from alpamayo_ros.simulation.drive.drive import Options
from alpamayo_ros.simulation.drive.planners import StraightPlanner
from alpamayo_ros.simulation.driving_wish import read_prompt
from alpamayo_ros.simulation.scenario import RoadShape, Scenario, Start, Traffic, load_scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.types import PlannerInput, Proposal

STRAIGHT = Scenario(
    name='s', description='', duration_s=25, start=Start(arc_m=10, speed_mps=5), goal_m=110,
    road=RoadShape(straight=True), traffic=Traffic(oncoming=False),
)  # fmt: skip


# ---- what could be foreseen ---------------------------------------------------------------------
def test_the_stop_before_a_standing_car_can_be_foreseen() -> None:
    sim = open_world(load_scenario('stopped_car'), 0)
    try:
        sim.place(60.0, stopped_car_gap_m=20.0)
        assert facts.foreseen(sim, 0.0) == {'stop'}
        sim.place(60.0, stopped_car_gap_m=200.0)
        assert facts.foreseen(sim, 0.0) & {'stop', 'slow', 'wait'} == set()
    finally:
        sim.close()


def test_who_waits_at_a_red_light_does_not_foresee_that_it_turns_green() -> None:
    """The light changes within the 6 s: what is done then is neither true nor false now."""
    sim = open_world(load_scenario('signal_red_then_green'), 0)
    stood: list[tuple[set[str], float]] = []
    speeds = []
    try:
        for _ in range(400):
            if sim.done:
                break
            bend = float(np.abs(sim.truth().curvature_ahead_1pm).max())
            stood.append((facts.foreseen(sim, bend), sim.ego.speed_mps))
            speeds.append(sim.ego.speed_mps)
            sim.step(*expert.control(sim))
    finally:
        sim.close()
    waits = [k for k, (said, v) in enumerate(stood) if said == {'wait'} and v < 0.1]
    before = [k for k in waits if k + facts.HORIZON < len(speeds) and speeds[k + 30] > 0.8]
    assert before, 'the drive has no such instant'
    holds, unknown = facts.judged({'speed_up'}, stood[before[0]][0], 0.0)
    assert holds == set() and unknown == {'wait', 'speed_up'}


def test_a_passenger_who_asks_for_less_speed_changes_what_is_foreseen() -> None:
    sim = Simulation(STRAIGHT, 0, render=False)
    try:
        wish = read_prompt('it is foggy, slow down').wish
        usual = facts.foreseen(sim, 0.0)
        sim.ego.speed_mps  # noqa: B018 - a property: reading it moves nothing
        assert usual == facts.foreseen(sim, 0.0) == {'speed_up'}
        assert wish.speed_factor < 1.0 and facts.foreseen(sim, 0.0, wish) in (
            {'speed_up'},
            {'keep'},
        )
    finally:
        sim.close()


@pytest.mark.parametrize(
    ('done', 'expected', 'bend_1pm', 'holds', 'unknown'),
    [
        ({'slow'}, {'slow'}, 0.0, {'slow'}, set()),
        ({'keep'}, {'slow'}, 0.0, set(), {'keep', 'slow'}),
        ({'keep', 'left'}, {'keep'}, 0.0, {'keep'}, {'left'}),
        ({'keep'}, {'keep'}, 1 / 100, {'keep'}, set(facts.LANE_CHANGES)),
        ({'keep'}, {'keep'}, -1 / 100, {'keep'}, set(facts.LANE_CHANGES)),
    ],
)
def test_what_holds_and_what_nobody_can_say(done, expected, bend_1pm, holds, unknown) -> None:
    assert facts.judged(done, expected, bend_1pm) == (holds, unknown)


class Speaker(StraightPlanner):
    """Drives straight on at 5 m/s and says always the same."""

    name, said = 'speaker', ''

    def propose(self, inputs: PlannerInput) -> Proposal:
        return Proposal(inputs.t0_ns, super().propose(inputs).candidates, f'intent: {self.said}')


def manoeuvres(said: str, scenario: Scenario = STRAIGHT) -> list[int]:
    planner = Speaker(load_profile('nano'))
    planner.said = said
    found: list[int] = drive(Job(scenario, 1), planner, Options())['coc_facts_by']['manoeuvre']
    return found


def test_a_drive_counts_what_was_foreseen_and_done_and_what_was_neither() -> None:
    """The expert would speed up all the way; the car does at first, then it keeps its 5 m/s."""
    up, keep, stop = map(manoeuvres, ('speed up', 'keep speed', 'stop'))
    assert up[0] > 0 and up[1] == up[2] == 0, 'foreseen, so never false'
    assert keep[0] == 0 and keep[2] == up[0], 'nobody foresaw it, and speeding up is left unsaid'
    assert up[0] <= keep[1] < stop[1], 'it is false where the car speeds up, not where it is done'


# ---- people further aside -----------------------------------------------------------------------
def person(number: int, aside_m: float, sim: Simulation) -> Agent:
    line, heading, _ = sim.road.at(np.array([sim.arc_m + 20.0]))
    h = float(heading[0])
    x, y = line[0, 0] - aside_m * math.sin(h), line[0, 1] + aside_m * math.cos(h)
    return Agent(number, 'pedestrian', x, y, h, 0.0, 0.0, 0.5, 0.5, (0.5, 0.5, 0.5), False)


def test_who_stands_further_aside_may_be_named_where_he_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sim = Simulation(STRAIGHT, 0, render=False)
    people = [person(7, 2.0, sim), person(8, 5.0, sim), person(9, 12.0, sim)]
    try:
        monkeypatch.setattr(sim, 'agents', lambda: people)
        found = facts.people(sim)
        assert [(t.ids, t.due) for t in found] == [({7}, True), ({8}, False)]
        here = {'present'}
        for shown, seen, open_ in (
            ({7}, here, set()), ({7, 8}, here, set()), ({8}, set(), here),
        ):  # fmt: skip
            known = facts.known(found, shown)
            assert known.seen['pedestrian'] == seen
            assert known.hidden['pedestrian'] == open_, 'of him one may speak'
        aside = facts.known(found[1:], set())
        assert aside.seen['pedestrian'] == aside.hidden['pedestrian'] == set(), 'unseen is untrue'
    finally:
        sim.close()
