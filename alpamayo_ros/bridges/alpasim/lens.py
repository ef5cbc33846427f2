"""From AlpaSim's camera models to intrinsics and lenses of this package.

AlpaSim counts pixels from their edge (the first centre is at 0.5), this package from the centre.
A rendered picture may be smaller than the declared one: both axes are scaled apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from pydantic import ValidationError

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.sensing.rig import BODY_FROM_OPTICAL, Distortion

KNOTS = 512  # radii at which an inverse polynomial is looked at
LARGEST_PX = 1e6
POWERS = 16  # of a polynomial
FIT_PX = 0.1  # a forward polynomial made from the inverse one is nowhere farther away


@dataclass(frozen=True, slots=True)
class Lens:
    """Intrinsics at the declared size, centre of the first pixel at (0.5, 0.5); lens; roll."""

    matrix: Float[np.ndarray, '3 3']
    distortion: Distortion
    width: int
    height: int
    roll_rad: float

    def at(self, width: int, height: int) -> Float[np.ndarray, '3 3']:
        """The matrix for a picture rendered at ``width`` x ``height``, first centre at (0, 0)."""
        scale = np.diag([width / self.width, height / self.height, 1.0])
        out = scale @ self.matrix
        out[:2, 2] -= 0.5
        return np.asarray(out)


def lens_of(camera: Any) -> Lens | Fault:
    """The lens of an AvailableCamera, or CALIBRATION with what is wrong or not supported."""
    spec = camera.intrinsics
    name = ascii(camera.logical_id[:64])
    if not 16 <= spec.resolution_w <= 8192 or not 16 <= spec.resolution_h <= 8192:
        size = f'{spec.resolution_w} x {spec.resolution_h}'
        return Fault(Code.CALIBRATION, f'{name}: 16 to 8192 pixels a side, not {size}.')
    if spec.WhichOneof('external_distortion'):
        return Fault(Code.CALIBRATION, f'{name}: a windshield model is not supported.')
    kind = spec.WhichOneof('camera_param')
    if kind is None:
        return Fault(Code.CALIBRATION, f'{name}: no camera model is given.')
    param = getattr(spec, kind)
    try:
        matrix, distortion = _MODELS[kind](param)
    except (ValueError, ValidationError) as error:
        text = error.errors()[0]['msg'] if isinstance(error, ValidationError) else str(error)
        return Fault(Code.CALIBRATION, f'{name}: {text}.')
    if not np.abs(matrix).max() <= LARGEST_PX or not min(matrix[0, 0], matrix[1, 1]) >= 1:
        text = f'{name}: focal lengths are at least 1 px, all numbers at most {LARGEST_PX:g} px.'
        return Fault(Code.CALIBRATION, text)
    roll = _roll_rad(camera.rig_to_camera.quat)
    if roll is None:
        return Fault(Code.CALIBRATION, f'{name}: rig_to_camera has no unit quaternion.')
    return Lens(matrix, distortion, spec.resolution_w, spec.resolution_h, roll)


def _intrinsics(param: Any) -> Float[np.ndarray, '3 3']:
    return np.array(
        [
            [param.focal_length_x, 0.0, param.principal_point_x],
            [0.0, param.focal_length_y, param.principal_point_y],
            [0.0, 0.0, 1.0],
        ]
    )


def _pinhole(param: Any) -> tuple[Float[np.ndarray, '3 3'], Distortion]:
    """Radial k1 to k6 and tangential p1, p2, in CameraInfo's order k1 k2 p1 p2 k3 to k6."""
    if any(param.thin_prism_coeffs):
        raise ValueError('thin prism coefficients are not supported')
    radial, tangential = _filled(param.radial_coeffs, 6), _filled(param.tangential_coeffs, 2)
    full = (*radial[:2], *tangential, *radial[2:])
    lens = Distortion(model='rational_polynomial', coefficients=full) if any(full) else None
    return _intrinsics(param), lens or Distortion()


def _fisheye(param: Any) -> tuple[Float[np.ndarray, '3 3'], Distortion]:
    return _intrinsics(param), Distortion(
        model='equidistant', coefficients=_filled(param.radial_coeffs, 4)
    )


def _filled(values: Sequence[float], count: int) -> tuple[float, ...]:
    """``values`` with zeros behind them; ValueError where there are too many."""
    if len(values) > count:
        raise ValueError(f'{len(values)} coefficients, at most {count}')
    return (*values, *[0.0] * (count - len(values)))


def _ftheta(param: Any) -> tuple[Float[np.ndarray, '3 3'], Distortion]:
    """Radius = sum c_i angle^i [px]; u = c x + d y + cx, v = e x + y + cy."""
    forward = list(param.angle_to_pixeldist_poly) or _inverted(param)
    if len(forward) < 2 or not forward[1] > 0 or not abs(forward[0]) <= 1e-6:
        raise ValueError('the f-theta polynomial has no constant and grows with the angle')
    focal = forward[1]
    c, d, e = 1.0, 0.0, 0.0
    if param.HasField('linear_cde'):
        cde = param.linear_cde
        c, d, e = cde.linear_c, cde.linear_d, cde.linear_e
    matrix = np.array(
        [
            [focal * c, focal * d, param.principal_point_x],
            [focal * e, focal, param.principal_point_y],
            [0.0, 0.0, 1.0],
        ]
    )
    largest = param.max_angle if param.max_angle > 0 else math.pi / 2
    higher = (coefficient / focal for coefficient in forward[2:])
    return matrix, Distortion(model='ftheta', coefficients=(largest, *higher))


def _inverted(param: Any) -> list[float]:
    """A forward polynomial of degree 7 for an inverse one, angle = sum c_i radius^i."""
    inverse = list(param.pixeldist_to_angle_poly)
    if not 2 <= len(inverse) <= POWERS or not inverse[1] > 0:
        raise ValueError('an f-theta lens has one of its two polynomials')
    radius = np.linspace(0.0, 1.5 * param.max_angle / inverse[1], KNOTS)
    angle = np.polynomial.polynomial.polyval(radius, inverse)
    grows = np.append(True, np.diff(angle) > 0) & (angle <= param.max_angle)
    stop = len(radius) if grows.all() else int(np.argmin(grows))
    powers = angle[:stop, None] ** np.arange(1, 8)
    if stop < 16 or not np.isfinite(powers).all():
        raise ValueError('the inverse f-theta polynomial does not grow up to max_angle')
    found = np.linalg.lstsq(powers, radius[:stop], rcond=None)[0]
    if np.abs(powers @ found - radius[:stop]).max() > FIT_PX:
        raise ValueError('the inverse f-theta polynomial cannot be turned round to 0.1 px')
    return [0.0, *found.tolist()]


_MODELS = {
    'opencv_pinhole_param': _pinhole,
    'opencv_fisheye_param': _fisheye,
    'ftheta_param': _ftheta,
}


def _roll_rad(quat: Any) -> float | None:
    """Roll of the camera body about its axis; 0 where no pose is given, None for no rotation."""
    w, x, y, z = quat.w, quat.x, quat.y, quat.z
    norm = math.sqrt(w * w + x * x + y * y + z * z)
    if norm == 0.0:
        return 0.0
    if not abs(norm - 1.0) <= 0.01:
        return None
    low = np.array([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)])
    body = low @ BODY_FROM_OPTICAL.T  # how far each axis of the body points up
    return math.atan2(body[1], body[2])
