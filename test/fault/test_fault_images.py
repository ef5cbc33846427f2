"""Fault matrix, rows F06 to F12 at level P: what is inside the pictures."""

import struct
import time

import cv2
import numpy as np
import pytest

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing import image_gate
from alpamayo_ros.sensing.image_gate import decode_compressed, decode_raw, gate_compressed
from alpamayo_ros.sensing.pictures.torn import SeamWatch
from alpamayo_ros.sensing.plausibility import CameraPlausibility, PlausibilityLimits, implausible
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.sensing.views import make_views, views_from_rig
from alpamayo_ros.simulation.inject import Event, apply, flip_bits, freeze

W, H = 560, 320
SIZE = (W, H)
RNG = np.random.default_rng(0)


def scene(seed: int = 0) -> np.ndarray:
    """Something with the statistics of a road picture, RGB."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:H, 0:W]
    base = 70 + 100 * (y < 140) + 20 * np.sin(x / 40 + seed) + 15 * np.cos(y / 23)
    small = cv2.resize(rng.uniform(-25, 25, (H // 8, W // 8)), SIZE, interpolation=cv2.INTER_CUBIC)
    channels = [base + small + rng.uniform(-10, 10) for _ in range(3)]
    return np.stack(channels, axis=2).clip(0, 255).astype(np.uint8)


def jpeg(image: np.ndarray) -> bytes:
    return cv2.imencode('.jpg', image[:, :, ::-1])[1].tobytes()


def test_f06_frozen_image():
    """Detected within 5 frames while moving; no alarm in 10 minutes of standstill."""
    camera = CameraPlausibility('rear')
    pictures = [jpeg(scene(seed)) for seed in range(8)]
    events = [Event('rear', i, i * 100_000_000, pictures[i % 8]) for i in range(40)]
    detected = None
    for i, event in enumerate(apply(events, [freeze('rear', 2.0)])):
        fault = camera.check_payload(event.payload, 8.0)
        if fault is not None and detected is None:
            detected = i
            assert fault.code is Code.CAM_FROZEN
    assert 20 < detected <= 24
    standing = CameraPlausibility('rear')
    assert not any(standing.check_payload(pictures[0], 0.0) for _ in range(6000))


@pytest.mark.parametrize('kind', ['black', 'white', 'noise'])
def test_f07_implausible_frame(kind):
    """CAM_IMPLAUSIBLE within 3 frames, in every view of the simulated rig."""
    fill = {'black': 0, 'white': 255}.get(kind)
    rig, profile = load_rig('sim'), load_profile('nano')
    makers = views_from_rig(profile, rig)
    images = {
        c.name: RNG.integers(0, 256, (c.height, c.width, 3)).astype(np.uint8)
        if fill is None
        else np.full((c.height, c.width, 3), fill, np.uint8)
        for c in rig.cameras
    }
    views = make_views(images, makers)
    for view in views:
        camera = CameraPlausibility('any')
        found = [camera.check_view(view) for _ in range(3)]
        assert found[-1].code is Code.CAM_IMPLAUSIBLE
        assert kind in found[-1].message


@pytest.mark.slow
def test_f07_false_alarms_on_clean_frames():
    """Under 1e-3 over 5,040 clean views: rendered roads at 12 exposures, down to 5 % (night)."""
    simulation = pytest.importorskip('alpamayo_ros.simulation.worlds.simulation')
    from alpamayo_ros.simulation.scenario import load_scenario

    makers = views_from_rig(load_profile('nano'), load_rig('sim'))
    exposures = np.geomspace(0.05, 1.3, 12)
    alarms = clean = 0
    for seed in (900, 901, 902):
        drive = simulation.Simulation(load_scenario('winding_road'), seed)
        for place in range(20):
            drive.place(20.0 + 9.0 * place, offset_m=0.4 * np.sin(place))
            for view in make_views(drive.images(), makers):
                for gain in exposures:
                    dimmed = (view * gain).clip(0, 255).astype(np.uint8)
                    alarms += implausible(dimmed, PlausibilityLimits()) != ''
                    clean += 1
        drive.close()
    assert clean == 5040
    assert alarms / clean < 1e-3


def test_f08_truncated_jpeg(monkeypatch):
    """500 of 500 refused, and the decoder is never called."""
    calls = []
    monkeypatch.setattr(image_gate, 'decode_jpeg', lambda *a: calls.append(a))
    data, rng = jpeg(scene()), np.random.default_rng(8)
    refused = 0
    for _ in range(500):
        found = decode_compressed(data[: rng.integers(0, len(data))], SIZE)
        refused += isinstance(found, Fault)
    assert refused == 500
    assert calls == []


def test_f09_flipped_bits():
    """Of 500 pictures with 8 flipped bits, at least 90 % of those worse than 20 dB are refused."""
    clean = jpeg(scene())
    events = [Event('front', i, i * 100_000_000, clean) for i in range(500)]
    sharp = decode_compressed(clean, SIZE)
    torn, refused = 0, 0
    for event in apply(events, [flip_bits('front', 8, seed=9)]):
        shown = cv2.imdecode(np.frombuffer(event.payload, np.uint8), cv2.IMREAD_COLOR)
        if shown is None or shown.shape != (H, W, 3):
            assert isinstance(decode_compressed(event.payload, SIZE), Fault)
            continue
        if ((shown[..., ::-1].astype(float) - sharp) ** 2).mean() > 255**2 / 100:  # under 20 dB
            torn += 1
            watch = SeamWatch()
            watch.judge('front', event.stamp_ns - 100_000_000, sharp)
            found = decode_compressed(event.payload, SIZE)
            fault = (
                found if isinstance(found, Fault) else watch.judge('front', event.stamp_ns, found)
            )
            refused += fault is not None
    assert torn > 250
    assert refused >= 0.9 * torn, (refused, torn)


def test_f09_no_sound_picture_of_a_drive_is_called_torn():
    """Pictures 0.1 s apart of a road with bends, in six cameras: none is refused."""
    simulation = pytest.importorskip('alpamayo_ros.simulation.worlds.simulation')
    from alpamayo_ros.simulation.scenario import load_scenario

    watch, drive = SeamWatch(), simulation.Simulation(load_scenario('winding_road'), 900)
    faults = []
    for step in range(60):
        drive.place(20.0 + 1.2 * step)
        for camera, rgb in drive.images().items():
            shown = decode_compressed(jpeg(rgb), rgb.shape[1::-1])
            faults.append(watch.judge(camera, step * 100_000_000, shown))
    drive.close()
    assert len(faults) == 360 and not any(faults)


def test_f10_decompression_bomb(monkeypatch):
    """SOF 20000 x 20000 in a few kB: refused from the header, in under a millisecond."""
    monkeypatch.setattr(image_gate, 'decode_jpeg', lambda *a: pytest.fail('decoder was called'))
    data = jpeg(np.zeros((64, 96, 3), np.uint8))
    at = data.index(b'\xff\xc0')
    bomb = data[: at + 5] + struct.pack('>HH', 20_000, 20_000) + data[at + 9 :]
    bomb = bomb[:-2] + bytes(3500 - len(bomb)) + b'\xff\xd9'
    costs = []
    for _ in range(20):
        begin = time.perf_counter()
        fault = decode_compressed(bomb, SIZE)
        costs.append(time.perf_counter() - begin)
        assert fault.code is Code.IMG_TOO_LARGE
    assert min(costs) < 1e-3
    agreed = gate_compressed(bomb, (8192, 8192))
    assert agreed.code is Code.IMG_TOO_LARGE
    honest_rig = gate_compressed(bomb, (20_000, 20_000))
    assert honest_rig.code is Code.IMG_HEADER  # 3.5 kB cannot hold that many pixels


ENCODERS = {
    'rgb8': lambda rgb: rgb,
    'bgr8': lambda rgb: rgb[:, :, ::-1],
    'bgra8': lambda rgb: np.dstack([rgb[:, :, ::-1], np.full(rgb.shape[:2], 7, np.uint8)]),
    'mono8': lambda rgb: rgb[:, :, :1],
}


@pytest.mark.parametrize('encoding', ENCODERS)
def test_f11_listed_encodings_are_converted(encoding):
    """Max abs pixel error at most 2."""
    rgb = np.repeat(scene()[:, :, :1], 3, axis=2) if encoding == 'mono8' else scene()
    data = np.ascontiguousarray(ENCODERS[encoding](rgb))
    out = decode_raw(encoding, W, H, W * data.shape[2], data.tobytes(), SIZE)
    assert np.abs(out.astype(int) - rgb).max() <= 2


@pytest.mark.parametrize('encoding', ['yuv422', 'bayer_rggb8', '16UC1', '', 'RGB8', 'rgb8\x00'])
def test_f11_unlisted_encodings_are_refused(encoding):
    fault = decode_raw(encoding, W, H, W * 3, bytes(W * H * 3), SIZE)
    assert fault.code is Code.IMG_ENCODING


@pytest.mark.parametrize(
    ('width', 'height', 'step', 'size', 'code'),
    [
        (640, 480, 640 * 3, 640 * 480 * 3, Code.IMG_TOO_LARGE),
        (320, 240, 320 * 3, 320 * 240 * 3, Code.IMG_SIZE),
        (W, H, W * 3 * 2, W * H * 3, Code.IMG_SIZE),
        (W, H, W * 3, W * H * 3 - 1, Code.IMG_SIZE),
        (W, H, W * 3, W * H * 3 + 1, Code.IMG_SIZE),
        (W, H, W * 3 - 1, (W * 3 - 1) * H, Code.IMG_SIZE),
        (W, H, 0, 0, Code.IMG_SIZE),
        (W, H, W * 3, 0, Code.IMG_SIZE),
        (H, W, H * 3, W * H * 3, Code.IMG_SIZE),
    ],
)
def test_f12_wrong_size_step_or_buffer(width, height, step, size, code):
    fault = decode_raw('rgb8', width, height, step, bytes(size), SIZE)
    assert fault.code is code
