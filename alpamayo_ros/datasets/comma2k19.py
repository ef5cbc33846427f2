"""From a segment of comma2k19 (GNSS poses and CAN, no video) to a bag and a rig file.

The dataset: H. Schafer et al., "A Commute in Data: The comma2k19 Dataset", arXiv:1812.05752.
Poses are of the device behind the windscreen (x forward, y right, z down) in ECEF [m]; quaternions
are (w, x, y, z) from device to ECEF; times are seconds of the device's own clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from alpamayo_ros.bags.sensor_writer import SensorBag
from alpamayo_ros.datasets.conversion import NAMESPACE, Facts, rotation_of, vehicle, velocities
from alpamayo_ros.datasets.rig_file import write_rig
from alpamayo_ros.sensing.rig import OdometrySource, Rig
from alpamayo_ros.units import NS

STREAMS = {  # columns, and where the dataset has it within a segment (numpy files without ending)
    'frame_times': (1, 'global_pose/frame_times'),
    'frame_positions': (3, 'global_pose/frame_positions'),
    'frame_velocities': (3, 'global_pose/frame_velocities'),
    'frame_orientations': (4, 'global_pose/frame_orientations'),
    'speed_t': (1, 'processed_log/CAN/speed/t'),
    'speed_value': (1, 'processed_log/CAN/speed/value'),
    'steering_angle_t': (1, 'processed_log/CAN/steering_angle/t'),
    'steering_angle_value': (1, 'processed_log/CAN/steering_angle/value'),
}
FLU_FROM_FRD = np.diag([1.0, -1.0, -1.0])
# Device above and ahead of the rear axle.  The dataset does not say; a windscreen mount.
DEVICE_M = np.array([1.6, 0.0, 1.25])
# Toyota RAV4 of 2016, one of the dataset's two cars; the other one's CAN does not run at 83 Hz.
RAV4 = vehicle(2.66, 4.57, 1.84, 3.59)
STEERING_RATIO = 16.9  # steering wheel over road wheels of that car (openpilot's value); assumed
MOVING_MPS = 5.0
WGS84_A, WGS84_E2 = 6378137.0, 6.69437999014e-3


@dataclass(frozen=True, slots=True)
class Segment:
    """Odometry of base_link in a local east-north-up frame, and what CAN said.

    ``steering_rad``: at the road wheels, left positive.  ``mount_rad``: how far the device looks
    down and to the left of the direction of travel.
    """

    stamps_ns: list[int]
    base_in_odom: Float[np.ndarray, 'N 4 4']
    linear_mps: Float[np.ndarray, 'N 3']
    angular_rps: Float[np.ndarray, 'N 3']
    speed: tuple[list[int], Float[np.ndarray, ' S']]
    steering: tuple[list[int], Float[np.ndarray, ' A']]
    origin_deg: tuple[float, float]
    mount_rad: tuple[float, float]


def read_segment(folder: Path, steering_ratio: float = STEERING_RATIO) -> Segment:
    """Read the numpy files, as the dataset has them or as NAME.npy side by side.

    FileNotFoundError or ValueError say what is missing or does not fit.
    """
    data = {name: _load(folder, name) for name in STREAMS}
    for time, *values in (
        ('frame_times', 'frame_positions', 'frame_velocities', 'frame_orientations'),
        ('speed_t', 'speed_value'),
        ('steering_angle_t', 'steering_angle_value'),
    ):
        if bad := [v for v in values if len(data[v]) != len(data[time])]:
            raise ValueError(f'{bad[0]} has {len(data[bad[0]])} rows, {time} {len(data[time])}')
        if (np.diff(data[time][:, 0]) <= 0).any():
            raise ValueError(f'{time} does not always increase')
    origin, enu_from_ecef = _local(data['frame_positions'][0])
    device = rotation_of(*data['frame_orientations'].T)
    attitude = enu_from_ecef @ device @ FLU_FROM_FRD
    velocity = data['frame_velocities'] @ enu_from_ecef.T
    mount, mount_rad = _mount(attitude, velocity)
    base = np.tile(np.eye(4), (len(device), 1, 1))
    base[:, :3, :3] = attitude @ mount.T
    place = (data['frame_positions'] - data['frame_positions'][0]) @ enu_from_ecef.T
    base[:, :3, 3] = place - base[:, :3, :3] @ DEVICE_M
    stamps = _stamps(data['frame_times'])
    _, angular = velocities(stamps, base)
    lever = np.cross(angular, DEVICE_M)
    linear = np.einsum('nji,nj->ni', base[:, :3, :3], velocity) - lever
    wheels = np.radians(data['steering_angle_value'][:, 0]) / steering_ratio
    return Segment(
        stamps,
        base,
        linear,
        angular,
        (_stamps(data['speed_t']), data['speed_value'][:, 0]),
        (_stamps(data['steering_angle_t']), wheels),
        origin,
        mount_rad,
    )


def convert(
    folder: Path,
    out: Path,
    progress: Callable[[float], None] = lambda _: None,
    steering_ratio: float = STEERING_RATIO,
) -> Facts:
    """Write ``out`` (.mcap) and its rig beside it; ``progress`` hears the share that is done."""
    found = read_segment(folder, steering_ratio)
    rig = Rig(
        name='comma2k19',
        description='converted from comma2k19: no cameras; vehicle and device mount are assumed',
        cameras=(),
        odometry=OdometrySource(rate_hz=20.0),
        vehicle=RAV4,
    )
    rows = [(t, 0, i) for i, t in enumerate(found.stamps_ns)]
    rows += [(t, 1, i) for i, t in enumerate(found.speed[0])]
    rows += [(t, 2, i) for i, t in enumerate(found.steering[0])]
    rows.sort()
    with SensorBag(out) as bag:
        write = (_odometry, _speed, _steering)
        for done, (stamp, kind, i) in enumerate(rows):
            write[kind](bag, found, stamp, i)
            if done % 100 == 0:
                progress(done / len(rows))
        facts = _facts(found, bag.counts, steering_ratio)
        bag.note(facts.about())
    write_rig(rig, out, 'Converted from a segment of comma2k19.')
    return facts


def _odometry(bag: SensorBag, found: Segment, stamp: int, i: int) -> None:
    pose = found.base_in_odom[i]
    frames = ('odom', 'base_link')
    twist = found.linear_mps[i], found.angular_rps[i]
    bag.odometry(f'{NAMESPACE}/odometry', stamp, frames, pose, *twist)
    bag.transforms('/tf', stamp, {frames: pose})


def _speed(bag: SensorBag, found: Segment, stamp: int, i: int) -> None:
    bag.speed(f'{NAMESPACE}/can/speed', stamp, 'base_link', float(found.speed[1][i]))


def _steering(bag: SensorBag, found: Segment, stamp: int, i: int) -> None:
    speed = float(np.interp(stamp, *found.speed))
    angle = float(found.steering[1][i])
    bag.steering(f'{NAMESPACE}/steering/ackermanndrivestamped', stamp, angle, speed)


def _facts(found: Segment, counts: dict[str, int], ratio: float) -> Facts:
    down, left = (math.degrees(v) for v in found.mount_rad)
    latitude, longitude = found.origin_deg
    return Facts(
        source=f'comma2k19, {len(found.stamps_ns)} poses without pictures',
        counts=dict(counts),
        span_s=(found.stamps_ns[-1] - found.stamps_ns[0]) / NS,
        real=(
            'positions, velocities and attitudes by GNSS at 20 Hz',
            'CAN speed and angle of the steering wheel at 83 Hz',
        ),
        computed=(
            f'east-north-up frame at {latitude:.4f} N, {longitude:.4f} E',
            'turn rates, by central differences over 0.1 s',
            f'attitude of the device in the car ({down:.1f} deg down, {left:.1f} deg left), by '
            'the direction of travel',
            'speed beside each steering angle, interpolated',
        ),
        assumed=(
            f'angle at the road wheels: that of the steering wheel over {ratio:g}',
            f'device {DEVICE_M[0]} m ahead of the rear axle and {DEVICE_M[2]} m up',
            'vehicle: Toyota RAV4 (2016), wheelbase 2.66 m, 4.57 m x 1.84 m',
        ),
    )


def _load(folder: Path, name: str) -> Float[np.ndarray, 'N C']:
    width, inside = STREAMS[name]
    path = next((p for p in (folder / inside, folder / f'{name}.npy') if p.is_file()), None)
    if path is None:
        raise FileNotFoundError(
            f'{folder}: no {inside} and no {name}.npy; a segment of comma2k19 '
            'is expected, the folder that holds global_pose'
        )
    found = np.load(path, allow_pickle=False)  # noqa: TID251 - plain arrays
    rows = np.asarray(found, float).reshape(len(found), -1)
    if rows.shape[1] != width or len(rows) < 2 or not np.isfinite(rows).all():
        text = f'{path.name} holds {found.shape}; expected two or more rows of {width} finite'
        raise ValueError(f'{text} numbers')
    return rows


def _stamps(times_s: Float[np.ndarray, 'N 1']) -> list[int]:
    return [round(t * NS) for t in times_s[:, 0].tolist()]


def _local(ecef: Float[np.ndarray, '3']) -> tuple[tuple[float, float], Float[np.ndarray, '3 3']]:
    """Latitude and longitude [deg] of a place (WGS 84), and the rotation to east, north, up."""
    x, y, z = (float(v) for v in ecef)
    longitude, level = math.atan2(y, x), math.hypot(x, y)
    latitude = math.atan2(z, level * (1 - WGS84_E2))
    for _ in range(5):  # converges to micrometres for places near the ground
        normal = WGS84_A / math.sqrt(1 - WGS84_E2 * math.sin(latitude) ** 2)
        latitude = math.atan2(z + WGS84_E2 * normal * math.sin(latitude), level)
    (sp, cp), (sl, cl) = ((math.sin(a), math.cos(a)) for a in (latitude, longitude))
    rotation = np.array([[-sl, cl, 0.0], [-sp * cl, -sp * sl, cp], [cp * cl, cp * sl, sp]])
    return (math.degrees(latitude), math.degrees(longitude)), rotation


def _mount(
    attitude: Float[np.ndarray, 'N 3 3'], velocity: Float[np.ndarray, 'N 3']
) -> tuple[Float[np.ndarray, '3 3'], tuple[float, float]]:
    """Rotation from the device's axes to the car's: the car moves along its own x axis.

    Identity, and angles of zero, where the car never moves.
    """
    moving = np.linalg.norm(velocity, axis=1) > MOVING_MPS
    if not moving.any():
        return np.eye(3), (0.0, 0.0)
    seen = np.einsum('nji,nj->ni', attitude[moving], velocity[moving]).mean(axis=0)
    left, up = math.atan2(seen[1], seen[0]), math.atan2(seen[2], math.hypot(seen[0], seen[1]))
    (sl, cl), (su, cu) = ((math.sin(a), math.cos(a)) for a in (-left, up))
    yaw = np.array([[cl, -sl, 0.0], [sl, cl, 0.0], [0.0, 0.0, 1.0]])
    pitch = np.array([[cu, 0.0, su], [0.0, 1.0, 0.0], [-su, 0.0, cu]])
    return pitch @ yaw, (up, -left)
