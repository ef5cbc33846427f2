"""What every node promises: refusal of bad parameters, read-only ones, named QoS, a clean end."""

import os
import signal
import subprocess
import sys

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from graph import PATIENCE_S, Listener, leftovers, running
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters

from alpamayo_ros.bringup import GRAPHS
from alpamayo_ros.gpu import open_gpus
from alpamayo_ros.graph_options import Options
from alpamayo_ros.msg import Health, PlannedTrajectory
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.profile import share_dir

pytestmark = [pytest.mark.ros, pytest.mark.timeout(600)]  # other work beside
FILES = GRAPHS['simulator'](Options()).parameter_files


def start(name, tmp_path, text=''):
    files = list(FILES)
    if text:
        (tmp_path / 'extra.yaml').write_text(text)
        files.append(str(tmp_path / 'extra.yaml'))
    words = [word for file in files for word in ('--params-file', file)]
    command = [sys.executable, '-m', f'alpamayo_ros.nodes.{name}', '--ros-args']
    command += ['-r', '__ns:=/alpamayo', *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def answer(client, request, listener):
    """Asked again every 2 s: an answer is lost where only the question's way is matched yet."""
    calls = []
    done = lambda: [c for c in calls if c.done()]  # noqa: E731
    for _ in range(int(PATIENCE_S / 2)):
        calls.append(client.call_async(request))
        if listener.until(done, 2.0):
            break
    return done()[0].result()


@pytest.mark.parametrize(
    ('line', 'words'),
    [
        ('perod_s: 1.0', 'perod_s: unknown parameter'),
        ('period_s: .nan', 'period_s: nan s is outside'),
        ('period_s: 99.0', 'period_s: 99.0 s is outside'),
    ],
)
def test_bad_parameters_refuse_to_configure(tmp_path, line, words):
    text = f'/**/monitor:\n  ros__parameters:\n    {line}\n'
    process = start('monitor', tmp_path, text)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert 'PARAMETER' in out and 'refuses to configure' in out and words in out
    assert 'Traceback' not in out


def test_two_ways_of_words_at_once_are_refused_by_name(tmp_path):
    keys = 'words_concurrent: true\n    words_every_s: 0.5'
    process = start('planner', tmp_path, f'/**/planner:\n  ros__parameters:\n    {keys}\n')
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2 and 'words_every_s is 0.5 and words_concurrent is true' in out
    assert 'Traceback' not in out


@pytest.mark.parametrize(
    ('node', 'line', 'words', 'status'),
    [
        ('camera_sync', "limits: '{wrong}'", 'PARAMETER', 2),
        ('monitor', "limits: '{wrong}'", 'skew_s', 2),
        ('planner', 'minimum_release: 1000000', 'MODEL_ROLLBACK', 2),
        ('planner', "trusted_keys: '{wrong}'", 'MODEL_SIGNATURE', 5),
    ],
)
def test_a_node_refuses_what_it_is_started_with(tmp_path, node, line, words, status):
    wrong = tmp_path / 'wrong.yaml'
    wrong.write_text((share_dir() / 'config/limits.param.yaml').read_text().replace('skew_s', 'k'))
    text = f'/**/{node}:\n  ros__parameters:\n    {line.format(wrong=wrong)}\n'
    process = start(node, tmp_path, text)
    out, _ = process.communicate(timeout=500)
    assert process.returncode == status and words in out and 'Traceback' not in out


@pytest.mark.skipif(not isinstance(open_gpus(), str), reason='this machine has a GPU to watch')
def test_a_planner_that_cannot_watch_its_gpus_refuses(tmp_path):
    text = '/**/planner:\n  ros__parameters:\n    watch_gpus: true\n'
    process = start('planner', tmp_path, text)
    out, _ = process.communicate(timeout=500)
    assert process.returncode == 2 and 'GPUs are not watched' in out


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_node_ends_cleanly_on_a_signal(tmp_path, rclpy_context, number):
    listener = Listener(rclpy_context)
    process = start('monitor', tmp_path)
    names = listener.node.get_node_names
    assert listener.until(lambda: 'monitor' in names())
    process.send_signal(number)
    out, _ = process.communicate(timeout=PATIENCE_S)
    listener.close()
    assert process.returncode == 0, out
    assert 'Traceback' not in out


@pytest.mark.parametrize(
    ('name', 'kind', 'field', 'wanted'),
    [
        ('period_s', ParameterType.PARAMETER_DOUBLE, 'double_value', 5.0),
        ('use_sim_time', ParameterType.PARAMETER_BOOL, 'bool_value', True),
    ],
)
def test_f56_a_parameter_cannot_be_changed_from_outside(
    tmp_path, rclpy_context, name, kind, field, wanted
):
    process = start('monitor', tmp_path)
    listener = Listener(rclpy_context)
    try:
        client = listener.node.create_client(SetParameters, '/alpamayo/monitor/set_parameters')
        assert listener.until(client.service_is_ready)
        value = ParameterValue(type=kind, **{field: wanted})
        request = SetParameters.Request(parameters=[Parameter(name=name, value=value)])
        (result,) = answer(client, request, listener).results
        assert not result.successful and 'read-only' in result.reason
    finally:
        process.terminate()
        out, _ = process.communicate(timeout=500)
        listener.close()
    assert 'PARAM_DENIED' in out and f'monitor: {name}' in out


def test_the_planner_of_a_broken_model_names_it_and_does_not_start(tmp_path):
    model = tmp_path / 'model'
    model.mkdir()
    text = f"/**/planner:\n  ros__parameters:\n    model: '{model}'\n"
    process = start('planner', tmp_path, text)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert 'MODEL_MISSING' in out and str(model) in out


def test_trajectory_says_init_and_names_what_is_missing(tmp_path, rclpy_context):
    process = start('trajectory', tmp_path)
    listener = Listener(rclpy_context)
    try:
        assert listener.until(lambda: len(listener.health) > 3)
        last = listener.health[-1]
        assert last.state == Health.INIT and last.faults == ['ODOM_GAP']
        assert last.plan_id == 0 and not listener.plans
        sequences = [h.sequence for h in listener.health]
        assert sequences == sorted(set(sequences))
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
        listener.close()


def test_a_clock_that_stands_still_is_named(tmp_path, rclpy_context):
    text = '/**:\n  ros__parameters:\n    use_sim_time: true\n'
    process = start('trajectory', tmp_path, text)
    listener = Listener(rclpy_context)
    try:
        named = lambda: any('CLOCK' in h.faults for h in listener.health)  # noqa: E731
        assert listener.until(named)
        assert listener.health[-1].state == Health.INIT
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)
        listener.close()


def test_a_second_publisher_of_plans_is_named(tmp_path, rclpy_context):
    process = start('trajectory', tmp_path)
    listener = Listener(rclpy_context)
    try:
        assert listener.until(lambda: len(listener.health) > 3)
        assert 'DUP_PUBLISHER' not in listener.health[-1].faults
        listener.node.create_publisher(PlannedTrajectory, 'trajectory', qos.output(False))
        named = lambda: 'DUP_PUBLISHER' in listener.health[-1].faults  # noqa: E731
        assert listener.until(named)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)
        listener.close()


def test_no_process_outlives_a_killed_supervisor(tmp_path, rclpy_context, ros_domain):
    listener = Listener(rclpy_context)
    with running(['vehicle', '--runtime', 'scripted'], tmp_path) as graph:
        names = listener.node.get_node_names
        assert listener.until(lambda: {'planner', 'trajectory', 'monitor'} <= {*names()})
        graph.process.kill()
        graph.process.wait()
        assert listener.until(lambda: not leftovers(ros_domain)), leftovers(ros_domain)
    listener.close()


def test_a_node_that_starts_after_its_supervisor_died_ends(tmp_path, ros_domain, monkeypatch):
    with subprocess.Popen([sys.executable, '-c', '']) as gone:
        pass
    monkeypatch.setenv('ALPAMAYO_DIE_WITH_PARENT', str(gone.pid))
    process = start('monitor', tmp_path)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1


def test_a_node_that_hangs_while_it_is_taken_down_is_ended(ros_domain, tmp_path, monkeypatch):
    """Also when the call that hangs holds the interpreter, as one of the middleware may.

    Its status is not lost.
    """
    monkeypatch.setenv('ALPAMAYO_STATUS_FILE', str(tmp_path / 'status'))
    code = (
        'import ctypes\n'
        'from rclpy.node import Node\n'
        'from alpamayo_ros.nodes.common import node\n'
        'class Hanging(Node):\n'
        '    def __init__(self):\n'
        "        super().__init__('hanging')\n"
        '        self.create_timer(0.1, self.end)\n'
        '    def end(self):\n'
        "        raise node.ConfigurationError('refused')\n"
        '    def destroy_node(self):\n'
        '        ctypes.PyDLL(None).sleep(600)\n'
        'node.END_S = 1\n'
        'node.run(Hanging)\n'
    )
    done = subprocess.run([sys.executable, '-c', code], timeout=PATIENCE_S)
    assert done.returncode == -signal.SIGALRM
    assert (tmp_path / 'status').read_text() == '2'


def test_a_killed_node_is_started_again(tmp_path, rclpy_context):
    listener = Listener(rclpy_context)
    with running(['vehicle', '--runtime', 'scripted'], tmp_path) as graph:
        module = 'alpamayo_ros.nodes.monitor'
        assert listener.until(lambda: len(graph.pids(module)) == 1)
        (victim,) = graph.pids(module)
        os.kill(victim, signal.SIGKILL)
        assert listener.until(lambda: graph.pids(module) not in ([], [victim]))
    assert 'monitor | ended with status -9; starting it again (number 1)' in graph.log
    listener.close()
