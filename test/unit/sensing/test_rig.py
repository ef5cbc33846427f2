"""Rig files: strict, complete, and with left on the left."""

import math

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.rig import Distortion, Rig, lens_of, load_rig, rotation_xyz


def changed(**camera) -> dict:
    data = load_rig('sim').model_dump(mode='json')
    data['cameras'][0].update(camera)
    return data


def test_simulated_rig_is_the_contract():
    rig = load_rig('sim')
    assert [c.name for c in rig.cameras] == [c.name for c in load_profile('nano').cameras]
    front = rig.camera('front')
    assert (front.width, front.height) == (560, 320)
    assert front.matrix[0, 0] == pytest.approx(280 / math.tan(math.radians(60)))
    assert front.matrix[:2, 2].tolist() == [279.5, 159.5]
    assert rig.vehicle.wheelbase_m == 2.7
    assert rig.vehicle.rear_axle_to_front_bumper_m == 3.6


@pytest.mark.parametrize(
    ('name', 'x_sign', 'y_sign'),
    [('front', 1, 0), ('front_left', 1, 1), ('front_right', 1, -1)]
    + [('rear_left', -1, 1), ('rear', -1, 0), ('rear_right', -1, -1)],
)
def test_cameras_look_where_their_names_say_and_slightly_down(name, x_sign, y_sign):
    axis = load_rig('sim').camera(name).base_from_optical[:3, 2]
    assert np.sign(axis.round(3)).tolist() == [x_sign, y_sign, -1]
    assert axis[2] == pytest.approx(-math.sin(0.08), abs=1e-3)
    up = -load_rig('sim').camera(name).base_from_optical[:3, 1]
    assert up[2] > 0.99


def test_rotation_order_is_that_of_tf():
    rotation = rotation_xyz(0.1, 0.2, 0.3)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert rotation[:, 0].tolist() == pytest.approx(
        [math.cos(0.3) * math.cos(0.2), math.sin(0.3) * math.cos(0.2), -math.sin(0.2)]
    )


@pytest.mark.parametrize(
    'bad',
    [
        {'hfov_deg': None},
        {'camera_matrix': (1.0,) * 9},
        {'hfov_deg': None, 'camera_matrix': (1.0,) * 8},
        {'hfov_deg': None, 'camera_matrix': (-1.0, 0, 0, 0, 1.0, 0, 0, 0, 1)},
        {'width': 0},
        {'width': 100_000},
        {'rate_hz': 0.0},
        {'name': 'rear'},
        {'topic': 'camera/rear/image_raw/compressed'},
        {'policy': 'guess'},
        {'colour': 'red'},
        {'distortion': {'model': 'plumb_bob', 'coefficients': [0.1]}},
        {'mount': {'x_m': math.nan, 'y_m': 0, 'z_m': 0}},
    ],
)
def test_a_bad_rig_is_refused(bad):
    with pytest.raises(ValidationError):
        Rig.model_validate(changed(**bad))


def test_calibration_hash_changes_with_any_intrinsic_and_with_nothing_else():
    rig = load_rig('sim')
    assert Rig.model_validate(changed(topic='other')).calibration_hash == rig.calibration_hash
    assert Rig.model_validate(changed(hfov_deg=119.9)).calibration_hash != rig.calibration_hash
    lens = {'model': 'plumb_bob', 'coefficients': [0.0, 0, 0, 0, 1e-9]}
    assert Rig.model_validate(changed(distortion=lens)).calibration_hash != rig.calibration_hash


def test_camera_info_replaces_the_intrinsics():
    camera = load_rig('sim').camera('front')
    matrix = np.array([[300.0, 0, 280], [0, 301, 160], [0, 0, 1]])
    got = camera.with_calibration(matrix, 'plumb_bob', (0.1, 0.0, 0.0, 0.0, 0.0))
    np.testing.assert_array_equal(got.matrix, matrix)
    assert got.distortion == Distortion(model='plumb_bob', coefficients=(0.1, 0.0, 0.0, 0.0, 0.0))
    with pytest.raises(ValidationError):
        camera.with_calibration(np.zeros((3, 3)), 'plumb_bob', (0.0,) * 5)


def test_rig_round_trips_through_yaml(tmp_path):
    rig = load_rig('sim')
    path = tmp_path / 'copy.yaml'
    path.write_text(yaml.safe_dump(rig.model_dump(mode='json', exclude_none=True)))
    assert load_rig(path) == rig


def test_unknown_names_say_what_there_is():
    with pytest.raises(FileNotFoundError, match='sim'):
        load_rig('nowhere')
    with pytest.raises(KeyError, match='front_left'):
        load_rig('sim').camera('roof')


@pytest.mark.parametrize(
    ('model', 'coefficients', 'lens'),
    [
        ('equidistant', (0.0,) * 4, Distortion(model='equidistant', coefficients=(0.0,) * 4)),
        ('plumb_bob', (0.0,) * 5, Distortion()),
        ('rational_polynomial', (), Distortion()),
        ('None', (), Distortion()),
        ('', (0.0,) * 5, Distortion()),
        *(('none', (0.1,) * 5, None), ('', (0.1,) * 4, None), ('equidistant', (), None)),
        *(('fisheye', (0.0,) * 4, None), ('fisheye', (0.1,) * 4, None)),
    ],
)
def test_lens_of_camera_info_is_read_or_refused_never_dropped(model, coefficients, lens):
    camera = load_rig('sim').camera('front')
    named, values = lens_of(model, coefficients)
    if lens is None:
        with pytest.raises(ValidationError):
            camera.with_calibration(camera.matrix, named, values)
    else:
        assert camera.with_calibration(camera.matrix, named, values).distortion == lens
