"""Converters: geometry and speeds that went in come out; what is missing is named."""

import json
import math
import shutil

import numpy as np
import pytest
from made_up_nuscenes import RADIUS_M, SPEED, write_nuscenes

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.bags.outline import about, outline
from alpamayo_ros.datasets import comma2k19, kitti_odometry, nuscenes
from alpamayo_ros.datasets import dgp as surround_dgp
from alpamayo_ros.datasets.conversion import pose_of, turn_between, velocities
from alpamayo_ros.sensing.image_gate import decode_compressed
from alpamayo_ros.sensing.odometry import OdometryWatch, from_message
from alpamayo_ros.sensing.rig import load_rig, rotation_xyz

NS = 1_000_000_000


def odometry(bag):
    """EgoStates of a bag, each of which passed the checks of the vehicle."""
    watch, out = OdometryWatch(), []
    reader = BagReader(bag, {'/alpamayo/odometry'})
    for item in reader:
        m = item.message
        p, q = m.pose.pose.position, m.pose.pose.orientation
        v, w = m.twist.twist.linear, m.twist.twist.angular
        values = (p.x, p.y, p.z, q.x, q.y, q.z, q.w, v.x, v.y, v.z, w.x, w.y, w.z)
        frames = (m.header.frame_id, m.child_frame_id)
        state = from_message(m.header.stamp.sec * NS + m.header.stamp.nanosec, frames, values)
        assert watch.check(state) is None
        assert item.time_ns == state.stamp_ns
        out.append(state)
    assert reader.fault is None
    return out


def test_velocities_of_a_circle():
    """10 m/s to the left on a radius of 50 m."""
    stamps = [i * NS // 10 for i in range(11)]
    poses = np.tile(np.eye(4), (11, 1, 1))
    for i in range(11):
        angle = i * 0.02
        poses[i, :3, :3] = rotation_xyz(0.0, 0.0, angle)
        poses[i, :2, 3] = 50 * math.sin(angle), 50 * (1 - math.cos(angle))
    for window in (0, NS // 2):
        linear, angular = velocities(stamps, poses, window)
        np.testing.assert_allclose(linear[5], [10, 0, 0], atol=0.02)
        np.testing.assert_allclose(angular, np.tile([0, 0, 0.2], (11, 1)), atol=1e-9)


def test_turns_of_any_size():
    for angle in (1e-12, 0.3, -1.0, 3.0):
        turned = turn_between(np.eye(3), rotation_xyz(0.0, 0.0, angle))
        np.testing.assert_allclose(turned, [0, 0, angle], atol=1e-9)


# ---- KITTI ------------------------------------------------------------------------------------
@pytest.fixture(scope='module')
def kitti(tmp_path_factory, request):
    source = request.config.rootpath.parent / 'shared' / 'data' / 'kitti_odometry_2'
    if not source.is_dir():
        pytest.skip(f'recorded data {source} is not here')
    out = tmp_path_factory.mktemp('kitti') / 'drive.mcap'
    return source, out, kitti_odometry.convert(source, out)


def test_kitti_turns_right_at_ten_metres_a_second(kitti):
    _, out, facts = kitti
    states = odometry(out)
    assert facts.counts['/alpamayo/odometry'] == len(states) == 51
    assert (states[0].x_m, states[0].y_m) == pytest.approx((0, 0), abs=1e-5)
    assert states[10].x_m == pytest.approx(9.7, abs=0.5)  # forward is x
    assert states[-1].y_m < -30  # to the right
    assert states[-1].heading_rad == pytest.approx(-1.7, abs=0.05)
    assert 9 < states[0].speed_mps < 11
    assert min(s.yaw_rate_rps for s in states) == pytest.approx(-0.47, abs=0.03)
    assert np.diff([s.stamp_ns for s in states]).tolist() == [NS // 10] * 50


def test_kitti_pictures_pass_the_gate_of_the_vehicle(kitti):
    _, out, _ = kitti
    camera = load_rig(out.with_suffix('.rig.yaml')).camera('front')
    assert (camera.width, camera.height) == (1241, 376)
    assert camera.matrix[0, 0] == pytest.approx(718.856)
    count = 0
    for m in BagReader(out, {f'/alpamayo/{camera.topic}'}):
        count += 1
        if count % 25 == 1:
            picture = decode_compressed(m.message.data, (camera.width, camera.height))
            assert picture.std() > 20
            assert (picture[..., 0] == picture[..., 2]).all()  # grey
    assert count == 51


def test_kitti_says_what_is_wrong(kitti, tmp_path):
    source, _, _ = kitti
    with pytest.raises(FileNotFoundError, match=r'no calib\.txt'):
        kitti_odometry.convert(tmp_path, tmp_path / 'a.mcap')
    (tmp_path / 'image_l').mkdir()
    for i in range(2):
        shutil.copy(source / 'image_l' / '000000.png', tmp_path / 'image_l' / f'{i:06d}.png')
    shutil.copy(source / 'calib.txt', tmp_path)
    (tmp_path / 'poses.txt').write_text('1 0 0 0 0 1 0 0 0 0 1 0\n')
    with pytest.raises(ValueError, match='2 pictures, but poses.txt has 1 lines'):
        kitti_odometry.convert(tmp_path, tmp_path / 'a.mcap')
    (tmp_path / 'poses.txt').write_text('1 0 0 nan 0 1 0 0 0 0 1 0\n')
    with pytest.raises(ValueError, match=r'poses\.txt line 1: twelve finite numbers'):
        kitti_odometry.convert(tmp_path, tmp_path / 'a.mcap')
    assert not (tmp_path / 'a.mcap').exists()


# ---- comma2k19 --------------------------------------------------------------------------------
@pytest.fixture(scope='module')
def comma(tmp_path_factory, request):
    source = request.config.rootpath.parent / 'shared' / 'data' / 'comma2k19_40'
    if not source.is_dir():
        pytest.skip(f'recorded data {source} is not here')
    out = tmp_path_factory.mktemp('comma') / 'drive.mcap'
    return source, out, comma2k19.convert(source, out)


def test_comma_drives_along_its_own_axis(comma):
    _, out, facts = comma
    states = odometry(out)
    assert len(states) == facts.counts['/alpamayo/odometry'] == 1200
    forward, sideways, up = [], [], []
    for m in BagReader(out, {'/alpamayo/odometry'}):
        v = m.message.twist.twist.linear
        forward.append(v.x), sideways.append(v.y), up.append(v.z)
    assert np.mean(forward) == pytest.approx(16.9, abs=0.2)
    assert abs(np.mean(sideways)) < 0.02 and np.std(sideways) < 0.1
    assert abs(np.mean(up)) < 0.1
    way = sum(
        math.hypot(b.x_m - a.x_m, b.y_m - a.y_m) for a, b in zip(states, states[1:], strict=False)
    )
    assert way == pytest.approx(np.mean(forward) * 59.95, rel=0.01)


def test_comma_speed_of_can_and_gnss_agree(comma):
    _, out, _ = comma
    states = odometry(out)
    rows = [(m.time_ns, m.message.twist.linear.x) for m in BagReader(out, {'/alpamayo/can/speed'})]
    times, speeds = zip(*rows, strict=True)
    assert np.diff(times).mean() == pytest.approx(NS / 83, rel=0.02)
    mine = np.interp([s.stamp_ns for s in states], times, speeds)
    assert np.abs(mine - [s.speed_mps for s in states]).mean() < 0.3


def test_comma_steering_is_left_positive_and_at_the_wheels(comma):
    source, out, _ = comma
    topic = '/alpamayo/steering/ackermanndrivestamped'
    rows = [(m.time_ns, m.message.drive.steering_angle) for m in BagReader(out, {topic})]
    degrees = np.load(source / 'steering_angle_value.npy', allow_pickle=False)  # noqa: TID251
    assert rows[0][1] == pytest.approx(math.radians(degrees[0]) / 16.9)
    states = odometry(out)
    angle = np.interp([s.stamp_ns for s in states], *zip(*rows, strict=True))
    turn = [s.yaw_rate_rps for s in states]
    smooth = np.convolve(turn, np.ones(10) / 10, 'same')
    assert np.corrcoef(smooth, angle * [s.speed_mps for s in states])[0, 1] > 0.7
    other = comma2k19.read_segment(source, steering_ratio=10.0)
    assert other.steering[1][0] == pytest.approx(math.radians(degrees[0]) / 10)


def test_comma_says_what_is_wrong(comma, tmp_path):
    source, _, _ = comma
    with pytest.raises(FileNotFoundError, match=r'no frame_times\.npy.* comma2k19'):
        comma2k19.convert(tmp_path, tmp_path / 'a.mcap')
    for path in source.glob('*.npy'):
        shutil.copy(path, tmp_path)
    np.save(tmp_path / 'speed_value.npy', np.zeros((7, 1)))
    with pytest.raises(ValueError, match='speed_value has 7 rows, speed_t 4974'):
        comma2k19.convert(tmp_path, tmp_path / 'a.mcap')


# ---- boxes of the DGP scene -------------------------------------------------------------------
def test_dgp_boxes_move_where_they_point(shared_data, tmp_path):
    """Moving cars drive along their own axis, parked ones stand: in odom, and with one clock."""
    scene = surround_dgp.convert(shared_data('surround_dgp'), tmp_path / 'a.mcap')
    assert '39 boxes' in ' '.join(scene.facts.real)
    sets = list(BagReader(tmp_path / 'a.mcap', {'/alpamayo/ground_truth/objects'}))
    assert [len(m.message.objects) for m in sets] == [13, 13, 13]
    moving = standing = 0
    for box in sets[1].message.objects:
        q, v = box.pose.orientation, box.velocity
        heading = math.atan2(2 * (q.w * q.z + q.x * q.y), 1 - 2 * (q.y**2 + q.z**2))
        speed = math.hypot(v.x, v.y)
        if speed > 2:
            moving += 1
            assert abs(math.remainder(math.atan2(v.y, v.x) - heading, math.tau)) < 0.15
        else:
            standing += 1
            assert speed < 0.05
    assert (moving, standing) == (6, 7)


# ---- nuScenes format --------------------------------------------------------------------------
@pytest.fixture(scope='module')
def nuscenes_bag(tmp_path_factory):
    folder = tmp_path_factory.mktemp('nuscenes')
    write_nuscenes(folder)
    out = folder / 'drive.mcap'
    return folder, out, nuscenes.convert(folder, out)


def test_nuscenes_odometry_is_the_drive_from_its_start(nuscenes_bag):
    _, out, facts = nuscenes_bag
    states = odometry(out)
    assert len(states) == 33  # of the laser scanner, too
    assert (states[0].x_m, states[0].y_m, states[0].heading_rad) == pytest.approx((0, 0, 0))
    for state in states[6:-6]:
        assert state.speed_mps == pytest.approx(SPEED, rel=0.01)
        assert state.yaw_rate_rps == pytest.approx(SPEED / RADIUS_M, rel=0.01)
    assert 'v1.0-mini, scene-0061 in singapore-onenorth' == facts.source


def test_nuscenes_cameras_look_where_they_looked(nuscenes_bag):
    _, out, facts = nuscenes_bag
    rig = load_rig(out.with_suffix('.rig.yaml'))
    assert {c.name for c in rig.cameras} == {'front', 'rear_left'}
    front, left = rig.camera('front'), rig.camera('rear_left')
    assert front.mount.yaw_rad == pytest.approx(0, abs=1e-6)
    assert math.degrees(left.mount.yaw_rad) == pytest.approx(110)
    assert front.mount.pitch_rad == pytest.approx(0, abs=1e-6)
    assert (front.width, front.height, front.rate_hz) == (64, 36, 5.0)
    assert front.matrix[0, 0] == 1000.0
    assert facts.counts[f'/alpamayo/{front.topic}'] == 11  # sweeps and samples


def test_nuscenes_parked_car_stands_still_in_odom(nuscenes_bag):
    _, out, _ = nuscenes_bag
    sets = [m.message for m in BagReader(out, {'/alpamayo/ground_truth/objects'})]
    assert len(sets) == 3
    for found in sets:
        (box,) = found.objects
        assert (box.kind, box.length_m, box.width_m) == (
            'car', pytest.approx(4.6), pytest.approx(1.9),
        )  # fmt: skip
        assert (box.pose.position.x, box.pose.position.y) == pytest.approx((50.0, 10.0))
        assert box.velocity.x == pytest.approx(0)


def test_nuscenes_says_what_is_wrong(nuscenes_bag, tmp_path):
    folder, _, _ = nuscenes_bag
    out = tmp_path / 'a.mcap'
    with pytest.raises(FileNotFoundError, match=r'no folder v1\.0-\*'):
        nuscenes.convert(tmp_path, out)
    with pytest.raises(ValueError, match=r"no scene 'scene-9'; there are \['scene-0061'\]"):
        nuscenes.convert(folder, out, scene='scene-9')
    shutil.copytree(folder / 'v1.0-mini', tmp_path / 'v1.0-mini')
    with pytest.raises(FileNotFoundError, match='22 pictures are listed, none is in'):
        nuscenes.convert(tmp_path, out)
    (tmp_path / 'v1.0-mini' / 'sensor.json').write_text('[{"token": "x"}]')
    with pytest.raises(ValueError, match=r"row 0 has no 'channel'"):
        nuscenes.convert(tmp_path, out)
    rows = json.loads((folder / 'v1.0-mini' / 'sample_data.json').read_text())
    rows[0]['filename'] = '../../secret.jpg'
    shutil.copy(folder / 'v1.0-mini' / 'sensor.json', tmp_path / 'v1.0-mini')
    (tmp_path / 'v1.0-mini' / 'sample_data.json').write_text(json.dumps(rows))
    with pytest.raises(ValueError, match='leads out of the folder'):
        nuscenes.convert(tmp_path, out)


def test_bags_say_where_they_come_from(nuscenes_bag, kitti):
    said = about(nuscenes_bag[1])
    assert said['origin'] == 'converted'
    assert 'Renault Zoe' in said['assumed']
    contents = outline(kitti[1])
    assert contents.whole and contents.span_s == pytest.approx(5.0)
    assert contents.counts['/alpamayo/odometry'] == 51


def test_pose_of_needs_no_unit_quaternion():
    np.testing.assert_allclose(
        pose_of([2, 0, 0, 2], [1, 2, 3])[:3, :3], rotation_xyz(0.0, 0.0, math.pi / 2), atol=1e-12
    )
