"""Views: geometry of crops and remaps, lost field of view, lens models against OpenCV."""

import math
import time

import cv2
import numpy as np
import pytest

from alpamayo_ros.profile import View, load_profile
from alpamayo_ros.sensing.distortion import distort
from alpamayo_ros.sensing.projection import project
from alpamayo_ros.sensing.reduction import reduction
from alpamayo_ros.sensing.rig import Distortion, RigCamera, load_rig
from alpamayo_ros.sensing.views import ViewMaker, make_views, source_pixels, views_from_rig

PROFILE, RIG = load_profile('nano'), load_rig('sim')
LENSES = {
    'plumb_bob': (-0.30, 0.09, 0.001, -0.0005, -0.01),
    'rational_polynomial': (0.35, 0.02, 0.0004, 0.0002, 0.001, 0.68, 0.08, 0.004),
    'equidistant': (-0.02, 0.004, -0.002, 0.0003),
}


def view(hfov_deg: float, width: int = 112, height: int = 64) -> View:
    return View(name='v', camera='c', hfov_deg=hfov_deg, width=width, height=height, tokens=1)


def pinhole(width: int, height: int, hfov_deg: float) -> np.ndarray:
    f = width / 2 / math.tan(math.radians(hfov_deg) / 2)
    return np.array([[f, 0, (width - 1) / 2], [0, f, (height - 1) / 2], [0, 0, 1.0]])


def coded(width: int, height: int) -> np.ndarray:
    """Red grows to the right, green downwards: a pixel tells where it came from."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([x, y, np.full_like(x, 40)], axis=2).round().astype(np.uint8)


def test_views_of_the_simulated_rig_lose_nothing():
    makers = views_from_rig(PROFILE, RIG)
    assert [m.view.name for m in makers] == [v.name for v in PROFILE.views]
    assert max(m.lost_fov_deg for m in makers) == 0
    assert max(m.lost_vertical_fov_deg for m in makers) == 0


def test_left_is_left_and_up_is_up():
    for camera in RIG.cameras:
        makers = [m for m in views_from_rig(PROFILE, RIG) if m.view.camera == camera.name]
        for maker in makers:
            out = maker(coded(camera.width, camera.height)).astype(int)
            assert out[32, 0, 0] < out[32, 56, 0] < out[32, 111, 0]
            assert out[0, 56, 1] < out[32, 56, 1] < out[63, 56, 1]


def test_full_view_is_the_area_mean_of_the_image():
    image = np.random.default_rng(0).integers(0, 256, (320, 560, 3)).astype(np.uint8)
    out = ViewMaker(view(120), pinhole(560, 320, 120), None, 560, 320)(image)
    mean = image.reshape(64, 5, 112, 5, 3).mean(axis=(1, 3))
    assert np.abs(out - mean).max() <= 0.51


@pytest.mark.parametrize('hfov_deg', [40, 70, 100])
def test_crop_sees_what_the_pinhole_equation_says(hfov_deg):
    width, height = 1120, 640
    matrix = pinhole(width, height, 120)
    out = ViewMaker(view(hfov_deg), matrix, None, width, height)(coded(width, height))
    x, y = source_pixels(
        56 / math.tan(math.radians(hfov_deg) / 2), view(hfov_deg), matrix, Distortion()
    )
    assert np.abs(out[..., 0] - x * 255 / (width - 1)).max() < 1.0
    assert np.abs(out[..., 1] - y * 255 / (height - 1)).max() < 1.0


def test_crop_follows_an_off_centre_principal_point():
    matrix = pinhole(1120, 640, 120)
    matrix[0, 2] += 60
    matrix[1, 2] -= 25
    out = ViewMaker(view(70), matrix, None, 1120, 640)(coded(1120, 640))
    centre = out[31:33, 55:57].reshape(4, 3).mean(axis=0)
    assert centre[0] == pytest.approx(matrix[0, 2] * 255 / 1119, abs=1.0)
    assert centre[1] == pytest.approx(matrix[1, 2] * 255 / 639, abs=1.0)


def test_a_narrow_camera_is_placed_true_to_angle_and_the_loss_reported():
    maker = ViewMaker(view(120), pinhole(1936, 1216, 48), None, 1936, 1216)
    assert maker.lost_fov_deg == pytest.approx(72, abs=1.5)
    assert maker.lost_vertical_fov_deg > 20
    out = maker(np.full((1216, 1936, 3), 200, np.uint8))
    seen = (out[32] == 200).all(axis=1)
    assert seen.sum() == pytest.approx(
        112 * math.tan(math.radians(24)) / math.tan(math.radians(60)), abs=1
    )
    assert seen[55] and seen[56] and not seen[0] and not seen[-1]
    assert (out[0] == 0).all()


def test_a_shifted_camera_loses_one_side_only():
    matrix = pinhole(560, 320, 120)
    matrix[0, 2] += 100
    maker = ViewMaker(view(120), matrix, None, 560, 320)
    out = maker(np.full((320, 560, 3), 9, np.uint8))
    assert (out[32, 0] == 9).all()
    assert (out[32, -1] == 0).all()
    assert 5 < maker.lost_fov_deg < 15


@pytest.mark.parametrize('model', LENSES)
def test_lens_models_equal_opencv(model):
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-0.6, 0.6, 200), rng.uniform(-0.4, 0.4, 200)
    coefficients = np.array(LENSES[model])
    got_x, got_y, ok = distort(x, y, Distortion(model=model, coefficients=LENSES[model]))
    assert ok.all()
    points, zero = np.stack([x, y, np.ones(200)], axis=1), np.zeros(3)
    if model == 'equidistant':
        wanted, _ = cv2.fisheye.projectPoints(points[None], zero, zero, np.eye(3), coefficients)
    else:
        wanted, _ = cv2.projectPoints(points, zero, zero, np.eye(3), coefficients)
    wanted = wanted.reshape(-1, 2)
    np.testing.assert_allclose(np.stack([got_x, got_y], axis=1), wanted, atol=1e-9)


@pytest.mark.parametrize('model', LENSES)
def test_rectification_undoes_the_lens(model):
    """A picture taken through the lens, rectified, equals the picture taken without one."""
    width, height = 320, 200
    matrix, lens = pinhole(width, height, 80), Distortion(model=model, coefficients=LENSES[model])
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    rays = np.stack(
        [(columns - matrix[0, 2]) / matrix[0, 0], (rows - matrix[1, 2]) / matrix[0, 0]]
    )
    ideal = pattern(rays)
    undistorted = invert(lens, rays)
    through_lens = pattern(undistorted)
    want = ViewMaker(view(50), matrix, None, width, height)(ideal).astype(int)
    got = ViewMaker(view(50), matrix, lens, width, height)(through_lens).astype(int)
    assert np.abs(got - want).max() <= 6
    plain = ViewMaker(view(50), matrix, None, width, height)(through_lens).astype(int)
    assert np.abs(plain - want).max() > 8


def pattern(rays: np.ndarray) -> np.ndarray:
    return (
        np.stack(
            [120 + 90 * np.sin(5 * rays[0]), 120 + 90 * np.sin(6 * rays[1]), 100 + 60 * rays[0]],
            axis=2,
        )
        .clip(0, 255)
        .astype(np.uint8)
    )


def invert(lens: Distortion, wanted: np.ndarray) -> np.ndarray:
    guess = wanted.copy()
    for _ in range(20):
        x, y, _ = distort(guess[0], guess[1], lens)
        guess = guess + 0.7 * (wanted - np.stack([x, y]))
    return guess


def test_the_polynomial_s_fold_is_black_not_a_second_picture():
    lens = Distortion(model='plumb_bob', coefficients=(-0.30, 0.0, 0.0, 0.0, 0.0))
    maker = ViewMaker(view(140), pinhole(560, 320, 90), lens, 560, 320)
    out = maker(np.full((320, 560, 3), 77, np.uint8))
    assert (out[32, 56] == 77).all()
    assert (out[32, 0] == 0).all()
    assert maker.lost_fov_deg > 20


@pytest.mark.parametrize('resample', ['area', 'bicubic'])
def test_a_native_view_is_the_whole_picture_whatever_the_lens(resample):
    whole = view(120).model_copy(update={'projection': 'native', 'resample': resample})
    lens = Distortion(model='equidistant', coefficients=LENSES['equidistant'])
    maker = ViewMaker(whole, pinhole(560, 320, 90), lens, 560, 320, roll_rad=0.3)
    out = maker(coded(560, 320)).astype(int)
    assert out.shape == (64, 112, 3) and maker.lost_fov_deg == maker.lost_vertical_fov_deg == 0
    columns = np.interp(np.arange(112) * 5 + 2, np.arange(560), np.linspace(0, 255, 560))
    assert np.abs(out[32, :, 0] - columns).max() <= 1
    assert out[0, :, 1].max() <= 3 and out[-1, :, 1].min() >= 252


def test_a_large_picture_is_decoded_reduced_unless_the_model_resamples_in_its_own_way():
    released = load_profile('nvidia-1.5-10b')
    data = RIG.cameras[0].model_dump() | {'width': 4608, 'height': 2560, 'hfov_deg': 120}
    large = RigCamera.model_validate(data | {'name': released.cameras[1].name})
    assert reduction(large, released) == 1
    area = [v.model_copy(update={'resample': 'area'}) for v in released.views]
    assert reduction(large, released.model_copy(update={'views': tuple(area)})) == 4
    assert reduction(RigCamera.model_validate(data), PROFILE) == 4


def test_bicubic_is_antialiased_and_keeps_edges():
    """A stripe of one source pixel does not vanish or shine; an edge overshoots (a = -0.5)."""
    whole = view(120, 16, 16).model_copy(update={'projection': 'native', 'resample': 'bicubic'})
    maker = ViewMaker(whole, pinhole(160, 160, 90), None, 160, 160)
    stripes = np.zeros((160, 160, 3), np.uint8)
    stripes[:, ::2] = 200
    assert np.ptp(maker(stripes)[:, 2:-2]) <= 2 and abs(int(maker(stripes)[8, 8, 0]) - 100) <= 2
    edge = np.full((160, 160, 3), 50, np.uint8)
    edge[:, 80:] = 150
    row = maker(edge)[8, :, 0].astype(int)
    assert row[6] < 50 < row[7] < row[8] < 150 < row[9] and row[0] == 50 and row[-1] == 150


def test_nothing_aliases():
    """Stripes of one pixel become grey, not moire, with and without a lens."""
    image = np.zeros((1216, 1936, 3), np.uint8)
    image[:, ::2] = 255
    matrix = pinhole(1936, 1216, 120)
    small = LENSES['plumb_bob'][:0] + (-0.02, 0.0, 0.0, 0.0, 0.0)
    for lens in (None, Distortion(model='plumb_bob', coefficients=small)):
        out = ViewMaker(view(110), matrix, lens, 1936, 1216)(image)
        assert np.abs(out[8:-8, 8:-8].astype(int) - 127).max() <= 10


def test_zero_coefficients_are_no_lens():
    lens = Distortion(model='plumb_bob', coefficients=(0.0,) * 5)
    image = coded(560, 320)
    a = ViewMaker(view(70), pinhole(560, 320, 120), lens, 560, 320)(image)
    b = ViewMaker(view(70), pinhole(560, 320, 120), None, 560, 320)(image)
    assert (a == b).all()


def test_an_image_of_another_size_is_a_bug_that_speaks():
    maker = ViewMaker(view(70), pinhole(560, 320, 120), None, 560, 320)
    with pytest.raises(ValueError, match='expected 320 x 560 x 3'):
        maker(np.zeros((64, 112, 3), np.uint8))


def test_an_absent_camera_is_black():
    makers = views_from_rig(PROFILE, RIG)
    images = {c.name: coded(c.width, c.height) for c in RIG.cameras if c.name != 'rear'}
    out = make_views(images, makers)
    assert out.shape == (7, 64, 112, 3)
    assert [bool(v.any()) for v in out] == [v.camera != 'rear' for v in PROFILE.views]


@pytest.mark.parametrize('lens', [None, 'plumb_bob'])
def test_a_view_takes_less_than_a_millisecond(lens):
    distortion = Distortion(model=lens, coefficients=LENSES[lens]) if lens else None
    maker = ViewMaker(view(120), pinhole(560, 320, 120), distortion, 560, 320)
    image, costs = coded(560, 320), []
    for _ in range(30):
        begin = time.thread_time()
        maker(image)
        costs.append(time.thread_time() - begin)
    assert min(costs) < 1e-3


def test_an_equidistant_lens_of_zeros_is_r_f_theta_no_pinhole():
    lens = Distortion(model='equidistant', coefficients=(0.0,) * 4)
    x, _ = source_pixels(50.0, view(100), np.diag([200.0, 200.0, 1.0]), lens)
    edge = math.atan((view(100).width - 1) / 2 / 50.0)
    assert x[32, -1] == pytest.approx(200.0 * edge, rel=1e-3)
    assert not lens.ideal


@pytest.mark.parametrize('turns', [1, 2, 3])
def test_a_camera_mounted_with_a_roll_gives_the_level_view(turns):
    """A roll of +90 degrees lifts the left side: what is level turns counter-clockwise."""
    matrix = pinhole(320, 320, 90)
    image = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (320, 320, 3), np.uint8),
                             (0, 0), 6)  # fmt: skip
    level = ViewMaker(view(70), matrix, None, 320, 320)(image).astype(int)
    rolled = np.ascontiguousarray(np.rot90(image, turns))
    made = ViewMaker(view(70), matrix, None, 320, 320, turns * math.pi / 2)(rolled).astype(int)
    assert np.abs(made - level).mean() < 3
    assert np.abs(made - ViewMaker(view(70), matrix, None, 320, 320)(rolled)).mean() > 3


def test_the_roll_of_a_view_is_that_of_the_mount():
    """A point of the world lies where the projection through the rolled mount puts it."""
    front = load_rig('sim').camera('front')
    mount = front.mount.model_copy(update={'roll_rad': 0.3})
    rolled = front.model_copy(update={'mount': mount})
    seen = view(70)
    focal = seen.width / 2 / math.tan(math.radians(35))
    x, y = source_pixels(focal, seen, rolled.matrix, rolled.distortion, 0.3)
    ray = np.array([(80 - 55.5) / focal, (20 - 31.5) / focal, 1.0, 0.0]) * 20
    point = front.base_from_optical @ (ray + (0, 0, 0, 1))
    pixel, _ = project(rolled, point[None, :3])
    np.testing.assert_allclose(pixel[0], (x[20, 80], y[20, 80]), atol=1e-6)
