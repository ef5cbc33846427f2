"""What every converter says of its result, and the mathematics they share."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from pydantic import ValidationError

from alpamayo_ros.config_file import described
from alpamayo_ros.sensing.rig import Vehicle
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.units import NS

NAMESPACE = '/alpamayo'


@dataclass(frozen=True, slots=True)
class Facts:
    """What is in a converted bag.

    ``counts`` by topic; ``real`` was measured, ``computed`` follows from what was measured,
    ``assumed`` is in neither.
    """

    source: str
    counts: dict[str, int]
    span_s: float
    real: tuple[str, ...]
    computed: tuple[str, ...]
    assumed: tuple[str, ...]

    def lines(self) -> list[str]:
        """For a person to read."""
        topics = [f'  {count:6d}  {topic}' for topic, count in sorted(self.counts.items())]
        said = (('real', self.real), ('computed', self.computed), ('assumed', self.assumed))
        rows = [f'{name:>9}: {text}' for name, texts in said for text in texts]
        return [f'{self.source}, {self.span_s:.2f} s (converted)', *topics, *rows]

    def about(self) -> dict[str, str]:
        """For the bag itself (``bag_outline.about``)."""
        said = {'real': self.real, 'computed': self.computed, 'assumed': self.assumed}
        texts = {name: '; '.join(rows) for name, rows in said.items()}
        return {'origin': 'converted', 'source': self.source, **texts}


def rotation_of(
    w: Float[np.ndarray, '*n'],
    x: Float[np.ndarray, '*n'],
    y: Float[np.ndarray, '*n'],
    z: Float[np.ndarray, '*n'],
) -> Float[np.ndarray, '*n 3 3']:
    """Rotations of Hamilton quaternions, which need not be of unit length."""
    q = np.stack([w, x, y, z], axis=-1)
    w, x, y, z = np.moveaxis(q / np.linalg.norm(q, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def pose_of(
    quaternion_wxyz: Sequence[float | int], translation: Sequence[float | int]
) -> Float[np.ndarray, '4 4']:
    """4 x 4 matrix of a quaternion (w, x, y, z) and a translation [m].

    ValueError where a number is not finite, or the quaternion is zero.
    """
    numbers = [float(v) for v in (*quaternion_wxyz, *translation)]
    if not all(map(math.isfinite, numbers)) or not any(numbers[:4]):
        raise ValueError(f'a pose of {numbers}: expected finite numbers and a rotation')
    out = np.eye(4)
    out[:3, :3] = rotation_of(*(np.array(float(v)) for v in quaternion_wxyz))
    out[:3, 3] = translation
    return out


def turn_between(
    first: Float[np.ndarray, '3 3'], second: Float[np.ndarray, '3 3']
) -> Float[np.ndarray, '3']:
    """Rotation vector [rad] that leads from one attitude to the next, in the first's axes."""
    turned = first.T @ second
    axis = np.array(
        [turned[2, 1] - turned[1, 2], turned[0, 2] - turned[2, 0], turned[1, 0] - turned[0, 1]]
    )
    sine, cosine = float(np.linalg.norm(axis)) / 2, float(np.trace(turned) - 1) / 2
    return axis / 2 * (math.atan2(sine, cosine) / sine if sine > 1e-9 else 1.0)


def velocities(
    stamps_ns: Sequence[int], poses: Float[np.ndarray, 'N 4 4'], window_ns: int = 0
) -> tuple[Float[np.ndarray, 'N 3'], Float[np.ndarray, 'N 3']]:
    """Linear [m/s] and angular [rad/s] velocity in the body's own axes, by central differences.

    Between the poses before and after, or further ones until ``window_ns`` lies between them, as
    far as there are any.  Zero where there is one pose alone.
    """
    last, half = len(stamps_ns) - 1, window_ns // 2
    linear, angular = np.zeros((last + 1, 3)), np.zeros((last + 1, 3))
    for i, now in enumerate(stamps_ns):
        a = min(i - 1, bisect.bisect_right(stamps_ns, now - half) - 1) if half else i - 1
        b = max(i + 1, bisect.bisect_left(stamps_ns, now + half)) if half else i + 1
        a, b = max(0, a), min(last, b)
        dt_s = (stamps_ns[b] - stamps_ns[a]) / NS or math.inf
        linear[i] = poses[i, :3, :3].T @ (poses[b, :3, 3] - poses[a, :3, 3]) / dt_s
        angular[i] = turn_between(poses[a, :3, :3], poses[b, :3, :3]) / dt_s
    return linear, angular


def vehicle(
    wheelbase_m: float, length_m: float, width_m: float, front_m: float, steer_max_rad: float = 0.6
) -> Vehicle:
    """A vehicle from its published dimensions; ``front_m``: rear axle to front bumper.

    ConfigError says which number no vehicle has.
    """
    try:
        return Vehicle(
            wheelbase_m=wheelbase_m,
            steer_max_rad=steer_max_rad,
            steer_rate_max_rps=0.6,
            length_m=length_m,
            width_m=width_m,
            rear_axle_to_front_bumper_m=front_m,
        )
    except ValidationError as error:
        said = described(error.errors()[0], Vehicle)
        raise ConfigError(f'the dimensions of the vehicle cannot be used: {said}') from error
