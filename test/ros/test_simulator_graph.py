"""The whole graph, separate processes over Fast DDS, with the scripted runtime."""

import json
import os
import signal

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from graph import LISTENED, leftovers, running
from participant import Participant
from std_msgs.msg import Float64, String

from alpamayo_ros.incident import file
from alpamayo_ros.incident.reproduce import reproduce, tally
from alpamayo_ros.msg import Health, PlannedTrajectory
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import ns
from alpamayo_ros.recording import events, scene_facts
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports.plan_bag import PLOTS

# the limit: for several graphs, other work beside
pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.timeout(900)]
STEP_NS = 100_000_000
SIMULATOR = ['simulator', '--runtime', 'scripted', '--lockstep', '--seed', '3']
HEARD = [*SIMULATOR, *LISTENED]
WORKER = 'alpamayo_ros.model_process'


@pytest.fixture
def listener(rclpy_context):
    found = Participant(rclpy_context)
    yield found
    found.close()


def drive(folder, name, *arguments):
    output = folder / f'{name}.json'
    with running([*SIMULATOR, '--output', str(output), *arguments], folder) as graph:
        status = graph.wait()
    assert status == 0, graph.log
    return json.loads(output.read_text()), graph


def test_two_lockstep_runs_of_a_seed_give_the_same_bytes(tmp_path, ros_domain):
    first, graph = drive(tmp_path, 'first', '--duration', '5')
    assert first['duration_s'] == pytest.approx(5.0)
    assert first['plans'] > 25 and first['distance_m'] > 3.0
    # one reply for each of the 50 timesteps: a plan, a stop or a refusal
    assert first['plans'] + first['fallback_plans'] + first['refusals'] == 50
    assert 'Traceback' not in graph.log
    assert leftovers(ros_domain) == []
    second, _ = drive(tmp_path, 'second', '--duration', '5')
    del first['real_time_factor'], second['real_time_factor']
    assert second == first
    other, _ = drive(tmp_path, 'other', '--duration', '5', '--seed', '4')
    assert other['plans_sha256'] != first['plans_sha256']


def test_every_timestep_gets_exactly_one_reply_and_stages_add_up(tmp_path, listener):
    with running([*HEARD, '--duration', '60'], tmp_path) as graph:
        # two more: then every plan of the first 30 timesteps has come too
        assert listener.until(lambda: len(listener.health) >= 32), graph.log
    del listener.health[30:]
    times = [ns(h.t0) for h in listener.health]
    assert times == [times[0] + i * STEP_NS for i in range(len(times))]
    assert [h.sequence for h in listener.health] == list(range(1, len(times) + 1))
    plans = {p.plan_id: p for p in listener.plans}
    assert {h.plan_id for h in listener.health if h.plan_id} - {0} <= {*plans}
    for plan in plans.values():
        assert plan.source == PlannedTrajectory.MODEL and plan.runtime == 'scripted'
        assert ns(plan.valid_until) > ns(plan.header.stamp)
        assert len(plan.x_m) == 60 and plan.checks
    assert listener.health[-1].state == Health.ACTIVE


def test_kill_9_of_the_model_is_named_and_the_child_comes_back(tmp_path, listener):
    with running([*HEARD, '--duration', '60'], tmp_path) as graph:
        assert listener.until(lambda: any(h.plans > 20 for h in listener.health)), graph.log
        (victim,) = graph.pids(WORKER)
        before = len(listener.health)

        def since(test, first=before):
            return lambda: any(test(h) for h in listener.health[first:])

        os.kill(victim, signal.SIGKILL)
        assert listener.until(since(lambda h: 'MODEL_ABSENT' in h.faults)), graph.log
        assert listener.until(since(lambda h: h.worker_restarts and h.worker_alive)), graph.log
        assert graph.pids(WORKER) not in ([], [victim])
        dead = max(i for i, h in enumerate(listener.health) if not h.worker_alive)
        driving = since(lambda h: h.state == Health.ACTIVE and h.plan_id, dead + 1)
        assert listener.until(driving), graph.log
    times = [ns(h.t0) for h in listener.health]
    assert all(b - a == STEP_NS for a, b in zip(times, times[1:], strict=False))
    stopping = [h for h in listener.health if h.state == Health.FALLBACK]
    assert stopping and all(h.plan_id for h in stopping)  # an explicit stop, at every timestep
    assert any(p.source != PlannedTrajectory.MODEL for p in listener.plans)


def test_front_camera_dropped_is_a_fallback_stop_until_it_is_back(tmp_path, listener):
    drop = 'drop(source=front,start_s=3,stop_s=5)'
    kept = ['--incidents', str(tmp_path / 'incidents')]
    with running([*HEARD, '--duration', '8', '--inject', drop, *kept], tmp_path) as graph:
        assert listener.until(lambda: graph.process.poll() is not None), graph.log
    assert len(listener.health) == 80, graph.log
    start_ns = ns(listener.health[0].t0)
    at = {round((ns(h.t0) - start_ns) / 1e9, 1): h for h in listener.health}
    newest = lambda time_s: at[max(t for t in at if t <= time_s)]  # noqa: E731
    assert newest(2.9).state == Health.ACTIVE
    fallen = min(t for t, h in at.items() if h.state == Health.FALLBACK)
    assert 3.0 <= fallen <= 3.7
    assert {'SET_INCOMPLETE', 'CAM_MANDATORY_LOST'} & set(at[fallen].faults)
    held = [p for p in listener.plans if p.source == PlannedTrajectory.MODEL]
    lost_s = [(ns(p.header.stamp) - start_ns) / 1e9 for p in held]
    assert not [t for t in lost_s if 3.3 < t < 5.0]
    last = newest(7.8)
    assert last.state == Health.ACTIVE and last.plan_id
    assert max(lost_s) > 7.0
    told(tmp_path / 'incidents', at[fallen], {h.sequence: h for h in listener.health})


def told(folder, fallen, heard):
    """The recorder beside the graph wrote why, and what it wrote is decided again alike."""
    incident = file.read(min(folder.glob('*.mcap')))
    assert incident.fault is None and not incident.unread and incident.pictures
    assert (incident.events[0].what, incident.events[0].reason) == ('FALLBACK', fallen.reason)
    again = list(reproduce(incident.records))
    assert tally(again).whole, tally(again)
    for item in (a for a in again if a.decision is not None):
        live, now = heard[item.record.health.sequence], item.decision.health
        assert (live.state, live.plan_id, live.reason) == (now.mode, now.plan_id, now.reason)


def test_shadow_plans_where_no_controller_listens_while_another_drives(tmp_path, rclpy_context):
    listener = Participant(rclpy_context, plans=False)
    said, plotted = [], {name: [] for name in PLOTS}
    for kind, topic, heard in (
        (String, 'reasoning_text', said),
        *((Float64, f'plot/{name}', values) for name, values in plotted.items()),
    ):
        take = lambda message, heard=heard: heard.append(message.data)  # noqa: E731
        listener.node.create_subscription(kind, topic, take, qos.output(False, depth=50))
    seen = tmp_path / 'recording'
    arguments = [*HEARD, '--shadow', '--duration', '4', '--output', str(tmp_path / 'out.json')]
    arguments += ['--record', str(seen), '--about', 'a first look']
    with running(arguments, tmp_path) as graph:
        status = listener.until(lambda: graph.process.poll() is not None)
        assert status and graph.wait() == 0, graph.log
    listener.close()
    result = json.loads((tmp_path / 'out.json').read_text())
    assert result['plans'] > 15 and result['distance_m'] > 5.0  # the expert leaves at once
    assert len(listener.health) == 40 and not listener.plans
    assert any(text.startswith('perception: ') for text in said)
    silent = {name for name, values in plotted.items() if not values}
    assert silent <= {'agreement'}  # which the scripted words leave open
    assert any(line.startswith(f'look at it: alpamayo view {seen}') for line in graph.lines)
    assert any(line.startswith('  cycle: ') for line in graph.lines), graph.log
    # and what was planned can be looked at afterwards, without another file
    found = Recording(seen)
    assert found.info.scenario == 'winding_road' and found.info.description == 'a first look'
    assert (found.info.origin, found.info.mode, found.info.seed) == ('simulator', 'lockstep', 3)
    planned = [p for p in found.all(events.Plan) if p.topic == 'trajectory']
    assert len(planned) > 15 and all(p.x_m for p in planned)
    words = {w.plan_id for w in found.all(events.Words)}
    assert words and words <= {p.plan_id for p in planned}
    assert any(c.selected >= 0 for c in found.all(events.Candidates))
    # and what was true at each t0 is kept beside it, where no topic carries it
    truth = scene_facts.read(seen)
    assert len(truth) == 40 and {w.t0_ns for w in found.all(events.Words)} <= truth.keys()
