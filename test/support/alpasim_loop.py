"""AlpaSim's side of the egodriver contract: a rollout whose controller is as strict as its own.

A reply without poses is a failure; the first pose bears the time that was asked about; the reply
is moved by (pose now)^-1 x (first pose) and followed exactly.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from alpamayo_ros.bridges.alpasim.contract import message
from alpamayo_ros.bridges.alpasim.server import Driver

STEP_US = 100_000
WARM_UP_US = 1_700_000  # AlpaSim drives the recording so long
CAMERAS = {  # name, width, horizontal field of view [deg], yaw [deg]
    'front': (224, 120, 0), 'front_left': (112, 70, 60), 'front_right': (112, 70, -60),
    'rear_left': (112, 70, 120), 'rear': (112, 120, 180), 'rear_right': (112, 70, -120),
}  # fmt: skip


def picture(width: int, height: int, shade: int) -> bytes:
    """A grey slope with a stripe that moves, as JPEG: no two are the same."""
    image = np.full((height, width, 3), 90, np.uint8)
    image += np.linspace(0, 80, height, dtype=np.uint8)[:, None, None]
    image[:, shade % width] = 230
    out = io.BytesIO()
    Image.fromarray(image).save(out, 'JPEG', quality=85)
    return out.getvalue()


def session_request(uuid: str, seed: int = 1, names: list[str] | None = None) -> Any:
    """A DriveSessionRequest with pinhole cameras."""
    request = message('DriveSessionRequest')(session_uuid=uuid, random_seed=seed)
    for name in CAMERAS if names is None else names:
        width, hfov, yaw = CAMERAS[name]
        camera = request.rollout_spec.vehicle.available_cameras.add(logical_id=f'camera_{name}')
        spec = camera.intrinsics
        spec.logical_id, spec.resolution_w, spec.resolution_h = camera.logical_id, width, 64
        lens = spec.opencv_pinhole_param
        lens.focal_length_x = lens.focal_length_y = width / 2 / math.tan(math.radians(hfov) / 2)
        lens.principal_point_x, lens.principal_point_y = width / 2, 32
        half = math.radians(yaw) / 2  # rotation z(yaw) times optical from body
        w, z = math.cos(half), math.sin(half)
        quat = (0.5 * (w + z), 0.5 * (z - w), 0.5 * (w - z), -0.5 * (w + z))
        camera.rig_to_camera.quat.w, camera.rig_to_camera.quat.x = quat[0], quat[1]
        camera.rig_to_camera.quat.y, camera.rig_to_camera.quat.z = quat[2], quat[3]
    return request


@dataclass
class Rollout:
    """One rollout on a plane: the car follows each reply exactly."""

    driver: Driver
    uuid: str = 'one'
    seed: int = 1
    speed_mps: float = 5.0
    z_m: float = 3.0
    truth: bool = False
    asks_in_warm_up: bool = False
    drop: dict[str, set[int]] = field(default_factory=dict)  # camera -> steps without a picture
    late: dict[str, int] = field(default_factory=dict)  # camera -> its pictures come steps later
    pose: np.ndarray = field(default_factory=lambda: np.zeros(3))
    step: int = 0
    speeds: list[float] = field(default_factory=list)
    replies: list[Any] = field(default_factory=list)

    def start(self) -> Rollout:
        """Open the session."""
        self.driver.start_session(session_request(self.uuid, self.seed))
        return self

    def observe(self) -> None:
        """Egomotion, pictures, route and ground truth of one step."""
        now_us = self.step * STEP_US
        motion = message('RolloutEgoTrajectory')(session_uuid=self.uuid)
        timed = motion.trajectory.poses.add(timestamp_us=now_us)
        timed.pose.vec.x, timed.pose.vec.y, timed.pose.vec.z = *self.pose[:2], self.z_m
        timed.pose.quat.w = math.cos(self.pose[2] / 2)
        timed.pose.quat.z = math.sin(self.pose[2] / 2)
        motion.dynamic_states.add().linear_velocity.x = self.speed_mps
        self.driver.submit_egomotion_observation(motion)
        for name, (width, _, _) in CAMERAS.items():
            taken = self.step - self.late.get(name, 0)
            if taken < 0 or taken in self.drop.get(name, ()):
                continue
            request = message('RolloutCameraImage')(session_uuid=self.uuid)
            image = request.camera_image
            image.logical_id, image.frame_end_us = f'camera_{name}', taken * STEP_US
            image.image_bytes = picture(width, 64, taken)
            self.driver.submit_image_observation(request)
        route = message('RouteRequest')(session_uuid=self.uuid)
        for x in np.linspace(0, 80, 20):
            route.route.waypoints.add(x=x)
        self.driver.submit_route(route)
        if self.truth:
            request = message('GroundTruthRequest')(session_uuid=self.uuid)
            request.ground_truth.trajectory.poses.add(timestamp_us=now_us).pose.vec.y = 40.0
            self.driver.submit_recording_ground_truth(request)

    def ask(self) -> list[tuple[int, np.ndarray]]:
        """``drive``, held against AlpaSim's rules; stamps [us] and planar poses."""
        now_us = self.step * STEP_US
        request = message('DriveRequest')(
            session_uuid=self.uuid, time_now_us=now_us, time_query_us=now_us + STEP_US
        )
        reply = self.driver.drive(request)
        self.replies.append(reply)
        poses = reply.trajectory.poses
        assert len(poses) > 1, 'AlpaSim: Planned trajectory is empty'
        stamps = [pose.timestamp_us for pose in poses]
        assert stamps[0] == now_us and all(np.diff(stamps) > 0)
        assert stamps[-1] >= now_us + 5_000_000
        rows = []
        for pose in poses:
            vec, quat = pose.pose.vec, pose.pose.quat
            assert abs(vec.z - self.z_m) < 1e-3
            assert abs(quat.w**2 + quat.x**2 + quat.y**2 + quat.z**2 - 1) < 1e-5
            rows.append(np.array([vec.x, vec.y, 2 * math.atan2(quat.z, quat.w)]))
        assert np.hypot(*(rows[0] - self.pose)[:2]) < 0.01 and not reply.terminate_session
        return list(zip(stamps, rows, strict=True))

    def follow(self, plan: list[tuple[int, np.ndarray]]) -> None:
        """Move the reply as the controller does, and the car along it for a step."""
        turn = self.pose[2] - plan[0][1][2]
        c, s = math.cos(turn), math.sin(turn)
        moved = [row[:2] - plan[0][1][:2] for _, row in plan]
        path = np.array([[c * x - s * y, s * x + c * y] for x, y in moved]) + self.pose[:2]
        heading = np.unwrap([row[2] + turn for _, row in plan])
        stamps = [stamp for stamp, _ in plan]
        next_us = (self.step + 1) * STEP_US
        after = [np.interp(next_us + STEP_US, stamps, column) for column in path.T]
        self.speed_mps = float(np.hypot(*(after - self.pose[:2]))) / (2 * STEP_US * 1e-6)
        place = [np.interp(next_us, stamps, column) for column in (*path.T, heading)]
        self.pose = np.array(place)

    def run(self, steps: int) -> Rollout:
        """Go on for so many steps."""
        for _ in range(steps):
            self.observe()
            warm_up = self.step * STEP_US < WARM_UP_US
            plan = self.ask() if not warm_up or self.asks_in_warm_up else None
            if warm_up or plan is None:
                self.pose = self.pose + np.array([self.speed_mps * STEP_US * 1e-6, 0, 0])
            else:
                self.follow(plan)
            self.speeds.append(self.speed_mps)
            self.step += 1
        return self
