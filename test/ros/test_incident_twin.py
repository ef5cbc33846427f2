"""A second publisher of ``health``: what it says makes files that are marked, and kept apart."""

import subprocess
import sys

import pytest
import yaml

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from graph import Listener

from alpamayo_ros.bringup import GRAPHS
from alpamayo_ros.graph_options import Options
from alpamayo_ros.incident import file
from alpamayo_ros.msg import Health
from alpamayo_ros.nodes.common import qos

pytestmark = [pytest.mark.ros, pytest.mark.timeout(900)]  # other work beside
ENDED = Health(state=Health.FALLBACK, previous_state=Health.ACTIVE, reason='it ends')


@pytest.fixture
def recorder(ros_domain, tmp_path):
    """An incident recorder by itself, that writes at once and again after a second."""
    own = {'profile': 'nano', 'rig': 'sim', 'lockstep': True, 'folder': str(tmp_path / 'kept')}
    tree = {
        '/alpamayo/incident_recorder': {'ros__parameters': {**own, 'after_s': 0.0, 'hold_s': 1.0}}
    }
    parameters = tmp_path / 'own.yaml'
    parameters.write_text(yaml.safe_dump(tree))
    words = ['--ros-args', '-r', '__ns:=/alpamayo', '-r', '__node:=incident_recorder']
    for path in (*GRAPHS['vehicle'](Options()).parameter_files, str(parameters)):
        words += ['--params-file', path]
    command = [sys.executable, '-m', 'alpamayo_ros.nodes.incident_recorder', *words]
    with subprocess.Popen(command) as process:
        yield tmp_path / 'kept'
        process.terminate()


def test_f55_health_of_a_twin_is_in_doubt(recorder, rclpy_context):
    listener = Listener(rclpy_context)
    driver = listener.node.create_publisher(Health, 'health', qos.output(False))

    def written(kind, by):
        by.publish(ENDED)
        return sorted(recorder.glob(f'*_{kind}.mcap'))

    assert listener.until(lambda: written('FALLBACK', driver))
    assert not written('DOUBTED', driver)
    twin = listener.node.create_publisher(Health, 'health', qos.output(False))
    assert listener.until(lambda: written('DOUBTED', twin))
    (event, *_) = file.read(written('DOUBTED', driver)[0]).events
    assert event.doubted and event.reason == 'it ends'
    (first, *_) = file.read(written('FALLBACK', driver)[0]).events
    assert not first.doubted
    listener.close()
