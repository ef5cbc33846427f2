"""``alpamayo arm``, ``status`` and the like, typed at a running graph that nobody arms."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

import numpy as np
import yaml
from graph import LISTENED, PATIENCE_S, running
from participant import Participant, beside
from std_msgs.msg import Float32

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.incident.file import is_incident
from alpamayo_ros.msg import Health, PlannedTrajectory
from alpamayo_ros.nodes.caps import Caps
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.operating.status_record import line, page, status_of
from alpamayo_ros.nodes.operating.streams import Rate, text_of
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.state import Mode, SafetyState

pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.timeout(1200)]  # other work beside
PATIENT = ('--patience', '120')


def alpamayo(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, '-m', 'alpamayo_ros.cli.main', *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)


def side_by_side(*calls: tuple[str, ...]) -> list[subprocess.CompletedProcess[str]]:
    """Several commands at once; the graph runs as fast as it can beside them."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda words: alpamayo(*words), calls))


def _lists(table: str) -> bool:
    """Whether the table, or the list of a narrow terminal, has the plan."""
    return re.search(r'^/alpamayo/trajectory\s', table, re.MULTILINE) is not None


def whole(table: str) -> str:
    """The table of topics once it holds the plan; a busy machine discovers late."""
    end_s = time.monotonic() + PATIENCE_S
    while not _lists(table) and time.monotonic() < end_s:
        table = alpamayo('topics', *PATIENT).stdout
    return table


def state(*wanted: str) -> dict[str, object]:
    """The status once its state is among ``wanted``."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        done = alpamayo('status', '--json', *PATIENT)
        assert 'Traceback' not in done.stderr and done.stdout, done.stderr
        found = json.loads(done.stdout)
        assert done.returncode == (found['state'] in ('FALLBACK', 'FAULT'))
        if found['state'] in wanted:
            return found
    raise AssertionError(f'expected {wanted}, got {found}')


def at_full_speed(listener: Participant, until: Callable[[], bool]) -> None:
    """The world goes on until then, and slowly afterwards: the processor is the commands'."""
    listener.pause_s, end_s = 0.0, time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < end_s
        time.sleep(0.1)
    listener.pause_s = 0.5


def test_a_person_arms_looks_and_disarms(tmp_path, rclpy_context):
    arguments = ['simulator', '--runtime', 'scripted', *LISTENED, '--manual']
    arguments += ['--incidents', str(tmp_path / 'incidents')]
    still = {'script': '{"speed_mps": 0.0}'}  # the drive then ends with this test, not before
    listener = Participant(rclpy_context)
    with beside(listener), running(arguments, tmp_path, planner=still):
        at_full_speed(listener, lambda: any(h.state == Mode.READY for h in listener.health))
        while (waiting := state('READY'))['speed_mps'] is None:
            pass  # its motion came later than is waited for
        assert waiting['armed'] is False and waiting['plans'] == 0
        assert waiting['speed_mps'] == 0.0
        refused = alpamayo('rearm', *PATIENT)
        assert refused.returncode == 1 and refused.stderr.startswith('rearm: refused; READY')

        armed = alpamayo('arm', *PATIENT)
        assert armed.returncode == 0 and armed.stdout.startswith('arm: ACTIVE'), armed.stderr
        assert state('ACTIVE', 'DEGRADED')['armed'] is True
        # who asks for one message of a topic gets the oldest that is latched
        armed_for = lambda: sum(h.armed for h in listener.health)  # noqa: E731
        at_full_speed(listener, lambda: armed_for() > qos.LOCKSTEP_DEPTH)

        capped, turning, wished, topics, said, often, wrong = side_by_side(
            ('cap', '--speed', '3', '--acceleration', '1', *PATIENT),
            ('navigate', 'please turn left in 83 m onto Elm Street', *PATIENT),
            ('prompt', ' keep a 3\nsecond gap', *PATIENT),
            ('topics', *PATIENT),
            ('echo', 'health', '--count', '1', *PATIENT),
            ('hz', '/alpamayo/health', '--seconds', '3', *PATIENT),
            ('echo', 'helth', '--patience', '5'),
        )
        assert capped.returncode == 0 and 'at most 3.0 m/s' in capped.stdout, capped.stderr
        assert turning.returncode == 0, turning.stderr
        assert "the planner is told 'turn left in 80 m onto Elm Street'" in turning.stdout
        assert wished.returncode == 0, wished.stderr
        assert "the planner is told 'keep a 3 second gap'" in wished.stdout
        assert topics.returncode == 0, topics.stderr
        table = whole(topics.stdout)
        assert _lists(table) and 'alpamayo_ros/PlannedTrajectory' in table
        assert yaml.safe_load(said.stdout.removesuffix('---\n'))['armed'] is True
        assert often.returncode == 0 and ' Hz ' in often.stdout
        assert wrong.returncode == 6 and 'Did you mean /alpamayo/health' in wrong.stderr
        assert state('ACTIVE', 'DEGRADED')['speed_cap_mps'] <= 3.0

        asked = alpamayo('incident', *PATIENT)
        assert asked.returncode == 0, asked.stderr
        written = asked.stdout.split()[-1]
        assert written.endswith('_REQUEST.mcap') and is_incident(Path(written))
        assert alpamayo('incident', *PATIENT).returncode == 0  # that one again, or the next

        done = alpamayo('disarm', *PATIENT)
        assert done.returncode == 0 and done.stdout.startswith('disarm: READY')
        before = state('READY')['plans']
        assert before and state('READY')['plans'] == before  # nobody arms it but a person

        watching = subprocess.Popen(
            [sys.executable, '-m', 'alpamayo_ros.cli.main', 'status', '--watch', *PATIENT],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert watching.stdout.readline().startswith('READY')
        watching.send_signal(signal.SIGINT)
        _, complaint = watching.communicate(timeout=PATIENCE_S)
        assert watching.returncode == 130 and 'Traceback' not in complaint, complaint


INTERRUPTED = """
import os, signal, time, rclpy
from alpamayo_ros.nodes.operating.outsider import Outsider
with Outsider(1.0):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    except KeyboardInterrupt:
        time.sleep(1)
        print(rclpy.ok())
"""


def test_ctrl_c_leaves_the_context_to_who_asks():
    """Ended under it, an error of rclpy could come before KeyboardInterrupt: status 1, not 130."""
    command = [sys.executable, '-c', INTERRUPTED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.stdout == 'True\n', done.stderr


class FakeNode:
    """Takes what Caps asks of a node, and hands its messages over."""

    def __init__(self, speed_mps: float, acceleration_mps2: float) -> None:
        self.settings = SimpleNamespace(
            speed_cap_mps=speed_mps, acceleration_cap_mps2=acceleration_mps2
        )
        self.refused: list[Fault] = []
        self.faults = SimpleNamespace(event=self.refused.append)
        self.heard: dict[str, object] = {}

    def create_subscription(self, kind, topic, heard, profile, event_callbacks):
        self.heard[topic] = heard

    def get_logger(self):
        return SimpleNamespace(info=lambda text: None)


def test_caps_lower_and_never_raise():
    shipped = PlanConfig.from_files()
    node = FakeNode(6.0, 0.0)
    caps = Caps(node, shipped)
    allowed = lambda: (caps.config.speed_cap(SafetyState(), []), caps.config.limits)  # noqa: E731
    assert allowed() == (6.0, shipped.limits)
    node.heard['speed_cap'](Float32(data=5.0))
    assert allowed()[0] == 5.0
    for wrong in (float('nan'), -1.0):
        node.heard['speed_cap'](Float32(data=wrong))
        assert allowed()[0] == 5.0 and node.refused.pop().code is Code.CAP_FORMAT
    for raised in (50.0, float('inf')):
        node.heard['speed_cap'](Float32(data=raised))
        assert allowed()[0] == 6.0
    node.heard['acceleration_cap'](Float32(data=0.5))
    assert allowed()[1].acceleration_warn_mps2 == allowed()[1].acceleration_mps2 == 0.5
    node.heard['acceleration_cap'](Float32(data=0.0))
    assert node.refused.pop().code is Code.CAP_FORMAT and allowed()[1].acceleration_mps2 == 0.5
    node.heard['acceleration_cap'](Float32(data=99.0))
    assert allowed()[1] == shipped.limits
    degraded = caps.config.speed_cap(SafetyState(mode=Mode.DEGRADED), [])
    assert degraded == pytest.approx(6.0 * shipped.limits.degraded_speed_ratio)


@pytest.mark.parametrize(
    'words', [('arm',), ('status',), ('topics',), ('hz', 'health'), ('cap', '--speed', '5')]
)
def test_without_a_graph_the_cause_is_said(ros_domain, words):
    done = alpamayo(*words, '--patience', '0.5')
    assert done.returncode == 6 and not done.stdout
    assert f'No graph is seen on ROS_DOMAIN_ID {os.environ["ROS_DOMAIN_ID"]}' in done.stderr
    assert done.stderr.count('\n') == 1


def test_a_status_without_numbers_is_shown():
    nothing = Health()
    nothing.plan_age_ms = nothing.speed_cap_mps = float('nan')
    found = status_of(nothing, nothing, '')
    assert found.plan_age_ms is None and 'INIT, not armed' in page(found)
    assert 'no plan' in line(found)
    fault = Health(state=Health.FALLBACK, faults=['MODEL_LATE'], severities=[Health.ERROR])
    fault.messages, fault.rearm_required = ['MODEL_LATE: late.'], True
    assert 'ERROR      MODEL_LATE: late.' in page(status_of(fault, nothing, ''))
    assert page(status_of(fault, nothing, '')).endswith('alpamayo rearm')
    assert status_of(fault, nothing, '').stopped


def test_long_arrays_are_cut_unless_all_is_wanted():
    message = PlannedTrajectory(x_m=np.arange(60, dtype=np.float32))
    short, full = (yaml.safe_load(text_of(message, whole)) for whole in (False, True))
    assert short['x_m'][-1] == '... 52 more (--full shows all)' and len(short['x_m']) == 9
    assert full['x_m'] == list(range(60))
    assert short['header']['stamp'] == {'sec': 0, 'nanosec': 0}


def test_rate_of_a_window():
    rate = Rate(2.0)
    assert rate.line(0.0) == '0 messages in 2 s'
    for i in range(50):
        rate.add(i * 0.1, 1000)
    text = rate.line(5.0)
    assert text.split()[0] == '10.00' and '0.010 MB/s' in text and '(20 messages)' in text
