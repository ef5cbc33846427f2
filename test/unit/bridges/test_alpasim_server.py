"""The gRPC server: driven to its end by a public peer, statuses, ports, and what is missing."""

from __future__ import annotations

import socket
import sys
import threading

import pytest
from alpasim_loop import session_request
from typer.testing import CliRunner

from alpamayo_ros import pipeline
from alpamayo_ros.bridges.alpasim import contract
from alpamayo_ros.bridges.alpasim.contract import message
from alpamayo_ros.bridges.alpasim.server import Driver, Refused, serve
from alpamayo_ros.cli.main import app
from alpamayo_ros.cli.operating.egodriver import camera_choices
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.scripted import Script, ScriptedRuntime
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.statuses import MachineError, Status

NEEDS = 'grpcio is not installed: pip install -r requirements/alpasim.txt'


class Double:
    """The scripted runtime, one cycle at a time."""

    def __init__(self):
        self.runtime = ScriptedRuntime(load_profile('nano'), Script(speed_mps=8.0))
        self.lock = threading.Lock()

    def ask(self, inputs):
        with self.lock:
            return pipeline.propose(inputs, self.runtime), []


@pytest.fixture
def served():
    """Port, and what was said of closed sessions."""
    pytest.importorskip('grpc', reason=NEEDS)
    tallies = {}
    driver = Driver(PlanConfig.from_files('nano'), Double(), {}, tallies.__setitem__)
    server, port = serve(driver, '127.0.0.1', 0)
    yield port, tallies
    server.stop(None).wait()


def test_fake_loop_drives_it_to_the_end_in_parallel(served):
    """carla-driver-interface's closed loop, a peer that somebody else wrote."""
    peer = pytest.importorskip(
        'carla_driver_interface.testing', reason='carla-driver-interface is not installed'
    )
    rig = (('front', 120, 0), ('front_left', 70, 60), ('front_right', 70, -60),
           ('rear_left', 70, 120), ('rear', 120, 180), ('rear_right', 70, -120))  # fmt: skip
    cameras = [
        peer.FakeCamera(f'camera_{name}', 112, 64, hfov, 1.5, 0.0, 1.5, 4.6, yaw)
        for name, hfov, yaw in rig
    ]
    port, tallies = served
    results = {}

    def drive(seed, steps):
        with peer.FakeLoop(f'127.0.0.1:{port}', cameras) as loop:
            results[seed] = loop.run(steps, seed=seed)

    threads = [threading.Thread(target=drive, args=(seed, 30)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [r.steps for r in results.values()] == [30, 30]
    assert len(tallies) == 2
    for tally in tallies.values():
        assert tally.drives == 30 and tally.images == 180 and tally.modes['ACTIVE'] >= 10
    assert all(r.speeds_mps[-1] > 0.2 for r in results.values())


def stub(port, name):
    import grpc

    asked, answered = contract.CALLS[name]
    channel = grpc.insecure_channel(f'127.0.0.1:{port}')
    path = f'/{contract.SERVICE}/{name}'
    return channel.unary_unary(path, bytes, message(answered).FromString)


def test_statuses_and_cut_messages_over_the_wire(served):
    import grpc

    port, _ = served
    with pytest.raises(grpc.RpcError) as refused:
        stub(port, 'drive')(message('DriveRequest')(session_uuid='who').SerializeToString())
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    with pytest.raises(grpc.RpcError) as cut:
        stub(port, 'start_session')(session_request('one').SerializeToString()[:-3])
    assert cut.value.code() is grpc.StatusCode.INTERNAL
    version, call = stub(port, 'get_version').with_call(b'')
    assert version.version_id.startswith('alpamayo_ros ')
    assert contract.REVISION in [tuple(pair) for pair in call.initial_metadata()]


def test_a_taken_port_is_a_sentence(served):
    driver = Driver(PlanConfig.from_files('nano'), Double(), {})
    with pytest.raises(MachineError, match=f'port {served[0]} of 127.0.0.1 is in use'):
        serve(driver, '127.0.0.1', served[0])


@pytest.mark.parametrize('host', ['nowhere.invalid', '192.0.2.1', '', '[::1', 'a' * 70])
def test_a_host_of_another_machine_is_named_before_a_model_is_loaded(host, monkeypatch):
    """It was said of the port, after minutes of loading, below a line of gRPC's log."""
    pytest.importorskip('grpc', reason=NEEDS)
    monkeypatch.setattr('alpamayo_ros.bridges.alpasim.model.ModelProcess', lambda _: pytest.fail())
    found = CliRunner().invoke(app, ['egodriver', '--host', host])
    assert found.exit_code == Status.USAGE
    assert f'alpamayo: --host {host!r} is no ' in found.output
    assert 'expected 127.0.0.1' in found.output


def test_a_taken_port_is_said_before_a_model_is_loaded(served, monkeypatch):
    monkeypatch.setattr('alpamayo_ros.bridges.alpasim.model.ModelProcess', lambda _: pytest.fail())
    found = CliRunner().invoke(app, ['egodriver', '--port', str(served[0])])
    assert found.exit_code == Status.ENVIRONMENT
    assert f'alpamayo: port {served[0]} of 127.0.0.1 is in use' in found.output


@pytest.mark.parametrize('host', ['::1', '[::1]', 'localhost'])
def test_an_address_may_have_colons(host):
    pytest.importorskip('grpc', reason=NEEDS)
    try:
        socket.create_server(('::1', 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip('this machine has no IPv6')
    server, port = serve(Driver(PlanConfig.from_files('nano'), Double(), {}), host, 0)
    server.stop(None).wait()
    assert port > 0


def test_without_grpcio_the_command_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'grpc', None)
    found = CliRunner().invoke(app, ['egodriver'])
    assert found.exit_code == Status.ENVIRONMENT
    assert 'pip install -r requirements/alpasim.txt' in found.output


@pytest.mark.parametrize('word', ['front', 'front=', 'back=camera_back', '=x'])
def test_a_camera_choice_is_a_pair(word):
    found = CliRunner().invoke(app, ['egodriver', '--camera', word])
    assert found.exit_code == Status.USAGE and 'expected CAMERA=LOGICAL_ID' in found.output


def test_one_camera_of_alpasim_is_not_two_of_the_profile():
    """It was refused in each session, long after the server said that it listens."""
    words = ['--camera', 'front=camera_wide', '--camera', 'rear=camera_wide']
    found = CliRunner().invoke(app, ['egodriver', *words])
    assert found.exit_code == Status.USAGE
    assert "'rear=camera_wide': front is 'camera_wide' already" in found.output


def test_a_chosen_name_is_looked_for():
    nano = load_profile('nano')
    chosen = camera_choices(['front=camera_front_wide_120fov'], nano)
    assert chosen == {'front': 'camera_front_wide_120fov'}
    request = session_request('one')
    request.rollout_spec.vehicle.available_cameras[0].logical_id = chosen['front']
    driver = Driver(PlanConfig.from_files('nano'), Double(), chosen)
    driver.start_session(request)  # refused with CAM_IDENTITY under the default name
    with pytest.raises(Refused, match='CAM_IDENTITY'):
        Driver(PlanConfig.from_files('nano'), Double(), {}).start_session(request)
