"""The sensor messages a recording is made of, built from the core's records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from alpamayo_ros.bags.bag import BagWriter
from alpamayo_ros.sensing.navigation import NavInstruction
from alpamayo_ros.sensing.rig import RigCamera

DISTORTION_MODEL = {'none': 'plumb_bob'}  # CameraInfo has no name for an ideal lens


@dataclass(frozen=True, slots=True)
class BoxRow:
    """One road user.

    ``pose`` of the box's centre and ``velocity_mps`` over the ground, both in the frame that is
    given with it; ``size_m``: length, width, height (0: unknown).
    """

    id: int
    kind: str
    pose: Float[np.ndarray, '4 4']
    velocity_mps: Float[np.ndarray, '3']
    size_m: tuple[float, float, float]
    yaw_rate_rps: float = float('nan')


class SensorBag(BagWriter):
    """A bag writer that knows cameras, odometry, objects, instructions and tf."""

    def compressed_image(self, topic: str, stamp_ns: int, frame_id: str, data: bytes) -> None:
        """Append a CompressedImage whose format is read off its first bytes."""
        kind = 'png' if data.startswith(b'\x89PNG') else 'jpeg'
        message = self.new(
            'sensor_msgs/msg/CompressedImage',
            header=self.header(stamp_ns, frame_id),
            format=kind,
            data=np.frombuffer(data, np.uint8),
        )
        self.write(topic, message, stamp_ns)

    def camera_info(self, topic: str, stamp_ns: int, camera: RigCamera) -> None:
        """Append the CameraInfo of a rig camera."""
        matrix = camera.matrix
        projection = np.hstack([matrix, np.zeros((3, 1))])
        model = camera.distortion.model
        message = self.new(
            'sensor_msgs/msg/CameraInfo',
            header=self.header(stamp_ns, camera.frame_id),
            height=camera.height,
            width=camera.width,
            distortion_model=DISTORTION_MODEL.get(model, model),
            d=np.array(camera.distortion.coefficients or [0.0] * 5),
            k=matrix.reshape(-1),
            r=np.eye(3).reshape(-1),
            p=projection.reshape(-1),
            binning_x=0,
            binning_y=0,
            roi=self.new(
                'sensor_msgs/msg/RegionOfInterest',
                x_offset=0,
                y_offset=0,
                height=0,
                width=0,
                do_rectify=False,
            ),
        )
        self.write(topic, message, stamp_ns)

    def odometry(
        self,
        topic: str,
        stamp_ns: int,
        frames: tuple[str, str],
        pose: Float[np.ndarray, '4 4'],
        linear_mps: Float[np.ndarray, '3'],
        angular_rps: Float[np.ndarray, '3'],
    ) -> None:
        """Append nav_msgs/Odometry: ``pose`` of frames[1] in frames[0], twist in frames[1]."""
        covariance = np.zeros(36)
        placed = self._pose(pose)
        twist = self.new(
            'geometry_msgs/msg/Twist',
            linear=self._vector(linear_mps),
            angular=self._vector(angular_rps),
        )
        message = self.new(
            'nav_msgs/msg/Odometry',
            header=self.header(stamp_ns, frames[0]),
            child_frame_id=frames[1],
            pose=self.new(
                'geometry_msgs/msg/PoseWithCovariance', pose=placed, covariance=covariance
            ),
            twist=self.new(
                'geometry_msgs/msg/TwistWithCovariance', twist=twist, covariance=covariance
            ),
        )
        self.write(topic, message, stamp_ns)

    def objects(
        self, topic: str, stamp_ns: int, frame_id: str, source: str, boxes: Iterable[BoxRow]
    ) -> None:
        """Append alpamayo_ros/TrackedObjectArray; ``source`` says who knows it."""
        rows = [
            self.new(
                'alpamayo_ros/msg/TrackedObject',
                id=box.id,
                kind=box.kind,
                existence=1.0,
                pose=self._pose(box.pose),
                velocity=self._vector(box.velocity_mps),
                yaw_rate_rps=box.yaw_rate_rps,
                length_m=box.size_m[0],
                width_m=box.size_m[1],
                height_m=box.size_m[2],
                position_variance=np.zeros(0, np.float32),
            )
            for box in boxes
        ]
        message = self.new(
            'alpamayo_ros/msg/TrackedObjectArray',
            header=self.header(stamp_ns, frame_id),
            source=source,
            objects=rows,
        )
        self.write(topic, message, stamp_ns)

    def instruction(self, topic: str, stamp_ns: int, said: NavInstruction) -> None:
        """Append alpamayo_ros/NavInstruction, as a route planner publishes it."""
        message = self.new(
            'alpamayo_ros/msg/NavInstruction',
            header=self.header(stamp_ns, 'map'),
            maneuver=int(said.maneuver),
            distance_m=said.distance_m,
            exit_number=said.exit_number,
            street=said.street,
            expires=self.new('builtin_interfaces/msg/Time', sec=0, nanosec=0),
            text='',
            source='route',
            faults=[],
        )
        self.write(topic, message, stamp_ns)

    def speed(self, topic: str, stamp_ns: int, frame_id: str, speed_mps: float) -> None:
        """Append geometry_msgs/TwistStamped with a speed along x alone."""
        linear = self._vector(np.array([speed_mps, 0.0, 0.0]))
        twist = self.new(
            'geometry_msgs/msg/Twist', linear=linear, angular=self._vector(np.zeros(3))
        )
        header = self.header(stamp_ns, frame_id)
        message = self.new('geometry_msgs/msg/TwistStamped', header=header, twist=twist)
        self.write(topic, message, stamp_ns)

    def steering(self, topic: str, stamp_ns: int, angle_rad: float, speed_mps: float) -> None:
        """Append ackermann_msgs/AckermannDriveStamped; the angle is that of the road wheels."""
        drive = self.new(
            'ackermann_msgs/msg/AckermannDrive',
            steering_angle=angle_rad,
            steering_angle_velocity=0.0,
            speed=speed_mps,
            acceleration=0.0,
            jerk=0.0,
        )
        header = self.header(stamp_ns, 'base_link')
        kind = 'ackermann_msgs/msg/AckermannDriveStamped'
        self.write(topic, self.new(kind, header=header, drive=drive), stamp_ns)

    def transforms(
        self, topic: str, stamp_ns: int, poses: dict[tuple[str, str], np.ndarray]
    ) -> None:
        """Append tf2_msgs/TFMessage; ``poses``: (parent, child) to child in parent."""
        transforms = [
            self.new(
                'geometry_msgs/msg/TransformStamped',
                header=self.header(stamp_ns, parent),
                child_frame_id=child,
                transform=self.new(
                    'geometry_msgs/msg/Transform',
                    translation=self._vector(pose[:3, 3]),
                    rotation=self._rotation(pose),
                ),
            )
            for (parent, child), pose in poses.items()
        ]
        self.write(topic, self.new('tf2_msgs/msg/TFMessage', transforms=transforms), stamp_ns)

    def _pose(self, pose: np.ndarray) -> Any:
        position, orientation = self._point(pose[:3, 3]), self._rotation(pose)
        return self.new('geometry_msgs/msg/Pose', position=position, orientation=orientation)

    def _vector(self, v: np.ndarray) -> Any:
        return self.new('geometry_msgs/msg/Vector3', x=float(v[0]), y=float(v[1]), z=float(v[2]))

    def _point(self, v: np.ndarray) -> Any:
        return self.new('geometry_msgs/msg/Point', x=float(v[0]), y=float(v[1]), z=float(v[2]))

    def _rotation(self, pose: np.ndarray) -> Any:
        x, y, z, w = (float(v) for v in quaternion(pose[:3, :3]))
        return self.new('geometry_msgs/msg/Quaternion', x=x, y=y, z=z, w=w)


def quaternion(rotation: Float[np.ndarray, '3 3']) -> Float[np.ndarray, '4']:
    """Unit quaternion (x, y, z, w), w >= 0, of a rotation (Bar-Itzhack: largest eigenvector)."""
    m = rotation
    k = np.array(
        [
            [m[0, 0] - m[1, 1] - m[2, 2], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[2, 1] - m[1, 2]],
            [m[0, 1] + m[1, 0], m[1, 1] - m[0, 0] - m[2, 2], m[1, 2] + m[2, 1], m[0, 2] - m[2, 0]],
            [m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], m[2, 2] - m[0, 0] - m[1, 1], m[1, 0] - m[0, 1]],
            [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], m[0, 0] + m[1, 1] + m[2, 2]],
        ]
    )
    _, vectors = np.linalg.eigh(k)
    q = vectors[:, -1]
    return np.asarray(q if q[3] >= 0 else -q)
