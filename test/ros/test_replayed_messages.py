"""Row F58: what was captured an hour ago is played into a live graph, and nobody drives by it."""

import time
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from graph import PATIENCE_S, Listener, running
from nav_msgs.msg import Odometry
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage

from alpamayo_ros.msg import CandidateArray, Health, PlannedTrajectory
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import buffer, ns, pose, stamp
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.units import MS, NS

pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.timeout(900)]  # other work beside
SPEED_MPS = 5.0  # of the car, and of the scripted model
TICK_S, TICK_NS, CREEP_NS = 0.005, 10 * MS, MS
ODOMETRY_NS, PICTURES_NS = 20 * MS, 100 * MS
HOUR_NS = 3600 * NS
CAPTURED_NS = 2 * NS
ARMED = {'trajectory': {'auto_arm': True, 'auto_rearm': True}, 'planner': {'slack': 10.0}}


class Car(Listener):
    """Clock, cameras and odometry of a car that drives straight on; it keeps what it sends.

    While pictures are not answered its time creeps: a slow machine makes nothing late.
    """

    def __init__(self, context: object) -> None:
        super().__init__(context)
        make = self.node.create_publisher
        self.now_ns, self.begin_ns = 5000 * NS, 5000 * NS
        self.live = True
        self.sent: list[tuple[int, Any, Any]] = []  # when, publisher, message
        self.cameras = load_rig('sim').for_profile(load_profile('nano'))
        self._clock = make(Clock, '/clock', 10)
        self._odometry = make(Odometry, 'odometry', qos.output(False, 50))
        profile = qos.sensor(False, 5, reliable=True)
        self._pictures = [make(CompressedImage, c.topic, profile) for c in self.cameras]
        self._odometry_ns = self._pictures_ns = 0
        self._noise = np.random.default_rng(58)

    @property
    def heard(self) -> bool:
        """Whether somebody listens to everything."""
        every = (self._clock, self._odometry, *self._pictures)
        return all(p.get_subscription_count() for p in every)

    @property
    def newest(self) -> Health:
        return self.health[-1]

    @property
    def planned(self) -> list[PlannedTrajectory]:
        """Plans out of candidates of the model; stops are none."""
        return [plan for plan in self.plans if plan.source == PlannedTrajectory.MODEL]

    def drive(self, condition: Any) -> bool:
        """Let time pass until the condition holds."""
        end_s = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > end_s:
                return False
            self.tick()
        return True

    def tick(self) -> None:
        """A little time, with what is due in it."""
        waiting = self.live and not any(
            ns(reply.header.stamp) == self._pictures_ns for reply in self.replies[-5:]
        )
        self.now_ns += CREEP_NS if waiting else TICK_NS
        self._clock.publish(Clock(clock=stamp(self.now_ns)))
        if self.live and self.now_ns - self._odometry_ns >= ODOMETRY_NS:
            self._move()
        if self.live and self.now_ns - self._pictures_ns >= PICTURES_NS:
            self._look()
        self.executor.spin_once(timeout_sec=TICK_S)

    def _move(self) -> None:
        self._odometry_ns = self.now_ns
        message = Odometry(child_frame_id='base_link')
        message.header.stamp, message.header.frame_id = stamp(self.now_ns), 'odom'
        message.pose.pose = pose(SPEED_MPS * (self.now_ns - self.begin_ns) / NS, 0.0, 0.0)
        message.twist.twist.linear.x = SPEED_MPS
        self.send(self._odometry, message)

    def _look(self) -> None:
        self._pictures_ns = self.now_ns
        for camera, publisher in zip(self.cameras, self._pictures, strict=True):
            coarse = self._noise.integers(0, 256, (6, 8, 3), dtype=np.uint8)
            size = (camera.width, camera.height)
            image = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
            message = CompressedImage(format='jpeg', data=buffer(cv2.imencode('.jpg', image)[1]))
            message.header.stamp, message.header.frame_id = stamp(self.now_ns), camera.frame_id
            self.send(publisher, message)

    def send(self, publisher: Any, message: Any) -> None:
        self.sent.append((self.now_ns, publisher, message))
        publisher.publish(message)


@pytest.fixture
def car(rclpy_context: object):
    found = Car(rclpy_context)
    yield found
    found.close()


def test_f58_messages_of_an_hour_ago_lead_to_no_plan(car: Car, tmp_path) -> None:
    with running(['vehicle', '--sim-time', '--runtime', 'scripted'], tmp_path, **ARMED) as graph:
        assert car.until(lambda: car.heard), graph.log
        assert car.drive(lambda: car.health and car.newest.state == Health.ACTIVE), graph.log
        assert car.drive(lambda: len(car.planned) > 10), graph.log
        from_ns = car.now_ns - CAPTURED_NS
        captured = [one for one in car.sent if one[0] >= from_ns]
        answers = list(car.replies[-10:])

        car.live, car.now_ns = False, car.now_ns + HOUR_NS
        later_ns = car.now_ns + NS
        assert car.drive(lambda: ns(car.newest.header.stamp) > later_ns), graph.log
        first = len(car.health)
        car.plans.clear()
        for at_ns, publisher, message in captured:
            assert car.drive(lambda due_ns=at_ns - from_ns + later_ns: car.now_ns >= due_ns)
            publisher.publish(message)
        twin = car.node.create_publisher(CandidateArray, 'candidates', qos.output(False, 10))
        assert car.drive(twin.get_subscription_count), graph.log
        for answer in answers:
            twin.publish(answer)
            car.tick()
        assert car.drive(lambda: 'DUP_PUBLISHER' in car.newest.faults), graph.log
        codes = {code for health in car.health[first:] for code in health.faults}
        assert {'CAM_STALE', 'ODOM_GAP'} <= codes, 'they came, and were refused by their age'
        assert not car.planned, 'a stop may go on, nothing is planned'
        car.node.destroy_publisher(twin)

        car.live, again_ns = True, car.now_ns
        assert car.drive(lambda: len(car.planned) > 3), graph.log
        assert all(ns(plan.header.stamp) >= again_ns for plan in car.planned)
