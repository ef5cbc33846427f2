"""Offline replay: the same plans whatever the threads, the truth, refusals, partial results."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import replay_bag
from replay_bag import NS, START_NS, Drive

from alpamayo_ros.evaluation import events
from alpamayo_ros.evaluation.bag import BagReader, BagWriter
from alpamayo_ros.evaluation.recording import Recording
from alpamayo_ros.evaluation.replay import run as replay_run
from alpamayo_ros.evaluation.replay.options import Options
from alpamayo_ros.evaluation.replay.run import ReplayError, run
from alpamayo_ros.evaluation.replay.words import Instructed
from alpamayo_ros.evaluation.sensor_bag import SensorBag
from alpamayo_ros.runtime.scripted import ScriptedRuntime
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.types import EgoState

SCRIPTED = Options(runtime='scripted')
BLIND = Options(runtime='')


class Seeing(ScriptedRuntime):
    """A test double whose speed depends on every pixel and age that it is given."""

    def encode(self, frames):
        features = super().encode(frames)
        weights = np.arange(1, frames.images.size + 1, dtype=np.float64) % 9973
        self.seen = float(frames.images.reshape(-1) @ weights % 1000) / 1e3 + frames.age_s.sum()
        return features

    def denoise(self, condition, noise):
        return super().denoise(condition, noise) * np.float32(1.0 + 1e-3 * self.seen)


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    return replay_bag.write(tmp_path_factory.mktemp('bag') / 'drive.mcap', Drive(box_ahead_m=9.0))


def replayed(monkeypatch, bag, out, options):
    monkeypatch.setattr(
        replay_run,
        'open_model',
        lambda options, profile: Seeing(profile) if options.runtime else None,
    )
    return run(bag, out, options)


def plans(folder):
    """Every line of the recording but those of wall times."""
    lines = (folder / 'recording' / 'events.jsonl').read_text().splitlines()
    return [line for line in lines if not line.startswith('{"kind":"timing"')]


def test_the_same_plans_whatever_the_threads(monkeypatch, tmp_path):
    bag = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=2.6, box_ahead_m=9.0))
    one = replayed(
        monkeypatch, bag, tmp_path / 'a', replace(SCRIPTED, overlap=False, workers=1)
    ).summary
    two = replayed(monkeypatch, bag, tmp_path / 'b', replace(SCRIPTED, workers=1)).summary
    four = replayed(monkeypatch, bag, tmp_path / 'c', replace(SCRIPTED, workers=4)).summary
    assert one.counts['plans'] >= 9
    assert one.counts == two.counts == four.counts
    first = plans(tmp_path / 'a')
    assert first == plans(tmp_path / 'b') == plans(tmp_path / 'c')
    images = [(tmp_path / n / 'recording' / 'images.bin').read_bytes() for n in 'ac']
    assert images[0] == images[1]
    figures = [s.as_dict()['metrics'] for s in (one, four)]
    for name in figures[0]:
        if not name.startswith('cycle_ms'):
            assert figures[0][name] == figures[1][name], name


def test_pixels_reach_the_model(monkeypatch, bag, tmp_path):
    """The double of the test above would notice a swapped, repeated or stale picture."""
    replayed(monkeypatch, bag, tmp_path, replace(SCRIPTED, limit_s=2.0))
    paths = [c.paths for c in Recording(tmp_path / 'recording').all(events.Candidates) if c.paths]
    assert len({json.dumps(p[0]) for p in paths}) == len(paths) > 10


def test_the_truth_is_the_odometry_that_follows(bag, tmp_path):
    summary = run(bag, tmp_path, BLIND).summary
    table = summary.as_dict()['metrics']
    # the drive is an arc of constant speed: the baseline is the truth, up to rounding
    assert table['l2_at_1s']['baseline'] == pytest.approx(0.0, abs=1e-3)
    assert table['l2_at_3s']['baseline'] == pytest.approx(0.0, abs=1e-3)
    assert (table['l2_at_1s']['n'], table['l2_at_3s']['n']) == (31, 11)
    # and beyond the end of the recording there is none
    assert table['l2_at_6s']['baseline'] is None
    assert 'does not go on for long enough' in table['l2_at_6s']['baseline_reason']
    assert table['ade']['reason'] == 'not evaluable: no model took part'


def test_objects_of_the_recording_are_hit_where_they_stand(bag, tmp_path):
    """The car of the recording drives through a box 9 m ahead: plans along its path do too."""
    table = run(bag, tmp_path, BLIND).summary.as_dict()['metrics']
    # at 5 m/s its bumper is there within 1 s of every t0 from 0.03 to 2.85 s
    assert 0.6 < table['collision_up_to_1s']['baseline'] < 0.9
    assert table['collision_up_to_3s']['baseline'] == 1.0
    assert table['collision_up_to_6s']['baseline'] is None


def test_scores_of_cycles_are_in_the_recording(bag, tmp_path):
    run(bag, tmp_path, SCRIPTED)
    scores = Recording(tmp_path / 'recording').all(events.Score)
    assert [s.t0_ns for s in scores] == [START_NS + i * NS // 10 for i in range(41)]
    assert scores[20].metrics['baseline_l2_at_1s'] == pytest.approx(0.0, abs=1e-3)
    assert scores[20].metrics['l2_at_1s'] is not None
    assert scores[-1].metrics.get('l2_at_1s') is None


@pytest.mark.parametrize(
    ('drive', 'words'),
    [
        (Drive(absent=('rear', 'front_left')), ['camera rear: no pictures', 'camera front_left']),
        (Drive(odometry=False), ['odometry: no nav_msgs/Odometry', '--map RECORDED:=odometry']),
        (Drive(odometry_hz=2.0), ['odometry: 2.0 Hz', 'at least 5 Hz']),
        (Drive(hz=1.0), ['history: front at 1.0 Hz', 'every 0.25 s']),
        (Drive(seconds=0.5), ['history: 0.50 s were recorded, nano looks back 0.75 s']),
    ],
)
def test_what_is_missing_is_named_and_refused(tmp_path, drive, words):
    bag = replay_bag.write(tmp_path / 'a.mcap', replace(drive, seconds=min(drive.seconds, 2.0)))
    with pytest.raises(ReplayError) as refused:
        run(bag, tmp_path / 'out', SCRIPTED)
    for word in (*words, '--incomplete'):
        assert word in str(refused.value)
    assert not (tmp_path / 'out').exists()


def test_incomplete_goes_on_and_says_what_cannot_be_evaluated(tmp_path):
    bag = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=2.0, absent=('rear',)))
    result = run(bag, tmp_path / 'out', replace(SCRIPTED, incomplete=True))
    found = result.summary.as_dict()
    assert found['verdict'] == 'not evaluable'
    assert found['counts']['proposals'] == 0
    assert found['faults']['SET_INCOMPLETE'] == found['counts']['timesteps'] > 15
    cell = found['metrics']['l2_at_1s']
    assert cell['model'] is None
    assert cell['reason'].startswith('not evaluable: the model was never asked: SET_INCOMPLETE')
    assert cell['baseline'] == pytest.approx(0.0, abs=1e-3)
    assert found['lacks'][0].startswith('camera rear')


def test_without_any_camera_the_baseline_is_evaluated(tmp_path):
    everybody = tuple(camera.name for camera in replay_bag.RIG.cameras)
    bag = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=3.0, absent=everybody))
    found = run(bag, tmp_path / 'o', replace(SCRIPTED, incomplete=True)).summary.as_dict()
    assert found['metrics']['l2_at_1s']['baseline'] == pytest.approx(0.0, abs=1e-3)
    assert found['metrics']['l2_at_1s']['n'] >= 18
    assert found['counts']['sets'] == 0


@pytest.mark.parametrize('hz', [12.0, 30.0])
def test_cameras_of_any_rate(tmp_path, hz):
    bag = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=2.0, hz=hz))
    rig = tmp_path / 'fast.yaml'
    data = replay_bag.RIG.model_dump(mode='json', exclude_none=True)
    for camera in data['cameras']:
        camera['rate_hz'] = hz
    rig.write_text(json.dumps(data))
    result = run(bag, tmp_path / 'o', replace(SCRIPTED, rig=str(rig)))
    assert result.summary.counts['proposals'] >= 10
    stamps = [c.t0_ns for c in Recording(result.recording).all(events.Candidates)]
    apart = np.diff(stamps) / 1e6
    assert 60 < apart.min() and apart.max() < 140


def test_raw_pictures_give_what_compressed_ones_give(monkeypatch, tmp_path):
    raw = replay_bag.write(tmp_path / 'raw.mcap', Drive(seconds=2.0, raw=True))
    result = replayed(monkeypatch, raw, tmp_path / 'o', SCRIPTED)
    assert result.summary.counts['plans'] >= 3
    shown = Recording(result.recording).image('front', START_NS + NS)
    assert shown is not None and shown.shape == (160, 280, 3)


def test_a_sqlite_recording_gives_the_same_plans(monkeypatch, tmp_path):
    from rosbags.rosbag2 import StoragePlugin, Writer

    mcap = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=2.0))
    reader, topics = BagReader(mcap, raw=True), {}
    with Writer(tmp_path / 'db', version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        for item in reader:
            if item.topic not in topics:
                known = writer.add_connection(item.topic, item.type, typestore=reader.store)
                topics[item.topic] = known
            writer.write(topics[item.topic], item.time_ns, item.message)
    replayed(monkeypatch, mcap, tmp_path / 'm', SCRIPTED)
    found = replayed(monkeypatch, tmp_path / 'db', tmp_path / 'd', SCRIPTED).summary
    assert found.counts['plans'] > 0 and found.complete
    assert plans(tmp_path / 'm') == plans(tmp_path / 'd')


def test_topics_are_mapped_by_a_person(bag, tmp_path):
    other = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=2.0, prefix='/car'))
    maps = {f'/car/{camera.topic}': camera.topic for camera in replay_bag.RIG.cameras}
    with pytest.raises(ReplayError, match='odometry: no nav_msgs/Odometry'):
        run(other, tmp_path / 'o', replace(SCRIPTED, maps=maps))
    maps['/car/odometry'] = '/alpamayo/odometry'
    assert run(other, tmp_path / 'o', replace(SCRIPTED, maps=maps)).summary.counts['plans'] > 0


def test_an_interrupted_replay_keeps_what_was_done(bag, tmp_path):
    def tell(now):
        if now.done_s > 2.0:
            raise KeyboardInterrupt

    result = run(bag, tmp_path, SCRIPTED, tell)
    assert result.interrupted and not result.summary.complete
    found = json.loads((tmp_path / 'summary.json').read_text())
    assert found['complete'] is False
    assert 15 <= found['counts']['timesteps'] <= 25
    recording = Recording(tmp_path / 'recording')
    assert len(recording.all(events.Score)) == found['counts']['timesteps']


def test_a_bag_that_was_cut_off_is_evaluated_as_far_as_it_goes(tmp_path):
    cut = tmp_path / 'cut.mcap'
    bag = replay_bag.write(tmp_path / 'whole.mcap', Drive(seconds=2.0, raw=True))
    cut.write_bytes(bag.read_bytes()[: bag.stat().st_size // 2])
    summary = run(cut, tmp_path / 'o', SCRIPTED).summary
    assert not summary.complete and summary.verdict == 'fail'
    assert 'BAG_BROKEN' in summary.broken and 'messages were read' in summary.broken
    assert summary.counts['messages'] > 100
    assert 'The bag is damaged' in summary.sentence


def test_only_so_many_seconds(bag, tmp_path):
    summary = run(bag, tmp_path, replace(BLIND, limit_s=1.0)).summary
    assert summary.timing['recorded_s'] == pytest.approx(1.0, abs=0.15)


def test_late_stamps_are_refused_as_on_the_car(tmp_path):
    """A bag whose pictures were recorded 0.4 s after they were taken."""
    bag = tmp_path / 'late.mcap'
    replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=2.0))
    with BagWriter(bag) as writer:
        items = list(BagReader(tmp_path / 'a.mcap'))
        late = [(m.time_ns + (0 if 'odom' in m.topic else 4 * NS // 10), m) for m in items]
        for time_ns, item in sorted(late, key=lambda pair: pair[0]):
            writer.write(item.topic, item.message, time_ns)
    summary = run(bag, tmp_path / 'o', SCRIPTED).summary
    assert summary.counts['proposals'] == 0
    assert summary.verdict == 'not evaluable'


def test_identity_names_bag_model_and_rig(bag, tmp_path):
    import hashlib

    found = run(bag, tmp_path, SCRIPTED).summary.as_dict()['identity']
    assert found['bag']['sha256'] == hashlib.sha256(bag.read_bytes()).hexdigest()
    assert found['model'] == {
        'profile': 'nano', 'runtime': 'scripted', 'manifest_sha256': '',
        'version': found['model']['version'],
    }  # fmt: skip
    assert found['rig']['name'] == 'sim' and len(found['rig']['calibration_sha256']) == 64


def test_the_summary_is_strict_json_without_nan(bag, tmp_path):
    run(bag, tmp_path, SCRIPTED)

    def refuse(text):
        raise AssertionError(text)

    found = json.loads((tmp_path / 'summary.json').read_text(), parse_constant=refuse)
    assert {'verdict', 'sentence', 'complete', 'counts', 'faults', 'metrics', 'timing'} <= set(
        found
    )
    for cell in found['metrics'].values():
        assert cell['model'] is None or math.isfinite(cell['model'])
        assert (cell['model'] is None) == ('reason' in cell)


def test_camera_info_goes_before_the_rig_and_is_told(tmp_path):
    bag = tmp_path / 'a.mcap'
    replay_bag.write(tmp_path / 'plain.mcap', Drive(seconds=1.2))
    front = replay_bag.RIG.camera('front')
    matrix = front.matrix * np.array([[1.1], [1.1], [1.0]])
    other = front.with_calibration(matrix, 'none', ())
    with SensorBag(bag) as writer:
        writer.camera_info(f'/alpamayo/{front.info_topic}', START_NS, other)
        for item in BagReader(tmp_path / 'plain.mcap'):
            writer.write(item.topic, item.message, item.time_ns)
    result = run(bag, tmp_path / 'o', BLIND)
    assert 'Calibrated by CameraInfo, not by the rig: front.' in result.summary.notes
    assert any('lost field of view: front' in note for note in result.summary.notes)
    learned = load_rig(result.recording / 'rig.yaml').camera('front').matrix
    np.testing.assert_allclose(learned, matrix)


def test_a_route_becomes_instructions(tmp_path):
    replay_bag.write(tmp_path / 'plain.mcap', Drive(seconds=2.4, yaw_rate_rps=0.0))
    with BagWriter(tmp_path / 'a.mcap') as bag:
        points = [(float(x), 0.0) for x in range(40)] + [(40.0, float(y)) for y in range(40)]
        place = {'x': 0.0, 'y': 0.0, 'z': 0.0, 'w': 1.0}
        turn = bag.new('geometry_msgs/msg/Quaternion', **place)
        header = bag.header(START_NS, 'odom')
        poses = []
        for x, y in points:
            at = bag.new('geometry_msgs/msg/Point', x=x, y=y, z=0.0)
            pose = bag.new('geometry_msgs/msg/Pose', position=at, orientation=turn)
            poses.append(bag.new('geometry_msgs/msg/PoseStamped', header=header, pose=pose))
        path = bag.new('nav_msgs/msg/Path', header=header, poses=poses)
        bag.write('/alpamayo/route', path, START_NS)
        for item in BagReader(tmp_path / 'plain.mcap'):
            bag.write(item.topic, item.message, item.time_ns)
    result = run(tmp_path / 'a.mcap', tmp_path / 'o', SCRIPTED)
    assert len(Recording(result.recording).route) == 80
    words = Instructed()
    words.take('route', path, START_NS)
    words.pass_time(START_NS, EgoState(START_NS, 0.0, 0.0, 0.0, 5.0))
    assert words.navigation(START_NS + NS) == 'turn left in 40 m'
