"""Closed-loop drives: the real data path, determinism, verdicts, ablations, latency, fallback."""

import hashlib
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.safety.state import Mode
from alpamayo_ros.simulation.drive.ablation import AblatedPlanner
from alpamayo_ros.simulation.drive.drive import Cycle, Drive, Options, rollout
from alpamayo_ros.simulation.drive.planners import (
    ExpertPlanner,
    RuntimePlanner,
    StraightPlanner,
    open_planner,
)
from alpamayo_ros.simulation.drive.verdict import right
from alpamayo_ros.simulation.outcome import Outcome
from alpamayo_ros.simulation.scenario import Scenario, load_scenario
from alpamayo_ros.types import PlannerInput, Proposal

PROFILE = load_profile('nano')


class Seeing(StraightPlanner):
    """Drives straight on, but has the pictures drawn, and remembers what it was shown."""

    blind = False

    def __init__(self) -> None:
        super().__init__(PROFILE)
        self.seen: list[PlannerInput] = []

    def propose(self, inputs: PlannerInput) -> Proposal:
        self.seen.append(inputs)
        return super().propose(inputs)


class Broken(ExpertPlanner):
    """The expert, whose candidates are all NaN between two instants."""

    def __init__(self, from_s: float, until_s: float) -> None:
        super().__init__(PROFILE)
        self.from_ns, self.until_ns = int(from_s * 1e9), int(until_s * 1e9)

    def propose(self, inputs: PlannerInput) -> Proposal:
        proposal = super().propose(inputs)
        if not self.from_ns <= inputs.t0_ns < self.until_ns:
            return proposal
        return replace(proposal, candidates=np.full_like(proposal.candidates, np.nan))


def short(name: str, duration_s: float) -> Scenario:
    return load_scenario(name).model_copy(update={'duration_s': duration_s})


def cycles(name: str, seed: int, planner, duration_s: float, **options) -> list[Cycle]:
    found: list[Cycle] = []
    rollout(short(name, duration_s), seed, planner, Options(**options), found.append)
    return found


@pytest.mark.parametrize(
    ('name', 'seed', 'less'),
    [
        ('winding_road', 2, {'goal_m': 60.0}),
        ('stopped_car', 17, {}),
        ('slowing_leader', 2, {'duration_s': 15.0}),
    ],
)
def test_the_expert_is_right_through_the_whole_path(name: str, seed: int, less: dict) -> None:
    scenario = load_scenario(name).model_copy(update=less)
    row = rollout(scenario, seed, ExpertPlanner(PROFILE))
    assert row.right and row.score == 1.0 and row.fallback_plans == 0
    assert row.mean_offset_m < 0.15 and row.first_plan_s == pytest.approx(1.8, abs=0.31)


def test_the_ego_stands_with_the_brake_on_until_the_first_plan() -> None:
    found = cycles('winding_road', 1, ExpertPlanner(PROFILE), 4.0)
    first = next(i for i, c in enumerate(found) if c.decision.plan is not None)
    assert 8 < first < 25
    assert all(c.ego.speed_mps == 0.0 and c.command[1] < 0 for c in found[:first])
    missing = [c.inputs for c in found[:7]]
    assert all(isinstance(f, Fault) and f.code is Code.FRAME_HISTORY for f in missing)
    assert found[-1].ego.speed_mps > 1.0


def test_two_drives_of_a_seed_give_the_same_bytes() -> None:
    digests = []
    for _ in range(2):
        planner = Seeing()
        found = cycles('winding_road', 5, planner, 2.4)
        total = hashlib.sha256()
        for inputs in planner.seen:
            total.update(inputs.frames.images.tobytes() + inputs.given.ego.poses.tobytes())
        for cycle in found:
            total.update(repr(cycle.command).encode())
        digests.append(total.hexdigest())
    assert digests[0] == digests[1]


def test_the_model_sees_pictures_with_true_ages_and_motion_at_the_profiles_spacing() -> None:
    planner = Seeing()
    cycles('winding_road', 5, planner, 4.0)
    last = planner.seen[-1]
    assert last.frames.age_s[:, 0].tolist() == pytest.approx([0.0, 0.3, 0.5, 0.8])
    assert last.frames.images.std() > 10 and last.frames.valid.all() and last.given.ego.valid.all()
    assert not (last.frames.images[0] == last.frames.images[1]).all()
    step = np.hypot(*(last.given.ego.poses[0, :2] - last.given.ego.poses[1, :2]))
    assert step == pytest.approx(
        0.1 * (last.given.ego.speed_mps[0] + last.given.ego.speed_mps[1]) / 2, abs=0.01
    )
    assert last.given.navigation == 'follow the road'


def test_objects_are_the_truth_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from alpamayo_ros.simulation.drive import drive as module

    given = []
    real = module.decide

    def spy(proposal, scene, *rest):
        given.append(scene.objects)
        return real(proposal, scene, *rest)

    monkeypatch.setattr(module, 'decide', spy)
    cycles('slowing_leader', 0, ExpertPlanner(PROFILE), 2.0)
    assert set(given) == {None}
    given.clear()
    cycles('slowing_leader', 0, ExpertPlanner(PROFILE), 2.0, objects='truth')
    assert given[-1] is not None and len(given[-1]) >= 1


def test_a_refused_plan_makes_it_track_the_stop_and_drive_on_afterwards() -> None:
    found = cycles('winding_road', 1, Broken(5.0, 9.0), 13.0)
    by_time = {round(c.now_ns / 1e9, 1): c for c in found}
    before, late, end = by_time[4.9], by_time[8.9], found[-1]
    assert before.decision.state.mode is Mode.ACTIVE and before.ego.speed_mps > 3
    assert late.decision.state.mode is Mode.FALLBACK
    assert late.decision.plan is not None and late.decision.plan.source == 'fallback'
    top = max(c.ego.speed_mps for c in found[50:90])
    assert late.ego.speed_mps < top - 0.5 and late.ego.acceleration_mps2 < -0.5
    assert end.decision.state.mode in (Mode.ACTIVE, Mode.DEGRADED)
    assert end.ego.speed_mps > late.ego.speed_mps


@pytest.mark.parametrize('steps', [1, 3])
def test_a_plan_that_comes_late_is_followed_from_its_t0(steps: int) -> None:
    scenario = load_scenario('winding_road').model_copy(update={'goal_m': 60.0})
    drive = Drive(scenario, 3, ExpertPlanner(PROFILE), Options('none', steps))
    while not drive.sim.done:
        cycle = drive.step()
        if cycle.decision.plan is not None and cycle.decision.plan.source == 'model':
            assert cycle.now_ns - cycle.decision.plan.t0_ns == steps * 100_000_000
    row = drive.row()
    assert row.right and row.fallback_plans == 0 and row.mean_offset_m < 0.25


def test_ablations_change_the_pictures_just_before_the_model_and_nothing_else() -> None:
    plain = Seeing()
    cycles('winding_road', 5, plain, 3.0)
    for ablation in ('cameras=black', 'cameras=other'):
        inner = Seeing()
        found = cycles('winding_road', 5, AblatedPlanner(inner, ablation), 3.0)
        shown, true = inner.seen[-1], plain.seen[-1]
        assert isinstance(found[-1].inputs, PlannerInput)
        assert (found[-1].inputs.frames.images == true.frames.images).all()
        assert (shown.frames.age_s == true.frames.age_s).all()
        assert (shown.given.ego.poses == true.given.ego.poses).all()
        if ablation == 'cameras=black':
            assert not shown.frames.images.any()
        else:
            assert shown.frames.images.std() > 10
            assert not (shown.frames.images[0] == true.frames.images[0]).all()
            assert not (shown.frames.images[0] == shown.frames.images[1]).all()


def test_an_unknown_ablation_and_planner_are_refused() -> None:
    with pytest.raises(ValueError, match='cameras=black'):
        AblatedPlanner(StraightPlanner(PROFILE), 'cameras=upside_down')  # type: ignore[arg-type]
    assert isinstance(open_planner('clairvoyant', PROFILE), Fault)


@pytest.mark.parametrize('name', ['nano', 'a_file_of_ones_own'])
def test_a_scripted_runtime_drives_through_propose(name: str) -> None:
    planner = open_planner('scripted', PROFILE.model_copy(update={'name': name}))
    assert isinstance(planner, RuntimePlanner) and planner.blind
    found = cycles('winding_road', 1, planner, 4.0)
    assert found[-1].proposal is not None and found[-1].proposal.candidates.shape == (8, 60, 3)
    assert 'scripted test double' in found[-1].proposal.text


def finished(**figures) -> Outcome:
    outcome = Outcome('x', 0, distance_m=120.0, reachable_m=150.0)
    for name, value in figures.items():
        setattr(outcome, name, value)
    return outcome


@pytest.mark.parametrize(
    ('name', 'figures', 'lead', 'verdict'),
    [
        ('winding_road', {'end': 'goal'}, False, True),
        ('winding_road', {'end': 'time'}, False, False),
        ('winding_road', {'end': 'offroad', 'offroad_s': 0.1}, False, False),
        ('stopped_car', {'end': 'stopped'}, True, True),
        ('stopped_car', {'end': 'collision', 'collisions': 1}, True, False),
        ('stopped_car', {'end': 'goal'}, True, False),
        ('stopped_car', {'end': 'stalled'}, True, False),
        ('stopped_car', {'end': 'goal'}, False, True),
        ('stopped_car', {'end': 'stalled'}, False, False),
        ('slowing_leader', {'end': 'time', 'stops': 2, 'restarts': 1}, True, True),
        ('slowing_leader', {'end': 'time'}, True, True),
        ('slowing_leader', {'end': 'time', 'stops': 1}, True, False),
        ('slowing_leader', {'end': 'stalled', 'stops': 1}, True, False),
        ('slowing_leader', {'end': 'time', 'distance_m': 30.0}, True, False),
        ('slowing_leader', {'end': 'collision', 'collisions': 1, 'restarts': 1}, True, False),
    ],
)
def test_verdicts(name: str, figures: dict, lead: bool, verdict: bool) -> None:
    assert right(load_scenario(name), finished(**figures), lead) is verdict


def test_standing_at_the_start_is_no_stop_and_no_restart() -> None:
    outcome = Outcome('x', 0)
    for speed in (0.0, 0.0, 0.5, 1.5, 3.0, 0.0, 0.0, 1.5):
        outcome.note(1.0, 0.0, speed, math.inf, 0.1)
    assert (outcome.stops, outcome.restarts) == (1, 1)


def test_time_is_not_called_while_it_waits_behind_the_leader_for_the_first_time() -> None:
    scenario = load_scenario('slowing_leader')
    outcome = Outcome('x', 0, duration_s=45.0, moved=True, stops=1, standing_s=2.0, gap_m=5.0)
    outcome.conclude(scenario, False, 200.0)
    assert outcome.end == ''
    outcome.duration_s = 57.0
    outcome.conclude(scenario, False, 200.0)
    assert outcome.end == 'time'


def test_the_row_of_a_drive_that_its_time_ends_behind_a_car_is_json() -> None:
    scenario = load_scenario('left_after_red').model_copy(update={'duration_s': 8.0})
    row = rollout(scenario, 0, ExpertPlanner(PROFILE)).as_dict()
    assert row['end'] == 'time' and 0 < row['progress'] < 1 and row['gap_m']
    assert json.loads(json.dumps(row))['right'] is False
