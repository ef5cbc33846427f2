"""Words are judged by what the pictures show: who is hidden is neither true nor false."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from alpamayo_ros.metrics.words import stated_intent
from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.batch.drive_process import drive
from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.drive import facts, visibility
from alpamayo_ros.simulation.drive.ablation import AblatedPlanner
from alpamayo_ros.simulation.drive.drive import Options
from alpamayo_ros.simulation.drive.planners import StraightPlanner
from alpamayo_ros.simulation.scenario import (
    Looks,
    RoadShape,
    Scenario,
    Start,
    Traffic,
    load_scenario,
)
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.training import annotate
from alpamayo_ros.types import PlannerInput, Proposal

FOG_1PM = 0.1
STANDS = {'present', 'standing'}


@contextmanager
def world(name: str, seed: int = 0, **looks: float) -> Iterator[Simulation]:
    scenario = load_scenario(name)
    changed = scenario.looks.model_copy(update=looks)
    sim = open_world(scenario.model_copy(update={'looks': changed}), seed)
    try:
        yield sim
    finally:
        sim.close()


def now(sim: Simulation) -> facts.Known:
    return visibility.known(sim, sim.truth(), sim.images())


def on_the_way(sim: Simulation, when: Callable[[], bool], steps: int) -> list[facts.Known]:
    """What is known at every other step that ``when`` picks, the expert at the wheel."""
    found = []
    for k in range(steps):
        if k % 2 == 0 and when():
            found.append(now(sim))
        sim.step(*expert.control(sim))
    return found


# ---- who is seen --------------------------------------------------------------------------------
@pytest.mark.parametrize('fog_1pm', [0.0, FOG_1PM])
def test_a_vehicle_is_truth_in_clear_view_and_not_in_dense_fog(fog_1pm: float) -> None:
    with world('stopped_car', fog_1pm=fog_1pm) as sim:
        sim.place(60.0, stopped_car_gap_m=35.0)
        seen, hidden = now(sim)
        assert (hidden if fog_1pm else seen)['lead'] == STANDS
        assert (seen if fog_1pm else hidden)['lead'] == set()
        sim.place(60.0, stopped_car_gap_m=56.0)
        assert now(sim).seen['lead'] == now(sim).hidden['lead'] == set(), 'too far for either'


def test_a_vehicle_behind_a_bend_is_no_truth_until_it_shows() -> None:
    with world('van_askew_behind_bend') as sim:
        found = on_the_way(sim, lambda: 30 < sim.truth().leader_gap_m < 52, 104)
        states = ['seen' if k.seen['lead'] else 'hidden' for k in found]
        assert all((k.seen['lead'] or k.hidden['lead']) == STANDS for k in found)
        assert states[0] == states[-1] == 'seen' and states.count('hidden') >= 3, states


def test_a_child_behind_a_truck_is_no_truth_until_it_shows() -> None:
    with world('child_behind_truck') as sim:
        found = on_the_way(sim, lambda: any(p.due for p in facts.people(sim)), 84)
        assert found[0].hidden['pedestrian'] == {'present', 'crossing'}
        assert found[0].seen['pedestrian'] == set() == found[-1].hidden['pedestrian']
        assert found[-1].seen['pedestrian'] == {'present', 'crossing'}


def test_pictures_of_the_way_ahead_show_it_and_others_do_not() -> None:
    with world('stopped_car') as sim:
        sim.place(60.0, stopped_car_gap_m=20.0)
        images = sim.images()
        front, rear = ({name: images[name]} for name in ('front', 'rear'))
        assert visibility.shown(sim, front, {1, 99}) == {1}
        assert visibility.shown(sim, rear, {1}) == visibility.shown(sim, {}, {1}) == frozenset()


def test_a_part_of_the_distances_is_that_part_of_them() -> None:
    with world('stopped_car') as sim:
        sim.place(60.0, stopped_car_gap_m=12.0)
        sim.images()
        for camera in ('front', 'rear'):
            whole = sim.distances(camera)
            part = sim.distances(camera, range(37, 121, 3), range(11, 222, 4))
            assert np.array_equal(part, whole[37:121:3, 11:222:4]) and np.ptp(part) > 10


def test_what_one_shows_and_another_hides_is_known_by_the_one() -> None:
    def person(number: int, *said: str) -> facts.Thing:
        return facts.Thing('pedestrian', frozenset(said), frozenset({number}))

    both = [person(1, 'present'), person(2, 'present', 'crossing')]
    assert facts.known(both, {1}).seen['pedestrian'] == {'present'}
    assert facts.known(both, {1}).hidden['pedestrian'] == {'crossing'}
    assert facts.known(both, {1, 2}).hidden == {'light': set(), 'lead': set(), 'pedestrian': set()}


# ---- how a drive counts it ----------------------------------------------------------------------
STANDING, SILENT, MOVING = (
    f'perception: road straight{vehicle}\nintent: keep speed'
    for vehicle in (', standing vehicle ahead at 30 m', '', ', moving vehicle ahead at 30 m')
)


class Onlooker(StraightPlanner):
    """Is shown pictures and says one thing after the other."""

    name, blind = 'onlooker', False
    texts: tuple[str, ...] = (SILENT,)
    said = 0

    def propose(self, inputs: PlannerInput) -> Proposal:
        self.said += 1
        return replace(super().propose(inputs), text=self.texts[self.said % len(self.texts)])


def lead_counts(fog_1pm: float, *texts: str, ablated: bool = False) -> tuple[list[int], int]:
    """Claims about a standing car against the truth, and how often each text was said."""
    scenario = Scenario(
        name='s', description='', duration_s=1.0, start=Start(arc_m=10), goal_m=5,
        road=RoadShape(straight=True), looks=Looks(fog_1pm=fog_1pm),
        traffic=Traffic(oncoming=False, stopped_car_probability=1.0, stopped_car_arc_m=52),
    )  # fmt: skip
    planner = Onlooker(load_profile('nano'))
    planner.texts = texts
    shown = AblatedPlanner(planner, 'cameras=black') if ablated else planner
    found: list[int] = drive(Job(scenario, 1), shown, Options())['coc_facts_by']['lead']
    return found, planner.said // len(texts)


def test_in_clear_view_claims_and_silence_count() -> None:
    found, n = lead_counts(0.0, STANDING)
    assert n >= 3 and found == [2 * n, 0, 0]


def test_naming_what_fog_hides_and_being_silent_of_it_cost_nothing_and_a_lie_does() -> None:
    assert lead_counts(FOG_1PM, STANDING, SILENT)[0] == [0, 0, 0]
    found, n = lead_counts(FOG_1PM, MOVING)
    assert n >= 3 and found == [0, n, 0], 'a vehicle is there, and it stands'


def test_a_model_whose_pictures_are_blackened_is_held_against_those_as_rendered() -> None:
    found, n = lead_counts(0.0, SILENT, ablated=True)
    assert n >= 3 and found == [0, 0, 2 * n]


# ---- one home for thresholds --------------------------------------------------------------------
@pytest.mark.parametrize('now_mps', [0.0, 0.45, 0.55, 6.0])
@pytest.mark.parametrize('change_mps', [-1.05, -0.85, -0.75, 0.0, 0.75, 0.85, 1.05])
@pytest.mark.parametrize('end_mps', [0.0, 0.35, 0.45, 0.55, 6.0])
def test_a_change_of_speed_is_called_the_same_by_truth_and_annotator(
    now_mps: float, change_mps: float, end_mps: float
) -> None:
    speeds = np.full(61, end_mps)
    speeds[0], speeds[1:40] = now_mps, max(now_mps + change_mps, 0.0)
    said = annotate.speed_intent(now_mps, speeds[1:])
    done = facts.manoeuvre(np.zeros((61, 3)), speeds, 0.1, '', 0.0)
    assert stated_intent(f'intent: {said}') == done
