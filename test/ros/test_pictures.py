"""Pictures on their way to the model and to a person; needs no ROS graph."""

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from sensor_msgs.msg import CompressedImage, Image

from alpamayo_ros.faults import Code
from alpamayo_ros.nodes.messages.image_views import ViewPipeline
from alpamayo_ros.nodes.messages.overlay import draw
from alpamayo_ros.nodes.world_topics import camera_info
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.derivative import SpeedDerivative
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.sensing.synchronisation.synced_set import SyncedSet
from alpamayo_ros.sensing.view_pipeline import SETTLED_SETS
from alpamayo_ros.types import EgoState

PROFILE, RIG = load_profile('nano'), load_rig('sim')
CAMERAS = RIG.for_profile(PROFILE)
STEP_NS = 100_000_000


def picture(camera, seed):
    """A smooth scene of its own, so that it is plausible, JPEG."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    image = cv2.resize(small, (camera.width, camera.height), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode('.jpg', image)[1].tobytes()


def message(camera, data):
    out = CompressedImage(format='jpeg', data=data)
    out.header.frame_id = camera.frame_id
    return out


def matched(number, pictures):
    stamp = number * STEP_NS
    payloads = tuple(message(c, p) for c, p in zip(CAMERAS, pictures, strict=True))
    count = len(CAMERAS)
    return SyncedSet(stamp, (stamp,) * count, payloads, (True,) * count, (False,) * count, 0)


@pytest.fixture
def pipeline():
    return ViewPipeline(PROFILE, CAMERAS, threads=2)


def scene(number):
    return [picture(c, 10 * number + i) for i, c in enumerate(CAMERAS)]


def test_a_set_of_pictures_becomes_the_views_of_the_profile(pipeline):
    frames, faults = pipeline.make(matched(1, scene(1)), 5.0)
    assert frames.images.shape == (7, 64, 112, 3) and frames.valid.all() and not faults
    assert frames.images.std() > 20.0
    assert set(pipeline.policies(frames, matched(1, scene(1)))) == {0}


def test_a_frozen_camera_is_found_while_driving_and_forgiven_at_rest(pipeline):
    frozen = scene(0)[2]

    def drive(first, speed_mps):
        out = []
        for n in range(first, first + 5):
            pictures = scene(n)
            pictures[2] = frozen
            out.append(pipeline.make(matched(n, pictures), speed_mps))
        return out

    assert all(frames is not None for frames, _ in drive(1, 0.0))
    late = drive(10, 5.0)
    codes = {fault.code for fault in late[-1][1]}
    assert late[-1][0] is None and codes == {Code.CAM_FROZEN, Code.CAM_MANDATORY_LOST}
    assert pipeline.make(matched(20, scene(20)), 5.0)[0] is not None


def test_a_black_camera_never_reaches_the_model_for_long(pipeline):
    black = cv2.imencode('.jpg', np.zeros((320, 560, 3), np.uint8))[1].tobytes()
    results = []
    for n in range(1, 5):
        pictures = scene(n)
        pictures[0] = black
        results.append(pipeline.make(matched(n, pictures), 0.0))
    assert results[-1][0] is None
    assert Code.CAM_IMPLAUSIBLE in {fault.code for fault in results[-1][1]}
    assert sum(frames is not None for frames, _ in results) < 3  # docs/faults.md, row F07


def test_an_image_from_another_camera_is_refused_by_name(pipeline):
    wrong = message(CAMERAS[1], picture(CAMERAS[0], 1))
    fault = pipeline.check('front', wrong)
    assert fault.code is Code.CAM_IDENTITY and CAMERAS[1].frame_id in fault.message


def test_a_cut_jpeg_is_refused_before_it_is_decoded(pipeline):
    data = picture(CAMERAS[0], 1)
    assert pipeline.check('front', message(CAMERAS[0], data)) is None
    cut = pipeline.check('front', message(CAMERAS[0], data[:-40]))
    assert cut.code is Code.IMG_TRUNCATED


def test_a_raw_image_gives_the_same_view_as_its_pixels(pipeline):
    camera = CAMERAS[0]
    pixels = np.random.default_rng(3).integers(0, 256, (320, 560, 3), dtype=np.uint8)
    raw = Image(height=320, width=560, encoding='bgr8', step=1680, data=pixels.tobytes())
    raw.header.frame_id = camera.frame_id
    assert pipeline.check('front', raw) is None
    assert np.array_equal(pipeline.decode('front', raw), pixels[:, :, ::-1])
    raw.encoding = 'yuv422'
    assert pipeline.check('front', raw).code is Code.IMG_ENCODING


def test_calibration_is_adopted_once_and_may_not_change(pipeline):
    same = camera_info(CAMERAS[0], STEP_NS)
    assert pipeline.calibrate('front', same) is None and pipeline.news == ''
    other = camera_info(CAMERAS[0], STEP_NS)
    other.k[0] *= 1.1
    assert pipeline.calibrate('front', other).code is Code.CALIBRATION_CHANGED
    first = camera_info(CAMERAS[1], STEP_NS)
    first.k[0] *= 1.2
    first.k[4] *= 1.2
    assert pipeline.calibrate('front_left', first) is None
    assert 'front_left: calibrated' in pipeline.news and 'front_left 9 deg' in pipeline.news
    wrong = camera_info(CAMERAS[2], STEP_NS)
    wrong.width = 99
    assert pipeline.calibrate('front_right', wrong).code is Code.CALIBRATION


@pytest.mark.parametrize('sets', [SETTLED_SETS - 1, SETTLED_SETS])
def test_f26_a_first_camera_info_may_differ_from_the_rig_before_anything_is_driven(pipeline, sets):
    first, same = camera_info(CAMERAS[1], STEP_NS), camera_info(CAMERAS[2], STEP_NS)
    first.k[0] *= 1.2
    pictures = scene(1)
    for number in range(1, sets + 1):
        pipeline.make(matched(number, pictures), 0.0)
    fault = pipeline.calibrate('front_left', first)
    assert (fault is not None) is (sets == SETTLED_SETS) is (not pipeline.news)
    if fault is not None:
        assert fault.code is Code.CALIBRATION_CHANGED and 'came late' in fault.message
    assert pipeline.calibrate('front_right', same) is None


def test_a_path_straight_ahead_is_drawn_in_the_middle_column():
    camera = RIG.camera('front')
    image = np.zeros((camera.height, camera.width, 3), np.uint8)
    rows, columns = np.nonzero(draw(image, camera, np.array([[5.0, 0.0], [30.0, 0.0]]), []).max(2))
    assert columns.mean() == pytest.approx(camera.matrix[0, 2], abs=1.0)
    assert rows.min() > camera.height / 4
    assert draw(image, camera, np.array([[-5.0, 0.0], [-9.0, 0.0]]), []).max() == 0


def test_overlay_leaves_the_original_alone():
    camera = RIG.camera('front')
    image = np.zeros((camera.height, camera.width, 3), np.uint8)
    out = draw(image, camera, np.array([[5.0, 0.0], [30.0, 0.0]]), ['intent: stop'])
    assert image.max() == 0 and out.max() == 255
    assert draw(image, camera, np.zeros((0, 2)), []).max() == 0


def test_acceleration_is_the_slope_of_speed_and_starts_over_when_time_goes_back():
    derivative = SpeedDerivative(0.1)
    states = [EgoState(n * STEP_NS // 5, 0.0, 0.0, 0.0, 5.0 + 0.04 * n) for n in range(20)]
    out = [derivative.complete(state).acceleration_mps2 for state in states]
    assert out[0] == 0.0 and out[-1] == pytest.approx(2.0)
    assert derivative.complete(states[3]).acceleration_mps2 == 0.0
