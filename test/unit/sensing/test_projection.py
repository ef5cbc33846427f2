"""Points in base_link land on the pixels that OpenCV gives them, for every lens model."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.sensing.projection import NEAR_M, on_ground, project
from alpamayo_ros.sensing.rig import Distortion, Mount, RigCamera, load_rig

FRONT = load_rig('sim').camera('front')
POINTS = np.array([[8.0, 1.0, 0.0], [15.0, -3.0, 0.5], [40.0, 0.0, 1.5], [6.0, 2.0, 2.0]])
LENSES = [
    Distortion(),
    Distortion(model='plumb_bob', coefficients=(-0.3, 0.1, 0.001, -0.002, -0.01)),
    Distortion(
        model='rational_polynomial',
        coefficients=(0.2, -0.1, 0.001, 0.0005, 0.01, 0.15, -0.05, 0.01),
    ),
    Distortion(model='equidistant', coefficients=(0.05, -0.01, 0.003, -0.0005)),
]


def camera(lens: Distortion) -> RigCamera:
    mount = Mount(x_m=1.7, y_m=0.2, z_m=1.5, roll_rad=0.02, pitch_rad=0.08, yaw_rad=-0.1)
    return RigCamera(
        name='front', topic='a', frame_id='b', width=1920, height=1080, distortion=lens,
        camera_matrix=(1100.0, 0.0, 950.0, 0.0, 1090.0, 530.0, 0.0, 0.0, 1.0), mount=mount,
        rate_hz=10.0,
    )  # fmt: skip


@pytest.mark.parametrize('lens', LENSES, ids=[x.model for x in LENSES])
def test_pixels_are_those_of_opencv(lens: Distortion):
    unit = camera(lens)
    pixels, seen = project(unit, POINTS)
    inverse = np.linalg.inv(unit.base_from_optical)
    rotation, shift = cv2.Rodrigues(inverse[:3, :3])[0], inverse[:3, 3]
    known = np.array(lens.coefficients)
    module = cv2.fisheye if lens.model == 'equidistant' else cv2
    expected = module.projectPoints(POINTS[:, None], rotation, shift, unit.matrix, known)[0]
    assert seen.all()
    assert pixels == pytest.approx(expected.reshape(-1, 2), abs=1e-6)


def test_what_is_behind_or_near_the_camera_or_not_finite_is_not_seen():
    points = np.array([[-5.0, 0, 0], [1.7 + NEAR_M / 2, 0, 1.5], [np.nan, 0, 0], [20.0, 0, 0]])
    pixels, seen = project(camera(LENSES[0]), points)
    assert seen.tolist() == [False, False, False, True]
    assert np.isnan(pixels[:3]).all() and np.isfinite(pixels[3]).all()


def test_a_point_beyond_the_turning_point_of_the_lens_is_not_seen():
    strong = Distortion(model='plumb_bob', coefficients=(-0.5, 0.0, 0.0, 0.0))
    aside = np.array([[3.0, 30.0, 1.5]])  # the polynomial turns back and would fold it inwards
    assert not project(camera(strong), aside)[1].any()


def test_no_points_give_no_pixels():
    pixels, seen = project(camera(LENSES[3]), np.zeros((0, 3)))
    assert pixels.shape == (0, 2) and seen.shape == (0,)


@given(st.floats(3, 60), st.floats(0.01, 1))
def test_the_ground_ahead_is_below_the_horizon_and_left_is_left(x: float, share: float):
    sides = np.array([[x, share * x], [x, 0.0], [x, -share * x]])
    pixels, seen = project(FRONT, on_ground(sides))
    assert seen.all()
    assert (pixels[:, 1] > FRONT.matrix[1, 2] - np.tan(0.08) * FRONT.matrix[1, 1]).all()
    assert pixels[0, 0] < pixels[1, 0] < pixels[2, 0]
