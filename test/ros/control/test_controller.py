"""The controller: when it speaks, when it brakes, what it sends; and a drive through it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from geometry_msgs.msg import Twist
from graph import running

from alpamayo_ros.graph_options import CONTROLLERS, Options
from alpamayo_ros.limits import load_limits
from alpamayo_ros.msg import PlannedTrajectory
from alpamayo_ros.nodes.common.convert import floats, pose, stamp
from alpamayo_ros.nodes.control import drive_messages
from alpamayo_ros.nodes.control.command import Command, Commander
from alpamayo_ros.nodes.control.engagement import Engagement
from alpamayo_ros.nodes.control.obedience import Orders, obeyed
from alpamayo_ros.nodes.control.tracking import tracked
from alpamayo_ros.preflight import check_controller
from alpamayo_ros.simulation.ego import EgoPose, advance
from alpamayo_ros.simulation.sim_rig import sim_vehicle
from alpamayo_ros.simulation.tracker import EXPIRED_MPS2
from alpamayo_ros.statuses import ConfigError, MachineError
from alpamayo_ros.types import EgoState
from alpamayo_ros.units import NS

CAR = sim_vehicle()
NOW = 1000 * NS
EGO = EgoState(NOW, 0.0, 0.0, 0.0, 5.0)


def straight(speed_mps: float = 5.0, bend: float = 0.0) -> PlannedTrajectory:
    """A reference of 6 s along an arc, valid for 0.5 s."""
    s = speed_mps * 0.1 * np.arange(1, 61)
    x, y = (s, 0 * s) if not bend else (np.sin(bend * s) / bend, (1 - np.cos(bend * s)) / bend)
    message = PlannedTrajectory(dt_s=0.1, odom_frame='odom', speed_cap_mps=float('inf'))
    message.header.stamp, message.valid_until = stamp(NOW), stamp(NOW + NS // 2)
    message.x_m, message.y_m, message.pose_in_odom = floats(x), floats(y), pose(0.0, 0.0, 0.0)
    return message


class Drive(SimpleNamespace):
    """The fields of ackermann_msgs/AckermannDrive, which is not installed here."""


class DriveStamped(SimpleNamespace):
    """AckermannDriveStamped."""

    def __init__(self, drive: Drive) -> None:
        super().__init__(drive=drive, header=SimpleNamespace())


def commander() -> Commander:
    return Commander(CAR, load_limits(), 'odom')


def test_a_fit_reference_is_tracked_as_the_simulated_car_tracks_it():
    reference = straight(6.0, bend=0.05)
    found = commander().at(reference, EGO, NOW)
    wanted = tracked(reference, EgoPose(0.0, 0.0, 0.0, 5.0), NOW, CAR)
    assert (found.steering_rad, found.acceleration_mps2) == wanted and not found.because
    assert found.steering_rad > 0.05 and found.acceleration_mps2 > 0.5
    assert found.speed_mps == pytest.approx(5.0 + 0.7 * found.acceleration_mps2)


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (lambda r: setattr(r, 'valid_until', stamp(NOW - NS // 10)), 'expired 0.10 s ago'),
        (lambda r: setattr(r, 'x_m', floats([])) or setattr(r, 'y_m', floats([])), 'is a brake'),
        (lambda r: setattr(r, 'y_m', floats([0.0])), '60 x and 1 y'),
        (lambda r: setattr(r, 'x_m', floats([math.nan] * 60)), 'no number'),
        (lambda r: setattr(r, 'dt_s', 0.0), 'dt_s'),
        (lambda r: setattr(r, 'dt_s', math.inf), 'no number'),
        (lambda r: setattr(r, 'shadow', True), 'shadow'),
        (lambda r: setattr(r, 'odom_frame', 'map'), "in 'map'"),
        (lambda r: setattr(r, 'valid_until', stamp(NOW + 3600 * NS)), 'of another time'),
        (lambda r: setattr(r.header, 'stamp', stamp(NOW + NS)), 'of another time'),
        (lambda r: setattr(r.pose_in_odom.position, 'x', math.inf), 'no number'),
    ],
)
def test_what_is_unfit_or_over_brakes_comfortably(change, said):
    reference = straight()
    change(reference)
    found = commander().at(reference, EGO, NOW)
    assert found.acceleration_mps2 == EXPIRED_MPS2 and said in found.because
    assert math.isfinite(found.steering_rad) and found.speed_mps < EGO.speed_mps


def test_silence_and_lost_odometry_brake_with_the_steering_held():
    one = commander()
    one.at(straight(bend=0.05), EGO, NOW)
    held = one.steering_rad
    assert held > 0.05
    assert one.at(None, EGO, NOW) == Command(
        held, EXPIRED_MPS2, pytest.approx(2.9), 'no reference'
    )
    late = one.at(straight(), EGO, NOW + 3 * NS // 10)
    assert late == Command(held, EXPIRED_MPS2, pytest.approx(2.0), 'odometry is 0.30 s old')
    assert one.at(straight(), None, NOW).because == 'no odometry'
    ahead = one.at(straight(), replace(EGO, stamp_ns=NOW + NS), NOW)
    assert ahead.acceleration_mps2 == EXPIRED_MPS2


def test_no_faster_than_the_cap_that_the_gate_applied():
    reference = straight(9.0)
    free = commander().at(reference, EGO, NOW)
    reference.speed_cap_mps = 5.0
    capped = commander().at(reference, EGO, NOW)
    assert free.acceleration_mps2 > 1.0 and capped.acceleration_mps2 == pytest.approx(0.0)
    reference.speed_cap_mps = 0.0  # much lower: comfortably down, no emergency
    assert commander().at(reference, EGO, NOW).acceleration_mps2 == EXPIRED_MPS2
    reference.speed_cap_mps = math.nan
    assert commander().at(reference, EGO, NOW).acceleration_mps2 == EXPIRED_MPS2


def test_silent_until_armed_and_braking_to_a_stand_after_a_disarm():
    one = Engagement()
    assert not one.engaged
    one.on_health(False)
    assert not one.engaged  # a person drives
    one.on_health(True)
    assert one.engaged and not one.braking
    one.on_health(False)
    one.on_speed(4.0)
    assert one.engaged and one.braking == 'disarmed while driving'
    one.on_speed(0.02)
    assert not one.engaged


def test_a_person_who_takes_over_is_left_alone_until_the_driver_is_armed_again():
    one = Engagement()
    one.on_health(True)
    one.on_takeover(True)
    assert not one.engaged
    one.on_health(True)  # on its way when the person took over
    one.on_takeover(False)
    one.on_health(True)
    assert not one.engaged
    one.on_health(False)
    assert not one.engaged
    one.on_health(True)
    assert one.engaged
    one.on_health(False, ('TAKEOVER',))  # the topic itself was lost
    one.on_speed(4.0)
    assert not one.engaged


def test_a_twist_tells_steering_and_acceleration_to_whoever_reads_it():
    for speed in (1.0, 5.0, 9.0):
        for wanted in (-3.0, 0.0, 1.5):
            command = Command(0.2, wanted, max(0.0, speed + 0.7 * wanted))
            there = obeyed(drive_messages.twist(command, CAR), EgoPose(0, 0, 0, speed, 0.1), CAR)
            if command.speed_mps:
                assert there == (pytest.approx(0.2), pytest.approx(wanted))
            else:
                assert there[0] == 0.1 and there[1] <= -1.0
    broken = Twist()
    broken.linear.x = math.nan
    assert obeyed(broken, EgoPose(0, 0, 0, 5.0), CAR)[1] < 0


def test_ackermann_messages_have_tyre_angle_speed_and_acceleration(monkeypatch):
    module = SimpleNamespace(AckermannDrive=Drive, AckermannDriveStamped=DriveStamped)
    monkeypatch.setattr(drive_messages, 'import_module', lambda name: module)
    for kind in CONTROLLERS[1:3]:
        _, encode = drive_messages.encoder(kind, CAR)
        made = encode(Command(-0.3, 1.0, 4.0), NOW)
        inner = getattr(made, 'drive', made)
        assert (inner.steering_angle, inner.speed, inner.acceleration) == (-0.3, 4.0, 1.0)
        assert inner.steering_angle_velocity == CAR.steering_rate_max_rps
    assert made.header.frame_id == 'base_link' and made.header.stamp.sec == 1000


def test_without_ackermann_msgs_the_sentence_says_what_to_install(monkeypatch):
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(drive_messages, 'import_module', absent)
    with pytest.raises(ConfigError, match='ackermann-msgs'):
        drive_messages.encoder('ackermann', CAR)
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(MachineError, match='apt install'):
        check_controller('vehicle', Options(controller='ackermann'))


@pytest.mark.parametrize(
    ('graph', 'options', 'said'),
    [
        ('vehicle', Options(controller='twits'), 'did you mean twist'),
        ('vehicle', Options(controller='twist', shadow=True), 'shadow'),
        ('replay', Options(controller='twist'), 'moves no car'),
        ('simulator', Options(controller='ackermann'), 'reads twist'),
    ],
)
def test_a_controller_that_nobody_obeys_is_refused(graph, options, said):
    with pytest.raises(ConfigError, match=said):
        check_controller(graph, options)


def test_the_simulated_car_obeys_a_command_for_a_moment_only():
    orders = Orders(commanded=True, lockstep=False)
    assert orders.in_force(NOW) is None
    orders.command(Twist(), NOW)
    assert orders.in_force(NOW + NS // 10) is not None
    assert orders.in_force(NOW + NS // 2) is None
    step = Orders(commanded=True, lockstep=True)
    step.command(Twist(), NOW)
    assert step.in_force(NOW) is not None and step.in_force(NOW + NS // 10) is None


def test_a_stop_through_a_twist_ends_at_a_stand():
    car, one, now = EgoPose(0.0, 0.0, 0.0, 8.0), commander(), NOW
    for _ in range(60):
        ego = EgoState(now, car.x_m, car.y_m, car.heading_rad, car.speed_mps)
        command = one.brake(ego, now, 'x')
        car = advance(car, *obeyed(drive_messages.twist(command, CAR), car, CAR), CAR)
        now += NS // 10
    assert car.speed_mps == 0.0 and car.x_m < 20.0


@pytest.mark.ros
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_drive_through_the_controller_scores_as_without_it(tmp_path, ros_domain):
    base = ['simulator', '--runtime', 'scripted', '--lockstep', '--seed', '3', '--duration', '8']
    found = {}
    for name, words in (('direct', []), ('controller', ['--controller', 'twist'])):
        output = tmp_path / f'{name}.json'
        with running([*base, '--output', str(output), *words], tmp_path) as graph:
            assert graph.wait() == 0, graph.log
        assert 'Traceback' not in graph.log
        found[name] = json.loads(output.read_text())
    direct, through = found['direct'], found['controller']
    assert through['distance_m'] == pytest.approx(direct['distance_m'], rel=0.02)
    assert through['offroad_s'] == direct['offroad_s']
    if direct['score'] is not None:
        assert through['score'] == pytest.approx(direct['score'], abs=0.02)
