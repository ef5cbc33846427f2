"""AlpaSim's lenses, routes and debug bytes in this package's terms."""

from __future__ import annotations

import math
import pickletools

import cv2
import numpy as np
import pytest
from alpasim_loop import session_request

from alpamayo_ros.bridges.alpasim.lens import lens_of
from alpamayo_ros.bridges.alpasim.reply import debug_bytes
from alpamayo_ros.bridges.alpasim.session import instruction
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.sensing.distortion import distort

FORWARD = [0.0, 930.0, 10.0, -55.0, 8.0]  # pixels a power of the angle


def camera(**changes):
    request = session_request('one', names=['front'])
    found = request.rollout_spec.vehicle.available_cameras[0]
    for key, value in changes.items():
        getattr(found.intrinsics.opencv_pinhole_param, key).extend(value)
    return found


def ftheta(**changes):
    found = camera()
    found.intrinsics.resolution_w, found.intrinsics.resolution_h = 1920, 1080
    param = found.intrinsics.ftheta_param
    param.principal_point_x, param.principal_point_y, param.max_angle = 958.3, 541.7, 1.1
    param.linear_cde.linear_c, param.linear_cde.linear_d = 1.0003, -2e-4
    param.linear_cde.linear_e = 3e-4
    for key, value in ({'angle_to_pixeldist_poly': FORWARD} | changes).items():
        getattr(param, key).extend(value)
    return found


def pixels(lens, rays):
    x, y, ok = distort(rays[:, 0] / rays[:, 2], rays[:, 1] / rays[:, 2], lens.distortion)
    return np.stack([x, y, np.ones_like(x)], 1) @ lens.matrix.T, ok


def grid():
    g = np.stack(np.meshgrid(np.linspace(-1.8, 1.8, 37), np.linspace(-1, 1, 21)), -1)
    return np.concatenate([g.reshape(-1, 2), np.ones((37 * 21, 1))], 1)


def test_ftheta_is_its_equation():
    lens = lens_of(ftheta())
    rays = grid()
    radius = np.hypot(rays[:, 0], rays[:, 1])
    angle = np.arctan2(radius, rays[:, 2])
    far = np.polynomial.polynomial.polyval(angle, FORWARD)
    unit = np.divide(
        rays[:, :2], radius[:, None], out=np.zeros((len(rays), 2)), where=radius[:, None] > 0
    )
    x, y = (far[:, None] * unit).T
    wanted = np.stack([1.0003 * x - 2e-4 * y + 958.3, 3e-4 * x + y + 541.7], 1)
    found, ok = pixels(lens, rays)
    assert np.abs(found[ok, :2] - wanted[ok]).max() < 1e-9
    assert (ok == (angle <= 1.1)).all() and 0 < ok.sum() < len(rays)


def test_an_inverse_polynomial_is_turned_round():
    angle = np.linspace(0, 1.1, 400)
    far = np.polynomial.polynomial.polyval(angle, FORWARD)
    powers = np.arange(1, 7)
    inverse = np.linalg.lstsq((far[:, None] / 1000) ** powers, angle, rcond=None)[0]
    inverse /= 1000.0**powers
    lens = lens_of(ftheta(angle_to_pixeldist_poly=[], pixeldist_to_angle_poly=[0.0, *inverse]))
    assert not isinstance(lens, Fault)
    forward, _ = pixels(lens_of(ftheta()), grid())
    turned, ok = pixels(lens, grid())
    assert np.abs(forward - turned)[ok].max() < 0.3


def test_a_pinhole_is_opencvs():
    radial, tangential = [0.35, 0.02, 0.001, 0.68, 0.08, 0.004], [0.0004, 0.0002]
    lens = lens_of(camera(radial_coeffs=radial, tangential_coeffs=tangential))
    assert lens.distortion.model == 'rational_polynomial'
    opencv = np.array([*radial[:2], *tangential, *radial[2:]])
    rays = np.array([[0.3, -0.2, 1.0], [-0.5, 0.1, 1.0]])
    wanted, _ = cv2.projectPoints(rays, np.zeros(3), np.zeros(3), lens.matrix, opencv)
    found, _ = pixels(lens, rays)
    assert np.abs(found[:, :2] - wanted[:, 0]).max() < 1e-9


def test_rendered_smaller_than_declared():
    """Pixel edges scale; centres are half a pixel from them."""
    matrix = lens_of(camera()).at(112, 32)
    assert matrix[0, 2] == 112 / 2 - 0.5 and matrix[1, 2] == 32 / 2 - 0.5
    assert matrix[0, 0] == pytest.approx(112 / 2 / math.tan(math.radians(60)))


@pytest.mark.parametrize('roll', [0.0, 0.2, -0.1])
def test_roll_is_that_of_the_camera_body(roll):
    found = camera()
    q, (c, s) = found.rig_to_camera.quat, (math.cos(roll / 2), math.sin(roll / 2))
    w, x, y, z = 0.5, -0.5, 0.5, -0.5  # body from optical
    q.w, q.x, q.y, q.z = c * w - s * x, c * x + s * w, c * y - s * z, c * z + s * y
    assert lens_of(found).roll_rad == pytest.approx(roll, abs=1e-6)


@pytest.mark.parametrize(
    ('made', 'words'),
    [
        (lambda: camera(thin_prism_coeffs=[0.1]), 'thin prism'),
        (lambda: camera(radial_coeffs=[0.1] * 7), '7 coefficients, at most 6'),
        (lambda: camera(radial_coeffs=[math.nan]), 'front'),
        (lambda: ftheta(angle_to_pixeldist_poly=[]), 'one of its two polynomials'),
        (lambda: ftheta(angle_to_pixeldist_poly=[1.0, 900.0]), 'no constant'),
    ],
)
def test_what_is_no_lens_of_ours_is_calibration(made, words):
    found = lens_of(made())
    assert isinstance(found, Fault) and found.code is Code.CALIBRATION and words in found.message


@pytest.mark.parametrize(
    ('field', 'value'),
    [('resolution_w', 0), ('resolution_h', 9000), ('focal_length_x', 0.0), ('quat', 2.0)],
)
def test_absurd_numbers_are_calibration(field, value):
    found = camera()
    if field == 'quat':
        found.rig_to_camera.quat.w = value
    else:
        part = found.intrinsics if 'res' in field else found.intrinsics.opencv_pinhole_param
        setattr(part, field, value)
    assert lens_of(found).code is Code.CALIBRATION


def bend(before_m, turn_deg, after_m, radius_m=8.0, start_m=0.0):
    """Straight, a bend to the left (or right), straight: points 4 m apart, as AlpaSim's."""
    steps, heading, place = [], 0.0, np.array([start_m, 0.0])
    arc = abs(math.radians(turn_deg)) * radius_m
    for along in np.arange(0.0, before_m + arc + after_m, 1.0):
        steps.append(place)
        inside = before_m <= along < before_m + arc
        heading += math.copysign(1 / radius_m, turn_deg) if inside else 0.0
        place = place + [math.cos(heading), math.sin(heading)]
    return np.array(steps)[::4]


@pytest.mark.parametrize(
    ('points', 'words'),
    [
        (np.zeros((0, 2)), 'follow the road'),
        (np.zeros((1, 2)), 'follow the road'),
        (bend(80, 1, 0), 'follow the road'),
        (bend(40, 90, 40), 'turn left in 40 m'),
        (bend(40, -90, 40), 'turn right in 40 m'),
        (bend(20, -90, 40), 'turn right in 20 m'),
        (bend(0, 90, 60), 'turn left in 5 m'),
        (bend(20, 90, 40, start_m=20), 'turn left in 40 m'),
        (bend(30, 180, 40, 6.0), 'make a U-turn in 30 m'),
        (bend(30, 40, 40), 'follow the road'),
        (bend(20, 1, 0), 'stop in 20 m'),
        (np.full((20, 2), math.nan), 'follow the road'),
    ],
)
def test_words_of_a_route(points, words):
    assert instruction(points)[0] == words


def test_debug_bytes_are_a_dict_of_strings():
    words = {'command_name': 'turn left', 'reasoning_text': 'né\n😀' * 500, 'state': ''}
    for said in (words, {}):
        ops = list(pickletools.genops(debug_bytes(said)))
        names, values = [op.name for op, _, _ in ops], [value for _, value, _ in ops]
        head, body, tail = ('PROTO', 'EMPTY_DICT', 'MARK'), len(said) * 2, ('SETITEMS', 'STOP')
        assert names == [*head, *['BINUNICODE'] * body, *tail]
        texts = values[len(head) : len(head) + body]
        assert dict(zip(texts[::2], texts[1::2], strict=True)) == said
