"""Sensor faults of a scenario act inside a rollout as they would on the vehicle."""

from collections import Counter

import numpy as np
import pytest

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.drive.drive import Cycle, rollout
from alpamayo_ros.simulation.drive.faulty_sensors import FaultySensors, open_sensors
from alpamayo_ros.simulation.drive.planners import ExpertPlanner, StraightPlanner
from alpamayo_ros.simulation.drive.sensors import Sensors
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.types import PlannerInput

PROFILE = load_profile('nano')


def scenario(faults: str, duration_s: float = 6.0):
    changes = {'faults': faults, 'duration_s': duration_s}
    return load_scenario('winding_road').model_copy(update=changes)


def look(faults: str, seconds: float = 3.0, speed_mps: float = 5.0) -> list[PlannerInput | Fault]:
    """What a planner would get at every step of a straight drive without pictures."""
    sim = Simulation(scenario(faults), 2, render=False)
    sim.reset_ego(20.0, speed_mps=speed_mps)
    sensors = FaultySensors(sim, PROFILE, blind=True)
    out = []
    for _ in range(round(seconds * 10)):
        sensors.look()
        out.append(sensors.inputs(0))
        sensors.step(0.0, 0.0)
    sensors.close()
    return out


def codes(found: list[PlannerInput | Fault], from_s: float = 1.0) -> Counter:
    late = found[round(from_s * 10) :]
    return Counter(f.code if isinstance(f, Fault) else 'ok' for f in late)


def test_without_faults_the_senses_are_the_plain_ones() -> None:
    sim = Simulation(load_scenario('winding_road'), 2, render=False)
    assert type(open_sensors(sim, PROFILE, True)) is Sensors
    broken = Simulation(scenario('drop(source=rear,start_s=2)'), 2, render=False)
    sensors = open_sensors(broken, PROFILE, True)
    assert isinstance(sensors, FaultySensors)
    sensors.close()


def test_a_fault_that_never_comes_changes_nothing() -> None:
    found = look('drop(source=front,start_s=99)')
    assert codes(found) == {'ok': 20}
    last = found[-1]
    assert isinstance(last, PlannerInput) and last.frames.valid.all()
    assert last.frames.age_s[:, 0].tolist() == pytest.approx([0.0, 0.3, 0.5, 0.8])


@pytest.mark.parametrize(
    ('faults', 'code'),
    [
        ('drop(source=front,start_s=1)', Code.SET_INCOMPLETE),
        ('drop(source=rear,start_s=1)', Code.SET_INCOMPLETE),
        ('freeze(source=front,start_s=1)', Code.CAM_FROZEN),
        ('truncate(source=front,seed=1,start_s=1)', Code.IMG_TRUNCATED),
        ('shift_stamp(source=rear,offset_ms=-60,start_s=1)', Code.SKEW),
        ('drop(source=odometry,start_s=1)', Code.ODOM_GAP),
    ],
)
def test_a_fault_reaches_the_planner_by_its_name(faults: str, code: Code) -> None:
    assert codes(look(faults), 1.8)[code] >= 8


def test_what_comes_within_the_wait_is_no_fault_and_what_comes_later_is() -> None:
    assert codes(look('delay(source=rear,by_ms=30,start_s=0.5)')) == {'ok': 20}
    late = look('delay(source=rear_left,by_ms=80,start_s=0.5)')
    left = [v.name for v in PROFILE.views].index('rear_left')
    assert codes(late) == {'ok': 20}
    assert late[-1].frames.age_s[0, left] == pytest.approx(0.1), 'the frame before is held'


def test_a_lost_frame_is_held_and_older() -> None:
    found = look('decimate(source=rear,keep_every=2)')
    assert codes(found) == {'ok': 20}
    rear = [v.name for v in PROFILE.views].index('rear')
    ages = {round(float(f.frames.age_s[0, rear]), 3) for f in found[10:]}
    assert ages == {0.0, 0.1}


def test_a_drive_stops_while_a_camera_is_lost_and_goes_on_afterwards() -> None:
    seen: list[Cycle] = []
    faulty = scenario('drop(source=front_left,start_s=6,stop_s=8)', 11.0)
    row = rollout(faulty, 3, ExpertPlanner(PROFILE), watch=seen.append)
    plans = [c.decision.plan for c in seen]
    sources = ['' if plan is None else plan.source for plan in plans]
    assert 'fallback' not in sources[40:60] and 'fallback' in sources[60:79]
    assert 'model' not in sources[64:79]
    assert sources[-1] == 'model' and row.fallback_plans >= 15 and not row.collisions


def test_pictures_pass_as_jpeg_and_the_same_seed_gives_the_same_bytes() -> None:
    pytest.importorskip('moderngl')

    class Seeing(StraightPlanner):
        blind = False

        def propose(self, inputs: PlannerInput):
            self.last = inputs
            return super().propose(inputs)

    plain, faulty, again = Seeing(PROFILE), Seeing(PROFILE), Seeing(PROFILE)
    rollout(scenario('', 1.5), 5, plain)
    for planner in (faulty, again):
        rollout(scenario('drop(source=front,start_s=99)', 1.5), 5, planner)
    difference = np.abs(
        plain.last.frames.images.astype(int) - faulty.last.frames.images.astype(int)
    )
    assert 0 < difference.mean() < 4.0
    assert (faulty.last.frames.images == again.last.frames.images).all()
