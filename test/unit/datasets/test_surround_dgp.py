"""A real recording, converted: six cameras through ingest, rectification, sync and faults."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.datasets.dgp import convert
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import load_limits
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.egomotion import EgoBuffer
from alpamayo_ros.sensing.image_gate import decode_compressed
from alpamayo_ros.sensing.odometry import from_message
from alpamayo_ros.sensing.plausibility import PlausibilityLimits, implausible
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.sensing.ring import FrameRing
from alpamayo_ros.sensing.synchronisation.sync import CameraSync
from alpamayo_ros.sensing.synchronisation.synced_set import SyncCamera, SyncedSet
from alpamayo_ros.sensing.views import make_views, views_from_rig
from alpamayo_ros.types import FrameSet

NS = 1_000_000_000
PROFILE = load_profile('nano')


@pytest.fixture(scope='module')
def bag(tmp_path_factory, request):
    root = Path(
        os.environ.get('ALPAMAYO_SHARED') or request.config.rootpath.parent / 'shared/data'
    )
    if not (root / 'surround_dgp').is_dir():
        pytest.skip(f'recorded data {root / "surround_dgp"} is not here; set ALPAMAYO_SHARED')
    out = tmp_path_factory.mktemp('dgp') / 'converted.mcap'
    convert(root / 'surround_dgp', out)
    return out


@pytest.fixture(scope='module')
def sets(bag):
    """The recording through gate, decoder, sync and views, as the nodes do it."""
    rig = load_rig(bag.with_suffix('.rig.yaml'))
    cameras = {f'/alpamayo/{c.topic}': c for c in rig.for_profile(PROFILE)}
    specs = [SyncCamera(c.name, NS // 10, 'hold', True) for c in cameras.values()]
    sync = CameraSync(specs, load_limits())
    makers, out = views_from_rig(PROFILE, rig), []
    for message in BagReader(bag, set(cameras)):
        camera = cameras[message.topic]
        stamp = message.message.header.stamp
        stamp_ns = stamp.sec * NS + stamp.nanosec
        for found in sync.push(camera.name, stamp_ns, message.message.data, message.time_ns):
            assert isinstance(found, SyncedSet)
            images = {
                c.name: decode_compressed(data, (c.width, c.height))
                for c, data in zip(cameras.values(), found.payloads, strict=True)
            }
            stamps = dict(zip(images, found.stamps_ns, strict=True))
            out.append(
                FrameSet(
                    found.t0_ns,
                    make_views(images, makers),
                    np.array([stamps[v.camera] for v in PROFILE.views]),
                    np.ones(len(PROFILE.views), bool),
                )
            )
    return out


def test_cameras_are_named_by_where_they_look(bag):
    rig = load_rig(bag.with_suffix('.rig.yaml'))
    assert [c.name for c in rig.cameras] == [c.name for c in PROFILE.cameras]
    for name, yaw_deg in (('front', 4), ('front_left', 52), ('rear_right', -124)):
        assert math.degrees(rig.camera(name).mount.yaw_rad) == pytest.approx(yaw_deg, abs=1)
    assert rig.camera('front').mount.z_m == pytest.approx(1.56, abs=0.01)
    assert rig.camera('front_left').mount.y_m > 0 > rig.camera('front_right').mount.y_m


def test_three_instants_give_three_sets_of_plausible_views(sets):
    assert len(sets) == 3
    steps = np.diff([s.t0_ns for s in sets]) / NS
    np.testing.assert_allclose(steps, 0.1, atol=1e-3)
    for found in sets:
        assert found.images.shape == (7, 64, 112, 3)
        assert (found.stamps_ns == found.t0_ns).all()
        assert {implausible(v, PlausibilityLimits()) for v in found.images} == {''}


def test_left_is_left(sets):
    """Right-hand traffic: the double yellow line lies to the left of the car."""
    yellow = {}
    for name in ('front_left', 'front_right'):
        pixels = sets[0].images[PROFILE.view_index(name)].astype(int)
        red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
        yellow[name] = int(((red - blue > 60) & (green - blue > 30) & (red > 120)).sum())
    assert yellow['front_left'] > 10 * max(1, yellow['front_right'])


def test_the_lost_field_of_view_is_reported(bag):
    makers = views_from_rig(PROFILE, load_rig(bag.with_suffix('.rig.yaml')))
    lost = {m.view.name: m.lost_fov_deg for m in makers}
    assert lost['front'] == pytest.approx(120 - 48, abs=2)
    assert lost['rear'] == pytest.approx(120 - 85, abs=2)
    assert lost['front_narrow'] == lost['front_left'] == 0


def test_the_missing_past_is_a_named_fault(sets):
    """0.2 s of pictures cannot give four timesteps at 250 ms."""
    ring = FrameRing()
    for found in sets:
        assert ring.push(found) is None
    fault = ring.stack(sets[-1].t0_ns, PROFILE)
    assert isinstance(fault, Fault)
    assert fault.code is Code.FRAME_HISTORY
    assert 'timestep 2 wants a frame set at t0 - 500 ms' in fault.message


def test_egomotion_of_the_recording(bag):
    buffer = EgoBuffer()
    for message in BagReader(bag, {'/alpamayo/odometry'}):
        m = message.message
        p, q = m.pose.pose.position, m.pose.pose.orientation
        v, w = m.twist.twist.linear, m.twist.twist.angular
        state = from_message(
            m.header.stamp.sec * NS + m.header.stamp.nanosec,
            (m.header.frame_id, m.child_frame_id),
            (p.x, p.y, p.z, q.x, q.y, q.z, q.w, v.x, v.y, v.z, w.x, w.y, w.z),
        )
        assert not isinstance(state, Fault)
        assert buffer.push(state) is None
    assert buffer.newest.speed_mps == pytest.approx(12.7, abs=0.1)
    history = buffer.history(buffer.newest.stamp_ns, PROFILE)
    assert history.valid.tolist() == [True] * 2 + [False] * 14  # 0.2 s less a few microseconds
    assert history.poses[1, 0] == pytest.approx(-1.27, abs=0.02)


def test_conversion_is_deterministic(bag, tmp_path, shared_data):
    convert(shared_data('surround_dgp'), tmp_path / 'again.mcap')
    assert (tmp_path / 'again.mcap').read_bytes() == bag.read_bytes()


def test_the_command_says_what_was_computed_and_assumed(tmp_path, shared_data):
    source, out = shared_data('surround_dgp'), tmp_path / 'out.mcap'
    command = [sys.executable, '-m', 'alpamayo_ros.cli.main', 'data', 'convert', 'surround_dgp']
    done = subprocess.run([*command, source, out], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0
    assert '18 images of 6 cameras at 3 instants' in done.stdout
    assert 'vehicle dimensions are assumed' in done.stdout
    assert 'divided by 10' in done.stdout
    assert out.is_file() and out.with_suffix('.rig.yaml').is_file()
    missing = subprocess.run(
        [*command, tmp_path, tmp_path / 'none.mcap'], capture_output=True, text=True, timeout=500
    )
    assert missing.returncode == 2
    assert 'is it a DGP scene folder?' in missing.stderr
