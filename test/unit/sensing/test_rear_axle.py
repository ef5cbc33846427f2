"""Odometry of another point of the car, moved to the rear axle; CARLA's rigs and its sensors."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from alpamayo_ros.faults import Fault
from alpamayo_ros.sensing.odometry import OdometryWatch, from_message
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.units import NS

AHEAD_M, WHEELBASE_M = 1.4, 2.875
CONFIG = Path(__file__).resolve().parents[3] / 'config'


def test_a_turning_car_is_at_its_rear_axle_within_a_millimetre() -> None:
    """A car on a circle of 5 m whose origin, told in the messages, swings out before the axle."""
    radius_m, speed_mps, watch = 5.0, 4.0, OdometryWatch()
    turn_rps, worst_m, apart_m = speed_mps / radius_m, 0.0, 0.0
    for step in range(400):
        heading = 0.3 + turn_rps * step * 0.05
        x, y = 80 + radius_m * math.sin(heading), -30 - radius_m * math.cos(heading)
        told = (x + AHEAD_M * math.cos(heading), y + AHEAD_M * math.sin(heading))
        turned = (0.0, 0.0, math.sin(heading / 2), math.cos(heading / 2))
        twist = (speed_mps, turn_rps * AHEAD_M, 0.0, 0.0, 0.0, turn_rps)
        at_ns = NS + step * NS // 20
        values = (*told, 0.3, *turned, *twist)
        frames = ('map', 'ego_vehicle')
        found = from_message(at_ns, frames, values, frames, ahead_m=AHEAD_M)
        assert not isinstance(found, Fault) and found.speed_mps == speed_mps
        worst_m = max(worst_m, math.hypot(found.x_m - x, found.y_m - y))
        apart_m = max(apart_m, math.hypot(told[0] - x, told[1] - y))
        assert watch.check(found) is None  # place, speed and turn rate agree
    assert worst_m <= 0.001 and apart_m == pytest.approx(AHEAD_M)


@pytest.mark.parametrize('name', ['carla_ros_bridge', 'carla_native', 'carla_autoware_scenario'])
def test_the_rigs_of_carla_name_topics_that_are_theirs(name: str) -> None:
    rig = load_rig(name)
    assert len(rig.cameras) == 6 and not rig.assumed
    assert all(c.topic.startswith('/carla/') and c.topic.endswith('/image') for c in rig.cameras)
    moved = rig.odometry.ahead_of_rear_axle_m
    assert moved == (0.0 if name == 'carla_autoware_scenario' else AHEAD_M)


def test_the_sensors_that_the_bridge_spawns_are_the_cameras_of_the_rig() -> None:
    rig = load_rig('carla_ros_bridge')
    tree = json.loads((CONFIG / 'carla' / 'sensors.json').read_text())
    sensors = {s['id']: s for s in tree['objects'][0]['sensors']}
    assert sensors.pop('odometry')['type'] == 'sensor.pseudo.odom'
    assert set(sensors) == {c.name for c in rig.cameras}
    for camera in rig.cameras:
        one, mount = sensors[camera.name], camera.mount
        assert (one['image_size_x'], one['image_size_y']) == (camera.width, camera.height)
        assert one['fov'] == camera.hfov_deg and 1 / one['sensor_tick'] == camera.rate_hz
        place = one['spawn_point']
        assert place['x'] == pytest.approx(mount.x_m - rig.odometry.ahead_of_rear_axle_m)
        assert (place['y'], place['z']) == (mount.y_m, mount.z_m)
        assert math.radians(place['yaw']) == pytest.approx(mount.yaw_rad, abs=1e-4)
        assert math.radians(place['pitch']) == pytest.approx(mount.pitch_rad, abs=1e-4)
