"""A rig held against a profile and a recording: what is off is found, what fits is not."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import car_bag
import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from alpamayo_ros.bags.bag import BagMessage
from alpamayo_ros.cli import main
from alpamayo_ros.limits import load_limits
from alpamayo_ros.profile import load_profile, share_dir
from alpamayo_ros.rigs import against_profile, clock_findings, flow
from alpamayo_ros.rigs.against_bag import findings
from alpamayo_ros.rigs.clocks import lag, phase
from alpamayo_ros.rigs.coverage import Arc, arcs, gaps, overlaps, seen
from alpamayo_ros.rigs.flow import Tracks
from alpamayo_ros.rigs.heading import heading
from alpamayo_ros.rigs.pictures import Motion
from alpamayo_ros.rigs.survey import SeenCamera
from alpamayo_ros.sensing.distortion import distort
from alpamayo_ros.sensing.projection import project
from alpamayo_ros.sensing.rig import Distortion, Rig, RigCamera, load_rig
from alpamayo_ros.simulation.drive.drive_bag import record_drive

NANO, SIM = load_profile('nano'), load_rig('sim')


def changed(which: str, /, **keys: object) -> Rig:
    """The simulated rig with one camera changed; ``yaw_rad`` and the like go to its mount."""
    cameras = []
    for camera in SIM.cameras:
        if camera.name == which:
            turned = {k: v for k, v in keys.items() if k.endswith(('_rad', '_m'))}
            rest = {k: v for k, v in keys.items() if k not in turned}
            mount = camera.mount.model_copy(update=turned)
            camera = camera.model_copy(update={'mount': mount, **rest})
        cameras.append(camera)
    return SIM.model_copy(update={'cameras': tuple(cameras)})


def levels(found: list) -> dict[str, set[str]]:
    out: dict[str, set[str]] = {}
    for one in found:
        out.setdefault(one.level, set()).add(one.about)
    return out


# -- coverage -----------------------------------------------------------------------------------
def test_a_pinhole_sees_its_field_of_view_around_its_yaw():
    (front,) = arcs(seen(SIM.camera('front')))
    assert front.start_deg == pytest.approx(-60, abs=1) and front.stop_deg == pytest.approx(
        60, abs=1
    )
    (rear,) = arcs(seen(SIM.camera('rear')))
    assert rear.width_deg == pytest.approx(120, abs=1.5) and rear.start_deg == pytest.approx(
        120, abs=1
    )


def test_the_simulated_rig_has_no_gap_and_without_two_cameras_two():
    assert gaps(SIM) == []
    four = SIM.model_copy(
        update={
            'cameras': tuple(c for c in SIM.cameras if c.name not in ('rear_left', 'rear_right'))
        }
    )
    found = gaps(four)
    assert [a.width_deg for a in found] == [pytest.approx(25, abs=1.5)] * 2
    assert {arc.names for arc in overlaps(four)} == {
        ('front', 'front_left'), ('front', 'front_right'),
    }  # fmt: skip


def test_a_fisheye_sees_as_far_as_its_picture_goes():
    lens = Distortion(model='equidistant', coefficients=(0.0, 0.0, 0.0, 0.0))
    data = SIM.camera('front').model_dump() | {
        'hfov_deg': None, 'width': 400, 'distortion': lens.model_dump(),
        'camera_matrix': (150.0, 0, 199.5, 0, 150.0, 159.5, 0, 0, 1),
    }  # fmt: skip
    (arc,) = arcs(seen(RigCamera.model_validate(data)))
    assert arc.width_deg == pytest.approx(math.degrees(400 / 150), abs=2)


def test_arcs_are_said_as_a_person_says_them():
    assert str(Arc(-60.0, 0.0)) == '60 right to straight ahead (60 degrees)'
    assert str(Arc(95.0, 265.0)) == '95 left to 95 right (170 degrees)'
    assert arcs(np.zeros(720, bool)) == [] and arcs(np.ones(720, bool))[0].width_deg == 360


# -- against the profile ------------------------------------------------------------------------
def test_the_rig_of_the_training_has_nothing_wrong():
    assert set(levels(against_profile.findings(SIM, NANO))) == {'note', 'good'}


@pytest.mark.parametrize(
    ('rig', 'level', 'about', 'said'),
    [
        (changed('front', hfov_deg=80.0), 'warn', 'front', 'degrees more than it sees'),
        (changed('front_left', width=40, height=23), 'warn', 'front_left', 'drawn up'),
        (changed('rear', name='back'), 'wrong', 'rear', 'has none'),
        (changed('front', pitch_rad=1.4), 'wrong', 'front', 'horizon'),
        (changed('front', yaw_rad=0.3), 'note', 'front', 'yaw is +17.2 degrees'),
        (changed('front', z_m=2.6), 'note', 'front', 'height is +1.1 m'),
        (SIM.model_copy(update={'assumed': ('vehicle',)}), 'warn', 'rig', 'vehicle'),
    ],
)
def test_what_is_off_is_found(rig, level, about, said):
    found = against_profile.findings(rig, NANO)
    assert any(f.level == level and f.about == about and said in f.text for f in found), found
    assert all(f.change for f in found if f.level in ('wrong', 'warn'))


# -- the flow -----------------------------------------------------------------------------------
def world_tracks(camera: RigCamera, turn_rad: float, seed: int, outliers: int = 30) -> Tracks:
    """Points around the car before and after it drove 0.8 m ahead and turned a little."""
    rng = np.random.default_rng(seed)
    points = rng.uniform([-40, -30, 0], [40, 30, 6], (4000, 3))
    c, s = math.cos(turn_rad), math.sin(turn_rad)
    after = (points - [0.8, 0.0, 0.0]) @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    (one, ok1), (two, ok2) = project(camera, points), project(camera, after)
    size = np.array([camera.width, camera.height])
    inside = ok1 & ok2 & ((one >= 0) & (one < size) & (two >= 0) & (two < size)).all(axis=1)
    one, two = (
        one[inside][:200],
        two[inside][:200] + rng.normal(0, 0.1, (min(200, inside.sum()), 2)),
    )
    two[:outliers] += rng.normal(0, 8, (outliers, 2))  # other road users
    inverse = np.linalg.inv(camera.matrix)
    rays = [(np.column_stack([p, np.ones(len(p))]) @ inverse.T)[:, :2] for p in (one, two)]
    return Tracks(rays[0], rays[1], 0.0, 0.1, np.ones(len(one), bool))


@pytest.mark.parametrize('name', [c.name for c in SIM.cameras])
def test_a_mount_that_fits_shows_the_way_straight_ahead(name):
    camera = SIM.camera(name)
    pairs = [(world_tracks(camera, 0.002, seed), 0.002) for seed in range(10)]
    found = heading(camera, pairs)
    assert found is not None and found.pairs == 10
    assert abs(found.yaw_rad) < 0.02 and abs(found.up_rad) < 0.01


@pytest.mark.parametrize(
    ('name', 'key', 'off'),
    [('front', 'yaw_rad', 0.1), ('front', 'pitch_rad', 0.1), ('rear', 'pitch_rad', -0.1),
     ('front_left', 'yaw_rad', -0.12), ('rear_right', 'yaw_rad', 0.12),
     ('front_right', 'roll_rad', 0.1)],
)  # fmt: skip
def test_a_mount_that_is_off_is_measured_and_the_right_one_said(name, key, off):
    true = SIM.camera(name)
    stated = changed(name, **{key: getattr(true.mount, key) + off}).camera(name)
    found = heading(stated, [(world_tracks(true, 0.0, seed), 0.0) for seed in range(10)])
    assert found is not None
    assert max(abs(found.yaw_rad), abs(found.up_rad)) > 0.04
    roll, pitch, yaw = found.mount
    if name in ('front', 'rear'):
        assert pitch == pytest.approx(true.mount.pitch_rad, abs=0.015)
    assert math.remainder(yaw - true.mount.yaw_rad, math.tau) == pytest.approx(0.0, abs=0.03)
    assert math.isfinite(roll)


def test_too_little_to_see_is_no_verdict():
    camera = SIM.camera('front')
    few = Tracks(np.zeros((3, 2)), np.zeros((3, 2)), 0.0, 0.1, np.ones(3, bool))
    assert heading(camera, [(few, 0.0)] * 20) is None
    noise = np.random.default_rng(0).uniform(-1, 1, (2, 200, 2))
    noisy = Tracks(*noise, 0.0, 0.1, np.ones(200, bool))
    assert heading(camera, [(noisy, 0.0)] * 20) is None


# -- clocks -------------------------------------------------------------------------------------
def turning(lag_s: float) -> tuple[Motion, list[Tracks]]:
    """A car that weaves; the front picture is stamped ``lag_s`` late."""
    t = np.arange(0, 30, 0.02)
    rate = 0.2 * np.sin(0.9 * t) + 0.1 * np.sin(2.3 * t)
    motion = Motion(t, np.full(len(t), 8.0), rate, t)
    pairs = []
    for start in np.arange(2, 27, 0.2):
        turn = float(np.interp(start + 0.05, t, rate)) * 0.1
        one = world_tracks(SIM.camera('front'), turn, int(10 * start), 0)
        pairs.append(replace(one, from_s=start + lag_s, to_s=start + 0.1 + lag_s))
    return motion, pairs


@pytest.mark.parametrize('shift_s', [0.0, 0.2, -0.15])
def test_a_picture_that_turns_late_is_stamped_late(shift_s):
    motion, pairs = turning(shift_s)
    found = lag(SIM.camera('front'), pairs, motion)
    assert found is not None and found.correlation > 0.8
    assert found.lag_s == pytest.approx(shift_s, abs=0.04)
    said = clock_findings.turning(SIM, {'front': pairs}, motion)
    assert [f.level for f in said] == ['wrong' if shift_s else 'good']


def test_driving_straight_says_nothing_of_the_clock():
    motion, pairs = turning(0.0)
    still = replace(motion, yaw_rate_rps=0.0 * motion.yaw_rate_rps)
    assert lag(SIM.camera('front'), pairs, still) is None


def camera(offset_s: float = 0.0, late_s: float = 0.03, zero: bool = False) -> SeenCamera:
    stamps = [0.0 if zero else 100.0 + offset_s + 0.1 * i for i in range(50)]
    times = [100.0 + offset_s + 0.1 * i + late_s for i in range(50)]
    return SeenCamera('/c', '', 'c', 1, 1, '', 10.0, '', stamps, times)


@pytest.mark.parametrize(
    ('other', 'level', 'said'),
    [
        (camera(0.03), 'warn', 'captured +30 ms'),
        (camera(late_s=-0.5), 'wrong', 'another clock'),
        (camera(late_s=90.0), 'wrong', 'another clock'),
        (camera(late_s=0.2), 'warn', 'recorded 200 ms after'),
        (camera(zero=True), 'wrong', 'all the same, or zero'),
        (camera(), 'good', 'recorded 30 ms after'),
    ],
)
def test_stamps_of_another_clock_are_named(other, level, said):
    seen_cameras = {'front': camera(), 'left': camera(), 'rear': other}
    found = clock_findings.cameras(seen_cameras, load_limits())
    assert any(f.about == 'rear' and f.level == level and said in f.text for f in found), found


def test_phase_is_signed_and_short():
    assert phase([1.02, 2.02], [1.0, 2.0, 3.0]) == pytest.approx(0.02)
    assert phase([0.98, 1.98], [1.0, 2.0, 3.0]) == pytest.approx(-0.02)


# -- a recording --------------------------------------------------------------------------------
@pytest.fixture(scope='module')
def drive(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp('check') / 'drive.mcap'
    record_drive('slowing_leader', 7, out, 4.0)
    return out


def test_the_recording_of_a_rig_fits_it_and_that_of_a_turned_camera_does_not(drive):
    found = findings(drive, SIM, NANO, 60.0)
    assert not [f for f in found if f.level == 'wrong'], found
    turned = changed('front', yaw_rad=0.2)
    wrong = [f for f in findings(drive, turned, NANO, 60.0) if f.level == 'wrong']
    assert [f.about for f in wrong] == ['front'] and 'does not fit' in wrong[0].text
    assert 'yaw_rad' in wrong[0].change


def test_sizes_topics_and_rates_that_differ_are_named(drive, tmp_path):
    def rough(message: BagMessage) -> BagMessage | None:
        if (
            message.topic.endswith('rear_left/image_raw/compressed')
            and message.time_ns // 10**8 % 2
        ):
            return None
        return message

    bag = car_bag.write(drive, tmp_path / 'rough.mcap', rough)
    found = findings(bag, SIM, NANO, 60.0)
    said = {f.about: f.text for f in found if f.level in ('wrong', 'warn')}
    assert 'no pictures on' in said['front'] and 'none on odometry' in said['odometry']
    assert '5.0 Hz, the rig says 10' in said['rear_left']


def test_the_command_writes_a_picture_and_its_findings(tmp_path):
    out = tmp_path / 'out'
    result = CliRunner(env={'COLUMNS': '200'}).invoke(
        main.app, ['rig', 'check', 'sim', '--out', str(out)]
    )
    assert result.exit_code == 0, result.output
    assert 'view front: 120 degrees, all seen' in result.output
    found = json.loads((out / 'findings.json').read_text())
    assert {'level', 'about', 'text', 'change'} == set(found[0])
    picture = cv2.imread(str(out / 'coverage.png'))
    assert picture is not None and min(picture.shape[:2]) > 500
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 100


def test_a_rig_with_something_wrong_ends_with_1(tmp_path):
    path = tmp_path / 'rig.yaml'
    text = (share_dir() / 'config' / 'rigs' / 'sim.yaml').read_text()
    path.write_text(text.replace('name: rear,', 'name: behind,'))
    words = ['rig', 'check', str(path), '--out', str(tmp_path / 'out'), '--json']
    result = CliRunner().invoke(main.app, words)
    assert result.exit_code == 1
    assert json.loads(result.stdout)[0]['level'] == 'wrong'


@pytest.mark.parametrize(
    ('model', 'coefficients'),
    [('plumb_bob', (-0.2, 0.05, 0.001, 0.001, 0.0)), ('equidistant', (0.02, 0.0, 0.0, 0.0)),
     ('ftheta', (1.2, 0.0, -0.05)), ('none', ())],
)  # fmt: skip
def test_rays_of_pixels_are_the_way_back_through_the_lens(model, coefficients):
    lens = Distortion(model=model, coefficients=coefficients)
    camera = SIM.camera('front_left').model_copy(update={'distortion': lens})
    rays = np.random.default_rng(0).uniform(-0.6, 0.6, (50, 2))
    x, y, ok = distort(rays[:, 0], rays[:, 1], lens)
    pixels = (np.stack([x, y, np.ones(50)], axis=1) @ camera.matrix.T)[:, :2]
    assert ok.all() and np.abs(flow.rays(camera, pixels) - rays).max() < 1e-3
