"""What a source of the world publishes: clock, cameras with calibration, odometry, tf, objects."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import cv2
import numpy as np
from geometry_msgs.msg import PoseStamped, TransformStamped
from nav_msgs.msg import Odometry, Path
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage

from alpamayo_ros.msg import NavInstruction, TrackedObject, TrackedObjectArray
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import pose, stamp
from alpamayo_ros.nodes.lockstep.step_source import StepSource
from alpamayo_ros.sensing.navigation import NavInstruction as Instruction
from alpamayo_ros.sensing.rig import RigCamera
from alpamayo_ros.sensing.synchronisation.sync import WAIT_NS
from alpamayo_ros.simulation.inject import Event, Injector, Line
from alpamayo_ros.types import EgoState

CLOCK_DEPTH = 10
CAR_HEIGHT_M = 1.5
NO_TF = (  # the car's frame and that of the odometry are then two worlds to a display
    'tf is off: tf2_msgs is not installed; RViz and Foxglove show plan, words and state around '
    'the car, and route, path and odometry only with odom as the fixed frame'
)


class WorldTopics:
    """Publishers of the simulator; every stamp is given, none is read from a clock."""

    def __init__(
        self,
        node: Any,
        cameras: list[RigCamera],
        lockstep: bool,
        quality: int,
        injectors: Sequence[Injector] = (),
        steps: StepSource[Any] | None = None,
    ) -> None:
        """``quality``: of the JPEG images, 1 to 100; ``injectors`` see images and odometry.

        ``steps``: in lockstep, keeps account of what is sent.
        """
        self._node, self._cameras, self._quality = node, cameras, quality
        self._line = Line(injectors)
        sensor, out = qos.sensor(lockstep), qos.output(lockstep)
        publish = qos.watched_publisher
        self._clock = node.create_publisher(Clock, '/clock', CLOCK_DEPTH)
        self._images = {c.name: publish(node, CompressedImage, c.topic, sensor) for c in cameras}
        self._infos = {
            c.name: publish(node, CameraInfo, c.info_topic, qos.latched())
            for c in cameras
            if c.info_topic
        }
        odometry = qos.lockstep() if lockstep else qos.output(False, depth=50)
        self._odometry = publish(node, Odometry, 'odometry', odometry)
        self._objects = publish(node, TrackedObjectArray, 'ground_truth/objects', out)
        self._nav = publish(node, NavInstruction, 'nav_instruction', qos.latched(10))
        self._route = publish(node, Path, 'route', qos.latched())
        self._steps = steps
        self._tf = self._tf_publisher()

    def _tf_publisher(self) -> Any:
        """tf needs tf2_msgs, which is not on PyPI; said once."""
        try:
            message = import_module('tf2_msgs.msg').TFMessage
        except ImportError:
            self._node.get_logger().info(NO_TF)
            return None
        return self._node.create_publisher(message, '/tf', 10), message

    def unmatched(self) -> list[str]:
        """Inputs that nobody reads yet, in words; empty when every camera and odometry is read."""
        readers = (*self._images.values(), self._odometry)
        lacks = [p.topic_name for p in readers if not p.get_subscription_count()]
        out = [] if self._steps is None else self._steps.unmatched()
        return [*(f'nobody reads {topic}' for topic in lacks), *out]

    def _publish(self, publisher: Any, message: Any, now_ns: int) -> None:
        if self._steps is None:
            publisher.publish(message)
        else:
            self._steps.publish(publisher, message, now_ns)

    def clock(self, now_ns: int) -> None:
        """Simulated time."""
        self._clock.publish(Clock(clock=stamp(now_ns)))

    def _inject(self, event: Event) -> list[Event]:
        """What becomes of one message, those included that are due from before."""
        self._line.feed(event)
        return self._line.due(event.arrival_ns)

    def odometry(self, state: EgoState) -> None:
        """Pose in odom, twist in base_link (REP 105), and tf where it can be published."""
        now_ns = state.stamp_ns
        for event in self._inject(Event('odometry', now_ns, now_ns, state)):
            self._send(event, now_ns)

    def _send(self, event: Event, now_ns: int) -> None:
        if event.source == 'odometry':
            self._send_odometry(replace(event.payload, stamp_ns=event.stamp_ns), now_ns)
        else:
            camera = next(c for c in self._cameras if c.name == event.source)
            data = array('B')
            data.frombytes(event.payload)
            message = CompressedImage(format='jpeg', data=data)
            message.header.stamp, message.header.frame_id = stamp(event.stamp_ns), camera.frame_id
            self._publish(self._images[event.source], message, now_ns)

    def _send_odometry(self, state: EgoState, now_ns: int) -> None:
        message = Odometry(child_frame_id='base_link')
        message.header.stamp, message.header.frame_id = stamp(state.stamp_ns), 'odom'
        message.pose.pose = pose(state.x_m, state.y_m, state.heading_rad)
        message.twist.twist.linear.x = float(state.speed_mps)
        message.twist.twist.angular.z = float(state.yaw_rate_rps)
        self._publish(self._odometry, message, now_ns)
        if self._tf is not None:
            publisher, kind = self._tf
            transform = TransformStamped(header=message.header, child_frame_id='base_link')
            place = message.pose.pose
            transform.transform.translation.x = place.position.x
            transform.transform.translation.y = place.position.y
            transform.transform.rotation = place.orientation
            publisher.publish(kind(transforms=[transform]))

    def calibration(self, time_ns: int) -> None:
        """CameraInfo of every camera, latched."""
        for camera in self._cameras:
            if camera.name in self._infos:
                info = camera_info(camera, time_ns)
                self._publish(self._infos[camera.name], info, time_ns)

    def route(self, points: np.ndarray, time_ns: int) -> None:
        """The way to go, in odom (N, 2) [m], latched."""
        message = Path()
        message.header.stamp, message.header.frame_id = stamp(time_ns), 'odom'
        message.poses = [
            PoseStamped(header=message.header, pose=pose(x, y, 0.0)) for x, y in points
        ]
        self._publish(self._route, message, time_ns)

    def instruct(self, instruction: Instruction, time_ns: int) -> None:
        """What a navigation device would say now."""
        message = NavInstruction(source='route', exit_number=instruction.exit_number)
        message.maneuver, message.distance_m = instruction.maneuver, instruction.distance_m
        message.header.stamp, message.street = stamp(time_ns), instruction.street
        self._publish(self._nav, message, time_ns)

    def images(self, time_ns: int, images: Mapping[str, np.ndarray]) -> None:
        """JPEG images of the cameras (RGB, uint8); in lockstep that ends the step.

        The reference camera is the last one: it completes the set.
        """
        for camera in reversed(self._cameras):
            data = self._jpeg(images[camera.name])
            for event in self._inject(Event(camera.name, time_ns, time_ns, data)):
                self._send(event, time_ns)
        if self._steps is not None:
            self._steps.close(time_ns + WAIT_NS, time_ns)

    def _jpeg(self, image: np.ndarray) -> bytes:
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        ok, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        if not ok:
            raise RuntimeError('OpenCV could not encode an image')
        return bytes(data.tobytes())

    def objects(self, time_ns: int, agents: Iterable[Any]) -> None:
        """The simulator's truth, in odom: anything with x, y, heading, speed, length, width."""
        message = TrackedObjectArray(source='ground_truth')
        message.header.stamp, message.header.frame_id = stamp(time_ns), 'odom'
        message.objects = [tracked(agent) for agent in agents]
        self._publish(self._objects, message, time_ns)


def tracked(agent: Any) -> TrackedObject:
    """TrackedObject of one simulated road user."""
    item = TrackedObject(id=int(agent.id), kind=agent.kind, existence=1.0)
    item.pose = pose(agent.x_m, agent.y_m, agent.heading_rad)
    item.velocity.x = float(agent.speed_mps * math.cos(agent.heading_rad))
    item.velocity.y = float(agent.speed_mps * math.sin(agent.heading_rad))
    item.length_m, item.width_m = float(agent.length_m), float(agent.width_m)
    item.height_m, item.yaw_rate_rps = CAR_HEIGHT_M, math.nan
    return item


def camera_info(camera: RigCamera, time_ns: int) -> CameraInfo:
    """CameraInfo of a rig's camera: the raw image's intrinsics, no rectification applied."""
    message = CameraInfo(width=camera.width, height=camera.height)
    message.header.stamp, message.header.frame_id = stamp(time_ns), camera.frame_id
    distorted = camera.distortion.model != 'none'
    message.distortion_model = camera.distortion.model if distorted else 'plumb_bob'
    message.d = [float(v) for v in camera.distortion.coefficients] if distorted else [0.0] * 5
    k = camera.matrix
    message.k = [float(v) for v in k.reshape(-1)]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [float(v) for v in np.hstack([k, np.zeros((3, 1))]).reshape(-1)]
    return message
