"""Rig: the sensors as they are mounted on one vehicle, read from ``config/rigs/*.yaml``.

The profile says what the model wants to see; the rig says what there is to see it with.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, model_validator

from alpamayo_ros.config_file import find, nearest, read_model, unknown
from alpamayo_ros.profile import ModelProfile, share_dir
from alpamayo_ros.statuses import ConfigError

Place = Annotated[float, Field(ge=-30, le=30)]
Angle = Annotated[float, Field(ge=-6.3, le=6.3)]
Intrinsic = Annotated[float, Field(ge=-1e6, le=1e6)]
Length = Annotated[float, Field(ge=0.02, le=30)]  # a model car to a road train
DistortionModel = Literal['none', 'plumb_bob', 'rational_polynomial', 'equidistant', 'ftheta']
# Coefficient counts of sensor_msgs/distortion_models
COEFFICIENTS: dict[str, tuple[int, ...]] = {
    'none': (0,),
    'plumb_bob': (4, 5),  # 4: k3 = 0
    'rational_polynomial': (8,),
    'equidistant': (4,),
    'ftheta': tuple(range(1, 10)),  # largest angle [rad], then k2, k3, ... of r = a + k2 a^2 ...
}
ASSUMABLE = ('hfov_deg', 'camera_matrix', 'mount')  # of a camera, in ``assumed``
SAME_PX = 1e-6  # intrinsics that differ less than this are the same calibration
# REP 103: camera body (x forward, y left, z up) from optical frame (z forward, x right, y down)
BODY_FROM_OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


class NoSuchCameraError(ConfigError, KeyError):
    """A rig lacks a camera that was asked for."""

    __str__ = Exception.__str__


class _Strict(BaseModel):
    model_config = ConfigDict(extra='forbid', frozen=True)


class Mount(_Strict):
    """Pose of a camera body in base_link: m; rad about x, y, z (positive pitch looks down)."""

    x_m: Place
    y_m: Place
    z_m: Place
    roll_rad: Angle = 0.0
    pitch_rad: Angle = 0.0
    yaw_rad: Angle = 0.0


class Distortion(_Strict):
    """Lens model named as in sensor_msgs/CameraInfo, coefficients in its order.

    ``ftheta``, NVIDIA's, is none of these: largest angle, then k2 and so on (``distortion``).
    """

    model: DistortionModel = 'none'
    coefficients: tuple[Intrinsic, ...] = ()

    @model_validator(mode='after')
    def _count(self) -> Distortion:
        taken, got = COEFFICIENTS[self.model], len(self.coefficients)
        if got not in taken:
            raise ValueError(f'{self.model} takes {taken} coefficients, got {got}')
        return self

    @property
    def ideal(self) -> bool:
        """Whether the lens does nothing; rectified images come as plumb_bob with zeros."""
        polynomial = self.model in ('plumb_bob', 'rational_polynomial')
        return self.model == 'none' or (polynomial and not any(self.coefficients))


class RigCamera(_Strict):
    """One camera: ``camera_matrix`` (row-major 3 x 3, pixels), or ``hfov_deg`` of a pinhole.

    ``policy`` when its frame is missing from a set: ``hold`` its newest real frame with its true
    age, ``mask`` it (black, valid False), or ``reject`` the set.
    """

    name: str
    topic: str
    info_topic: str = ''
    frame_id: str
    width: int = Field(gt=0, le=8192)
    height: int = Field(gt=0, le=8192)
    hfov_deg: float | None = Field(default=None, ge=1, lt=180)
    camera_matrix: tuple[Intrinsic, ...] | None = None
    distortion: Distortion = Distortion()
    mount: Mount
    rate_hz: float = Field(ge=0.1, le=120)
    policy: Literal['hold', 'mask', 'reject'] = 'hold'

    @model_validator(mode='after')
    def _intrinsics(self) -> RigCamera:
        if (self.hfov_deg is None) == (self.camera_matrix is None):
            raise ValueError(f'camera {self.name!r}: give either hfov_deg or camera_matrix')
        if (m := self.camera_matrix) is not None and not (len(m) == 9 and m[0] > 0 < m[4]):
            text = 'camera_matrix is 9 numbers, row by row, fx, fy > 0'
            raise ValueError(f'camera {self.name!r}: {text}')
        return self

    @property
    def matrix(self) -> Float[np.ndarray, '3 3']:
        """Intrinsic matrix in pixels; the centre of the top-left pixel is (0, 0)."""
        if self.camera_matrix is not None:
            return np.array(self.camera_matrix, dtype=np.float64).reshape(3, 3)
        assert self.hfov_deg is not None  # _intrinsics
        focal = self.width / 2 / math.tan(math.radians(self.hfov_deg) / 2)
        centre_x, centre_y = (self.width - 1) / 2, (self.height - 1) / 2
        return np.array([[focal, 0.0, centre_x], [0.0, focal, centre_y], [0.0, 0.0, 1.0]])

    @property
    def base_from_optical(self) -> Float[np.ndarray, '4 4']:
        """Rigid transform of points from the optical frame to base_link."""
        mount = self.mount
        out = np.eye(4)
        rotation = rotation_xyz(mount.roll_rad, mount.pitch_rad, mount.yaw_rad)
        out[:3, :3] = rotation @ BODY_FROM_OPTICAL
        out[:3, 3] = mount.x_m, mount.y_m, mount.z_m
        return out

    def with_calibration(
        self, matrix: Float[np.ndarray, '3 3'], model: str, coefficients: tuple[float, ...]
    ) -> RigCamera:
        """This camera with a CameraInfo's intrinsics; pydantic.ValidationError when invalid."""
        data = self.model_dump() | {
            'hfov_deg': None,
            'camera_matrix': tuple(float(v) for v in np.asarray(matrix).reshape(-1)),
            'distortion': {'model': model or 'none', 'coefficients': coefficients},
        }
        return RigCamera.model_validate(data)

    def calibrated_as(self, other: RigCamera) -> bool:
        """Whether two calibrations are the same."""
        near = bool(np.abs(self.matrix - other.matrix).max() <= SAME_PX)
        return near and self.distortion == other.distortion


class OdometrySource(_Strict):
    """Where nav_msgs/Odometry comes from, the frames it must name, and of which point it is."""

    topic: str = 'odometry'
    frame_id: str = 'odom'
    child_frame_id: str = 'base_link'
    rate_hz: float = Field(default=50.0, ge=1, le=2000)
    ahead_of_rear_axle_m: float = Field(default=0.0, ge=-10, le=10)


class Vehicle(_Strict):
    """Dimensions and actuator limits; base_link is the rear-axle centre on the ground.

    ``actuator_delay_s``: from a command to its effect, of steering and brake or drive alike; the
    reference asks for steering and acceleration so much ahead.
    """

    wheelbase_m: Length
    steer_max_rad: float = Field(ge=0.01, le=1.5)
    steer_rate_max_rps: float = Field(ge=0.01, le=20)
    length_m: Length
    width_m: Length
    rear_axle_to_front_bumper_m: Length
    actuator_delay_s: float = Field(default=0.0, ge=0.0, le=0.5)


class Rig(_Strict):
    """Cameras, odometry, vehicle; ``assumed``: keys nobody measured.  Read once, a contract."""

    name: str
    description: str = ''
    cameras: tuple[RigCamera, ...] = Field(max_length=32)
    odometry: OdometrySource = OdometrySource()
    vehicle: Vehicle
    assumed: tuple[str, ...] = ()

    @model_validator(mode='after')
    def _consistent(self) -> Rig:
        for key in ('name', 'topic', 'frame_id'):
            values = [getattr(c, key) for c in self.cameras]
            if len(set(values)) != len(values):
                raise ValueError(f'two cameras share a {key}: {values}')
        own = [f'cameras.{c.name}.{key}' for c in self.cameras for key in ASSUMABLE]
        for key in set(self.assumed) - {*(known := ('odometry', 'vehicle', *own))}:
            raise ValueError(f'assumed: {unknown("key", key, known)}')
        return self

    def camera(self, name: str) -> RigCamera:
        """The camera called ``name``; NoSuchCameraError names the known ones."""
        for camera in self.cameras:
            if camera.name == name:
                return camera
        known = [c.name for c in self.cameras]
        raise NoSuchCameraError(
            f'no camera {name!r}: the rig {self.name!r} has {", ".join(known)}'
            f'{nearest(name, known)}'
        )

    def for_profile(self, profile: ModelProfile) -> list[RigCamera]:
        """The profile's cameras in its order; NoSuchCameraError names the one it lacks."""
        return [self.camera(camera.name) for camera in profile.cameras]

    @property
    def calibration_hash(self) -> str:
        """SHA-256 of intrinsics, lenses and mounts; a live change is CALIBRATION_CHANGED."""
        data = '\n'.join(
            f'{c.name} {c.width} {c.height} {c.matrix.tolist()} {c.distortion!r} {c.mount!r}'
            for c in self.cameras
        )
        return hashlib.sha256(data.encode()).hexdigest()


def rotation_xyz(roll_rad: float, pitch_rad: float, yaw_rad: float) -> Float[np.ndarray, '3 3']:
    """Rz(yaw) Ry(pitch) Rx(roll), the order of URDF and tf."""
    (sr, cr), (sp, cp), (sy, cy) = (
        (math.sin(a), math.cos(a)) for a in (roll_rad, pitch_rad, yaw_rad)
    )
    rx = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    ry = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    rz = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    return np.asarray(rz @ ry @ rx)


def lens_of(model: str, coefficients: tuple[float, ...]) -> tuple[str, tuple[float, ...]]:
    """Model and coefficients of a CameraInfo as ``Distortion`` takes them.

    A polynomial of zeros, as rectified images carry it, and no model at all are 'none'.  An
    ``equidistant`` lens of zeros is r = f theta, no pinhole.  The rest is left to be refused.
    """
    absent = model.lower() in ('', 'none')
    if not any(coefficients) and (absent or model in ('plumb_bob', 'rational_polynomial')):
        return 'none', ()
    return ('none' if absent else model), coefficients


def load_rig(name_or_path: str | Path) -> Rig:
    """Read a rig by name (``sim``) or path; ConfigError names file, line and key."""
    known = {p.stem: p for p in (share_dir() / 'config' / 'rigs').glob('*.yaml')}
    return read_model(find('rig', name_or_path, known), Rig)
