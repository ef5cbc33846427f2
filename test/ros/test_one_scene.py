"""Trajectory node, replay and simulator make the same scene of the same facts."""

from dataclasses import replace

import pytest
from drives import noisy, truth

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.msg import CandidateArray
from alpamayo_ros.nodes.awareness import Awareness
from alpamayo_ros.pipeline import PlanConfig, decide
from alpamayo_ros.profile import load_profile
from alpamayo_ros.replay import cycle as replay
from alpamayo_ros.replay.motion import Ego
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.sensing.view_pipeline import ViewPipeline
from alpamayo_ros.simulation.drive import drive as simulator
from alpamayo_ros.simulation.drive.planners import StraightPlanner
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.types import Proposal

T0_NS, PROFILE = 1_000_000_000, load_profile('nano')
AGE_S = 0.125
SAID = (Code.SKEW, Code.MODEL_OVERRUN_WARN, Code.CAM_LOST, Code.ODOM_GAP_WARN, Code.CAM_LOST)
FAULTS = tuple(Fault(code) for code in SAID)
KNOWN = (Code.CAM_LOST, Code.ODOM_GAP_WARN, Code.SKEW)


def of_simulator(monkeypatch, proposed):
    """The scene of a drive's first step, the car at its start."""
    seen = []
    monkeypatch.setattr(
        simulator, 'decide', lambda p, scene, *a: seen.append(scene) or decide(p, scene, *a)
    )
    drive = simulator.Drive(load_scenario('winding_road'), 3, StraightPlanner(PROFILE))
    drive._faults, ego = FAULTS, replace(drive.sim.ego, stamp_ns=T0_NS)
    if proposed:
        proposal = Proposal(ego.stamp_ns, noisy(truth()[0]), '')
        drive._waiting.append(simulator._Waiting(proposal, ego, None, AGE_S, due_ns=0))
    drive._decide(Fault(Code.SKEW), ego)
    drive.close()
    return seen[0]


def of_replay(monkeypatch, ego, proposed):
    """The scene of one t0 of a replay."""
    seen = []
    monkeypatch.setattr(
        replay.pipeline, 'decide', lambda p, scene, *a: seen.append(scene) or decide(p, scene, *a)
    )
    own = Ego(PROFILE, load_rig('sim').odometry)
    own._scene.push(ego)
    config = PlanConfig.from_files()
    views = ViewPipeline(PROFILE, load_rig('sim').for_profile(PROFILE), threads=1)
    cycler = replay.Cycler(PROFILE, config, views, own, None)
    proposal = Proposal(ego.stamp_ns, noisy(truth()[0]), '') if proposed else None
    cycler._decide(ego.stamp_ns, proposal, FAULTS, AGE_S if proposed else None)
    views.close()
    return seen[0]


def of_node(ego, proposed):
    """The scene of one reply of the planner."""
    aware = Awareness(PROFILE, lockstep=True, objects_expected=False)
    aware.odometry(ego)
    message = CandidateArray(faults=[code.name for code in SAID], stages=['encode'])
    assert aware.reply(message) is None
    aware.frame_age_s = AGE_S if proposed else None
    return aware.scene(ego.stamp_ns if proposed else None, ego.stamp_ns, ())


@pytest.mark.parametrize('proposed', [True, False])
def test_the_same_facts_give_the_same_scene(monkeypatch, proposed):
    simulated = of_simulator(monkeypatch, proposed)
    live = of_node(simulated.ego, proposed)
    replayed = of_replay(monkeypatch, simulated.ego, proposed)
    assert live == replayed == replace(simulated, observed_ns=live.observed_ns)
    assert tuple(fault.code for fault in live.faults) == KNOWN
    assert live.ego == live.ego_now == simulated.ego


def test_wall_time_counts_free_running_only():
    message = CandidateArray(stages=['encode', 'reason'], stage_ms=[100.0, 50.0])
    aware = Awareness(PROFILE, lockstep=False, objects_expected=False)
    assert {aware.reply(message) for _ in range(100)} == {0.15}
    assert aware.scene(None, None, ()).p99_cycle_s == pytest.approx(0.15)
