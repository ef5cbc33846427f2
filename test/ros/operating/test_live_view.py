"""``alpamayo view --live``: listens to a running graph and ends cleanly."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from graph import LISTENED, PATIENCE_S, leftovers, running
from participant import Participant

from alpamayo_ros.viewer import packages

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')
pytestmark = [pytest.mark.ros, pytest.mark.timeout(900)]  # other work beside


@pytest.mark.slow
def test_a_running_graph_is_shown_and_not_held_up(
    tmp_path: Path, ros_domain: int, rclpy_context: object
):
    try:
        program = packages.binary()
    except packages.MissingError as error:
        pytest.skip(str(error))
    out = tmp_path / 'live.rrd'
    command = [sys.executable, '-m', 'alpamayo_ros.cli.main', 'view', '--live', '--save', str(out)]
    viewer = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    # the world begins once the viewer is here, and is then driven for long enough to be matched
    readers = lambda: listener.node.get_subscriptions_info_by_topic('/alpamayo/reasoning')  # noqa: E731
    there = lambda: any(reader.node_name == 'viewer' for reader in readers())  # noqa: E731
    listener = Participant(rclpy_context, ready=there)
    words = ['simulator', '--runtime', 'scripted', *LISTENED, '--duration', '12']
    with running([*words, '--output', str(tmp_path / 'result.json')], tmp_path) as graph:
        assert listener.until(lambda: graph.process.poll() is not None), graph.log
        assert graph.wait() == 0, graph.log
    listener.close()
    viewer.send_signal(signal.SIGINT)
    said = viewer.communicate(timeout=PATIENCE_S)[0]
    assert viewer.returncode == 0, said
    assert json.loads((tmp_path / 'result.json').read_text())['plans'] > 20  # in lockstep
    command = [str(program), 'rrd', 'print', str(out)]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S).stdout
    for entity in ('/camera/front', '/camera/rear_left', '/above/plan', '/words', '/speed/driven'):
        assert entity in shown, said
    assert leftovers(ros_domain) == []


@pytest.mark.slow
def test_a_taken_port_refuses_to_configure(tmp_path: Path):
    import socket

    try:
        packages.binary()
    except packages.MissingError as error:
        pytest.skip(str(error))
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        port = min(other.getsockname()[1], 65434)
        command = [sys.executable, '-m', 'alpamayo_ros.cli.main', 'view', '--live']
        words = ['--no-browser', '--port', str(port)]
        done = subprocess.run(
            [*command, *words], capture_output=True, text=True, timeout=PATIENCE_S
        )
    assert done.returncode == 6 and f'port {port} is taken' in done.stderr
