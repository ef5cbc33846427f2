"""Publishers as CARLA's interfaces are said to be bring the vehicle graph to ACTIVE; no CARLA."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from graph import PATIENCE_S, Listener, running
from nav_msgs.msg import Odometry
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import Trigger

from alpamayo_ros.graph_options import Options
from alpamayo_ros.msg import Health
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import buffer, pose, stamp
from alpamayo_ros.nodes.control import drive_messages
from alpamayo_ros.nodes.control.command import Command
from alpamayo_ros.other_stack import check_other_stack
from alpamayo_ros.sensing.rig import Rig, RigCamera, load_rig
from alpamayo_ros.simulation.sim_rig import sim_vehicle
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.units import NS

STEP_NS = NS // 20  # CARLA's fixed step; pictures come with every second one
PACE = 2.0  # wall seconds a simulated one: continuous integration draws no pictures either
LATEST_S = 10.0  # simulated, from the first message to ACTIVE
VARIANTS = {
    'carla_ros_bridge': [],
    'carla_native': [],
    'carla_autoware_scenario': [
        '--autoware', '--parameters', 'config/carla/autoware_scenario.param.yaml',
    ],
}  # fmt: skip


class Carla:
    """A car that stands: clock, pictures, calibration and odometry of one rig."""

    def __init__(self, node: Any, rig: Rig) -> None:
        self.rig, self._now_ns, make = rig, 5 * NS, node.create_publisher
        self._clock = make(Clock, '/clock', qos.output(False))
        self._odometry = make(Odometry, rig.odometry.topic, qos.output(False, 10))
        self._pictures = {c.name: make(Image, c.topic, qos.output(False, 5)) for c in rig.cameras}
        self._infos = {
            c.name: make(CameraInfo, c.info_topic, qos.output(False)) for c in rig.cameras
        }
        self._noise = np.random.default_rng(0)
        self.steps = 0

    @property
    def heard(self) -> bool:
        """Whether somebody listens to everything."""
        every = (*self._pictures.values(), self._odometry, self._clock)
        return all(p.get_subscription_count() for p in every)

    def step(self) -> None:
        self._now_ns += STEP_NS
        self._clock.publish(Clock(clock=stamp(self._now_ns)))
        source = self.rig.odometry
        at = Odometry(child_frame_id=source.child_frame_id)
        at.header.stamp, at.header.frame_id = stamp(self._now_ns), source.frame_id
        at.pose.pose = pose(100.0, 50.0, 0.5)
        self._odometry.publish(at)
        for camera in self.rig.cameras if self.steps % 2 == 0 else ():
            self._picture(camera)
        self.steps += 1

    def _picture(self, camera: RigCamera) -> None:
        coarse = self._noise.integers(60, 200, (camera.height // 16, camera.width // 16, 4))
        pixels = np.repeat(np.repeat(coarse, 16, axis=0), 16, axis=1).astype(np.uint8)
        out = Image(height=camera.height, width=camera.width, encoding='bgra8')
        out.header.stamp, out.header.frame_id = stamp(self._now_ns), camera.frame_id
        out.step, out.data = 4 * camera.width, buffer(pixels)
        info = CameraInfo(height=camera.height, width=camera.width, distortion_model='plumb_bob')
        info.header, info.d, info.k = out.header, [0.0] * 5, camera.matrix.reshape(-1).tolist()
        self._infos[camera.name].publish(info)
        self._pictures[camera.name].publish(out)


class Driver(Listener):
    """Arms once the graph is READY, and notes when it became ACTIVE."""

    carla: Carla | None = None
    active_steps = 0

    def work(self) -> None:
        state = self.health[-1].state if self.health else Health.INIT
        if self.carla is None or not self.carla.heard:
            return
        now_s = time.monotonic()
        if now_s - self._stepped_s >= PACE * STEP_NS / NS:
            self._stepped_s = now_s
            self.carla.step()
        if state == Health.READY and now_s - self._asked_s > 1.0:
            self._asked_s = now_s
            self._arm.call_async(Trigger.Request())
        if state == Health.ACTIVE and not self.active_steps:
            self.active_steps = self.carla.steps

    def begin(self, carla: Carla) -> None:
        self._stepped_s = self._asked_s = 0.0
        self._arm = self.node.create_client(Trigger, 'trajectory/arm')
        self.carla = carla


@pytest.fixture
def driver(rclpy_context: object) -> Iterator[Driver]:
    listener = Driver(rclpy_context)
    yield listener
    listener.close()


@pytest.mark.nightly  # in real time: beside other work pictures come late, and CLOCK is right
@pytest.mark.ros
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize('name', VARIANTS)
def test_a_variant_reaches_active_in_ten_seconds(name: str, driver: Driver, tmp_path) -> None:
    if '--autoware' in VARIANTS[name] and not importlib.util.find_spec('autoware_planning_msgs'):
        pytest.skip('autoware_planning_msgs is absent: see tools/autoware_messages')
    words = [w for w in VARIANTS[name] if w == '--autoware']
    changes = {}
    if words:
        topics = {'candidates_topic': '', 'operation_mode_topic': ''}
        changes = {'autoware': {'trajectory_topic': '/planning/scenario_planning/trajectory'}}
        changes['autoware'].update(topics)
    graph = ['vehicle', '--sim-time', '--runtime', 'scripted', '--rig', name, *words]
    driver.begin(Carla(driver.node, load_rig(name)))
    with running(graph, tmp_path, **changes) as started:
        assert driver.until(
            lambda: bool(driver.active_steps) or started.process.poll() is not None, PATIENCE_S
        ), started.log
        assert driver.active_steps, started.log
    took_s = driver.active_steps * STEP_NS / NS
    print(f'{name}: ACTIVE after {took_s:.2f} s')
    assert took_s <= LATEST_S


def test_pedals_and_wheel_of_carla() -> None:
    def made(steering: float, pull: float) -> SimpleNamespace:
        command, blank = Command(steering, pull, 5.0), SimpleNamespace(header=SimpleNamespace())
        return drive_messages._pedals(blank, command, sim_vehicle(), 7 * NS)

    left = made(0.275, 1.5)
    assert (left.throttle, left.brake, left.steer) == (0.5, 0.0, pytest.approx(-0.5))
    stop = made(-2.0, -4.0)
    assert (stop.throttle, stop.brake, stop.steer) == (0.0, 0.5, 1.0)
    assert not (stop.hand_brake or stop.reverse or stop.manual_gear_shift)
    assert made(0.0, 30.0).throttle == made(0.0, -30.0).brake == 1.0


@pytest.mark.parametrize(
    ('graph', 'options', 'said'),
    [
        ('simulator', Options(sim_time=True), 'a world of its own'),
        ('replay', Options(autoware=True), 'a world of its own'),
        ('vehicle', Options(autoware=True, shadow=True), 'shadow'),
        ('vehicle', Options(sim_time=True, lockstep=True), '--free'),
    ],
)
def test_another_stack_beside_the_wrong_graph_is_refused(graph, options, said) -> None:
    with pytest.raises(ConfigError, match=said):
        check_other_stack(graph, options, load_rig('sim'))
