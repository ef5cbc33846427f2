"""A rig file from a recording: what the bag says is read back, what it lacks is marked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import car_bag
import numpy as np
import pytest
from typer.testing import CliRunner

from alpamayo_ros.bags.bag import BagMessage
from alpamayo_ros.cli import main
from alpamayo_ros.graph_options import Options
from alpamayo_ros.preflight import check_graph
from alpamayo_ros.profile import load_profile, share_dir
from alpamayo_ros.rigs import naming
from alpamayo_ros.rigs.calibration import calibration
from alpamayo_ros.rigs.from_bag import draft
from alpamayo_ros.rigs.mounting import mounts, optical
from alpamayo_ros.rigs.rig_text import text
from alpamayo_ros.rigs.survey import SeenCamera, survey
from alpamayo_ros.sensing.rig import BODY_FROM_OPTICAL, load_rig
from alpamayo_ros.simulation.drive.drive_bag import record_drive
from alpamayo_ros.statuses import ConfigError, Status

NANO = load_profile('nano')


@pytest.fixture(scope='module')
def drive(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp('car') / 'drive.mcap'
    record_drive('slowing_leader', 7, out, 2.5)
    return out


def alpamayo(*words: object) -> tuple[int, str]:
    result = CliRunner(env={'COLUMNS': '300'}).invoke(main.app, [str(w) for w in words])
    return result.exit_code, result.stdout + result.stderr


def drafted(bag: Path, named: dict[str, str] | None = None):
    return draft(survey(bag), NANO, 'car', named)


def test_a_calibrated_bag_gives_the_rig_that_recorded_it(drive, tmp_path):
    bag = car_bag.write(drive, tmp_path / 'cal.mcap', car_bag.calibrated)
    found, sim = drafted(bag).rig, load_rig('sim')
    assert [c.name for c in found.cameras] == ['front', 'front_left', 'front_right', 'rear']
    for camera in found.cameras:
        own = sim.camera(camera.name)
        assert np.abs(camera.matrix - own.matrix).max() < 1e-9
        assert np.abs(camera.base_from_optical - own.base_from_optical).max() < 2e-6
        assert (camera.width, camera.height) == (own.width, own.height)
        assert camera.info_topic.endswith('camera_info') and abs(camera.rate_hz - 10) < 0.1
    assert found.odometry.topic == '/ins/odometry' and abs(found.odometry.rate_hz - 50) < 1
    assert found.assumed == ('vehicle',)


def test_what_a_bare_bag_lacks_is_marked_and_the_file_is_read_back(drive, tmp_path):
    bag = car_bag.write(drive, tmp_path / 'bare.mcap', car_bag.bare)
    found = drafted(bag)
    path = tmp_path / 'rig.yaml'
    path.write_text(text(found, 'bare.mcap'))
    assert load_rig(path) == found.rig
    assert 'cameras.rear.mount' in found.rig.assumed and 'vehicle' in found.rig.assumed
    assert path.read_text().count('# ASSUMED hfov_deg') == 4
    said = ' '.join(found.todo)
    assert 'no CameraInfo' in said and 'rear_left, rear_right' in said and '/tf_static' in said


def test_an_own_bag_of_four_cameras_comes_to_a_first_report(drive, tmp_path):
    bag = car_bag.write(drive, tmp_path / 'bare.mcap', car_bag.bare)
    rig, out = tmp_path / 'my.yaml', tmp_path / 'report'
    status, said = alpamayo('rig', 'from-bag', bag, '--out', rig)
    assert status == 0 and f'alpamayo replay {bag} --rig {rig} --incomplete' in said
    status, said = alpamayo('replay', bag, '--rig', rig, '--out', out)
    assert status == 2 and 'out of `assumed`: cameras.front.mount, cameras' in said
    words = ('--rig', rig, '--incomplete', '--out', out, '--pictures', 'none')
    status, said = alpamayo('replay', bag, *words)
    assert status in (Status.PASS, Status.FAIL, Status.NOT_EVALUABLE), said
    summary = json.loads((out / 'summary.json').read_text())
    assert summary['counts']['proposals'] > 0 and (out / 'report.html').is_file()
    assert any(line.endswith('vehicle') and 'assumed' in line for line in summary['lacks'])


def test_nothing_drives_by_assumed_values(drive, tmp_path):
    bag = car_bag.write(drive, tmp_path / 'bare.mcap', car_bag.bare)
    path = tmp_path / 'rig.yaml'
    found = drafted(bag)
    full = load_rig('sim').model_copy(update={'assumed': found.rig.assumed[-1:]})
    path.write_text(text(replace(found, rig=full), 'bare.mcap'))
    with pytest.raises(ConfigError, match='vehicle is assumed.*--shadow'):
        check_graph('vehicle', Options(rig=str(path)))
    check_graph('vehicle', Options(rig=str(path), shadow=True))


def test_a_rig_cannot_mark_what_it_does_not_have(tmp_path):
    path = tmp_path / 'rig.yaml'
    lines = (share_dir() / 'config' / 'rigs' / 'sim.yaml').read_text()
    path.write_text(lines + 'assumed: [cameras.frnt.mount]\n')
    with pytest.raises(ConfigError, match=r'cameras\.front\.mount'):
        load_rig(path)


def test_a_person_names_cameras_that_say_nothing(drive, tmp_path):
    def numbered(message: BagMessage) -> BagMessage | None:
        kept = car_bag.bare(message)
        for number, topic in enumerate(car_bag.CAMERAS.values()):
            if kept is not None and kept.topic == topic:
                message.message.header.frame_id = 'cam'
                return replace(kept, topic=f'/cam{number}/image_raw/compressed')
        return kept

    bag = car_bag.write(drive, tmp_path / 'numbers.mcap', numbered)
    plain = drafted(bag)
    assert {c.name for c in plain.rig.cameras} == {'cam0', 'cam1', 'cam2', 'cam3'}
    assert any('--camera /cam3/image_raw/compressed=NAME' in line for line in plain.todo)
    assert any("'cam' is that of 4 cameras" in line for line in plain.todo)
    named = drafted(bag, {'/cam3/image_raw/compressed': 'rear'})
    assert named.rig.camera('rear').topic == '/cam3/image_raw/compressed'
    assert abs(named.rig.camera('rear').mount.yaw_rad) > 3
    with pytest.raises(ConfigError, match='did you mean /cam3'):
        drafted(bag, {'/cam3/image_raw/compresed': 'rear'})


def test_a_bag_without_pictures_is_a_sentence(drive, tmp_path):
    bag = car_bag.write(
        drive, tmp_path / 'blind.mcap', lambda m: m if m.topic == '/ins/odometry' else None
    )
    status, said = alpamayo('rig', 'from-bag', bag)
    assert status == 2 and 'no camera in the bag' in said
    assert not (tmp_path / 'blind.rig.yaml').exists()


def test_an_existing_file_stays_unless_forced(drive, tmp_path):
    bag = car_bag.write(drive, tmp_path / 'cal.mcap', car_bag.calibrated)
    target = tmp_path / 'cal.rig.yaml'
    target.write_text('mine')
    status, said = alpamayo('rig', 'from-bag', bag)
    assert status == 2 and '--force' in said and target.read_text() == 'mine'
    assert alpamayo('rig', 'from-bag', bag, '--force')[0] == 0
    assert load_rig(target).name == 'cal'


def test_what_a_bag_says_begins_no_line_of_its_own(drive, tmp_path):
    bag = car_bag.write(drive, tmp_path / 'bare.mcap', car_bag.bare)
    found = drafted(bag)
    found.remarks['front'].append('jpeg\nassumed: []')
    path = tmp_path / 'rig.yaml'
    path.write_text(text(found, 'a\nname: other'))
    assert load_rig(path) == found.rig


@pytest.mark.parametrize(
    ('topic', 'name'),
    [
        ('/CAM_FRONT_LEFT', 'front_left'),
        ('/camera/backRight/image_raw', 'rear_right'),
        ('/sensing/camera/fwd/image', 'front'),
        ('/left/image_raw', 'front_left'),
        ('/left_right/image', ''),
        ('/cam0/image_raw', ''),
    ],
)
def test_directions_by_words(topic, name):
    assert naming.direction(topic) == name


def transform(x: float, quaternion: tuple[float, float, float, float]) -> SimpleNamespace:
    w, i, j, k = quaternion
    return SimpleNamespace(
        rotation=SimpleNamespace(w=w, x=i, y=j, z=k),
        translation=SimpleNamespace(x=x, y=0.0, z=1.0),
    )


def test_mounts_follow_the_tree_either_way_and_survive_rings_and_nan():
    one = (1.0, 0.0, 0.0, 0.0)
    tree = {
        ('base', 'roof'): transform(1.0, one),
        ('camera', 'roof'): transform(-2.0, one),
        ('roof', 'base'): transform(9.0, one),
        ('base', 'broken'): transform(float('nan'), one),
        ('base', 'zero'): transform(0.0, (0.0, 0.0, 0.0, 0.0)),
    }
    found = mounts({k: tree[k] for k in tree if k != ('roof', 'base')}, 'base')
    assert found['camera'][0, 3] == 3.0 and found['camera'][2, 3] == 0.0
    assert 'broken' not in found and 'zero' not in found
    assert set(mounts(tree, 'base')) == {'base', 'roof', 'camera'}


def test_the_frame_of_a_camera_body_is_turned_to_its_lens():
    body = np.eye(4)
    turned, was_body = optical(body)
    assert was_body and np.allclose(turned[:3, :3], BODY_FROM_OPTICAL)
    again, was_body = optical(turned)
    assert not was_body and np.allclose(again, turned)


def info(width: int, height: int, k: list[float], model: str = 'plumb_bob') -> SimpleNamespace:
    return SimpleNamespace(
        header=SimpleNamespace(frame_id='cam'), width=width, height=height, k=np.array(k),
        p=np.array([*k[:3], 0.0, *k[3:6], 0.0, *k[6:], 0.0]), d=np.zeros(5),
        distortion_model=model,
    )  # fmt: skip


def test_intrinsics_of_another_size_are_scaled_and_others_refused():
    camera = SeenCamera('/c/image_raw', '', 'cam', 320, 240)
    k = [500.0, 0.0, 319.5, 0.0, 500.0, 239.5, 0.0, 0.0, 1.0]
    found = calibration(camera, {'/c/camera_info': info(640, 480, k)})
    assert not isinstance(found, str) and found.info_topic == ''
    assert found.matrix[0] == 250.0 and found.matrix[2] == 159.5
    wrong = calibration(camera, {'/c/camera_info': info(640, 400, k)})
    assert isinstance(wrong, str) and '640 x 400' in wrong
    empty = calibration(camera, {'/c/camera_info': info(320, 240, [0.0] * 9)})
    assert isinstance(empty, str) and 'uncalibrated' in empty
    odd = calibration(camera, {'/c/camera_info': info(320, 240, k, 'ds')})
    assert isinstance(odd, str) and "'ds'" in odd
    assert isinstance(calibration(camera, {}), str)
