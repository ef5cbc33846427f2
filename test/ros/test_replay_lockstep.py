"""The live graph in lockstep against offline replay: the same plans from the same recording."""

import contextlib
import os
import re
import signal

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

import numpy as np
from graph import LISTENED, running
from participant import Participant
from rough_bag import roughen

from alpamayo_ros.bags.bag import BagReader, BagWriter
from alpamayo_ros.datasets.dgp import convert
from alpamayo_ros.msg import CandidateArray, PlannedTrajectory
from alpamayo_ros.nodes.common.convert import ns
from alpamayo_ros.replay.afterwards import Afterwards
from alpamayo_ros.replay.run import Options, run
from alpamayo_ros.simulation.drive.drive_bag import record_drive

# the limit: for several graphs, other work beside
pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.timeout(900)]
COLUMNS = ('x_m', 'y_m', 'heading_rad', 'speed_mps', 'acceleration_mps2', 'steering_rad')


@pytest.fixture
def listener(rclpy_context):
    found = Participant(rclpy_context)
    yield found
    found.close()


@pytest.fixture(scope='module')
def drive(tmp_path_factory):
    """Four seconds of a simulated drive, recorded as roads record."""
    folder = tmp_path_factory.mktemp('drive')
    record_drive('winding_road', 3, folder / 'smooth.mcap', 4.4)
    roughen(folder / 'smooth.mcap', folder / 'rough.mcap', seed=5)
    (folder / 'smooth.rig.yaml').rename(folder / 'rough.rig.yaml')
    return folder / 'rough.mcap'


def offline(bag, folder, monkeypatch):
    """Every cycle of the offline replay."""
    cycles, take = [], Afterwards.take
    keep = lambda self, done: (cycles.extend(done.cycles), take(self, done))  # noqa: E731
    monkeypatch.setattr(Afterwards, 'take', keep)
    run(bag, folder, Options(incomplete=True))
    return {cycle.t0_ns: cycle for cycle in cycles}


def live(bag, folder, listener):
    """The log of a lockstep replay whose every message has reached ``listener``."""
    with running(['replay', *LISTENED, '--bag', str(bag)], folder) as graph:
        assert listener.until(lambda: graph.process.poll() is not None), graph.log
        assert graph.wait() == 0, graph.log
    assert 'Traceback' not in graph.log
    return graph.log


def raw(message):
    """Candidates of a reply as the model gave them, (K, P, 3)."""
    return np.array([[c.x_m, c.y_m, c.heading_rad] for c in message.candidates]).transpose(0, 2, 1)


def same_answers(cycles, listener):
    """Each t0 has one reply and one Health, and they say what the offline cycle says."""
    assert [ns(h.t0) for h in listener.health] == list(cycles)
    replies = {ns(r.header.stamp): r for r in listener.replies}
    assert len(listener.replies) == len(replies) and list(replies) == list(cycles)
    plans = {p.plan_id: p for p in listener.plans}
    for health in listener.health:
        cycle, reply = cycles[ns(health.t0)], replies[ns(health.t0)]
        told = cycle.decision.health
        assert health.faults == [fault.code.name for fault in told.faults]
        assert (health.state, health.plan_id) == (int(told.mode), told.plan_id)
        assert (reply.status == CandidateArray.PROPOSED) == (cycle.proposal is not None)
        if cycle.proposal is not None:
            assert reply.text == cycle.proposal.text
            assert reply.navigation == cycle.navigation
            sent = raw(reply).astype(np.float32)
            assert sent.tobytes() == cycle.proposal.candidates.astype(np.float32).tobytes()
        if health.plan_id:
            same_plan(plans[health.plan_id], cycle.decision.plan)


def same_plan(message, plan):
    assert (message.source == PlannedTrajectory.MODEL) == (plan.source == 'model')
    assert ns(message.header.stamp) == plan.t0_ns
    assert ns(message.valid_until) == plan.valid_until_ns
    for name in COLUMNS:
        driven = np.asarray(getattr(plan.trajectory, name), np.float32)
        assert np.asarray(getattr(message, name), np.float32).tobytes() == driven.tobytes(), name


def test_a_rough_recording_gives_the_same_plans_live_and_offline(
    drive, tmp_path, listener, monkeypatch
):
    cycles = offline(drive, tmp_path / 'offline', monkeypatch)
    log = live(drive, tmp_path, listener)
    same_answers(cycles, listener)
    assert f'{len(cycles)} timesteps answered' in log
    # the recording is worth comparing: plans, losses and instructions in it
    names = {name for health in listener.health for name in health.faults}
    assert {'SET_INCOMPLETE', 'FRAME_HISTORY', 'CALIBRATION_CHANGED', 'CAMS_LOST'} <= names
    assert len(listener.plans) > 8
    said = [r.navigation for r in listener.replies if r.navigation]
    assert len(dict.fromkeys(said)) >= 3


def test_a_real_recording_is_refused_for_the_same_reasons_live_and_offline(
    shared_data, tmp_path, listener, monkeypatch
):
    bag = tmp_path / 'converted.mcap'
    convert(shared_data('surround_dgp'), bag)
    cycles = offline(bag, tmp_path / 'offline', monkeypatch)
    live(bag, tmp_path, listener)
    same_answers(cycles, listener)
    assert len(cycles) == 3 and not listener.plans
    assert all(h.faults == ['FRAME_HISTORY'] for h in listener.health)


def test_a_node_that_hangs_is_named_by_the_guard(drive, tmp_path, listener):
    arguments = ['replay', *LISTENED, '--bag', str(drive), '--runtime', 'scripted']
    with running(arguments, tmp_path, replay={'hang_guard_s': 20.0}) as graph:
        assert listener.until(lambda: len(listener.health) > 3), graph.log
        (stopped,) = graph.pids('alpamayo_ros.nodes.egomotion')
        with pause(stopped):
            assert listener.until(lambda: graph.process.poll() is not None), graph.log
        assert graph.wait() == 6
    # stopped before or after it had taken in the step
    lacks = '.*(egomotion has not taken in the step|no Health about t0 = )'
    assert re.search(rf'no answer for \d+ s to the step ending 10\d\d\.\d\d s: {lacks}', graph.log)


@contextlib.contextmanager
def pause(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def test_a_damaged_recording_is_played_up_to_the_damage(drive, tmp_path, listener):
    bag = tmp_path / 'cut.mcap'
    bag.write_bytes(drive.read_bytes()[: drive.stat().st_size * 9 // 10])
    (tmp_path / 'cut.rig.yaml').write_bytes(drive.with_suffix('.rig.yaml').read_bytes())
    with running(
        ['replay', *LISTENED, '--bag', str(bag), '--runtime', 'scripted'], tmp_path
    ) as graph:
        assert listener.until(lambda: graph.process.poll() is not None), graph.log
        assert graph.wait() == 5, graph.log
    assert 'BAG_BROKEN' in graph.log
    assert len(listener.health) > 10


def test_a_recording_without_a_camera_is_refused_with_what_it_holds(drive, tmp_path):
    bag = tmp_path / 'five.mcap'
    with BagWriter(bag) as out:
        for item in BagReader(drive):
            if '/camera/rear/image' not in item.topic:
                out.write(item.topic, item.message, item.time_ns)
    with running(['replay', '--bag', str(bag), '--runtime', 'scripted'], tmp_path) as graph:
        assert graph.wait() == 2
    assert 'five.mcap lacks what nano needs' in graph.log
    assert 'camera rear: no /alpamayo/camera/rear/image_raw/compressed' in graph.log
    assert '/alpamayo/odometry (nav_msgs/msg/Odometry)' in graph.log
    assert '--incomplete' in graph.log
