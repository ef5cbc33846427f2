"""Offline replay: the same plans whatever the threads, the truth, refusals, partial results."""

import json
import math
from dataclasses import replace

import pytest
import replay_bag
from replay_bag import NS, START_NS, Drive
from replay_double import BLIND, SCRIPTED, plans, replayed

from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.replay.run import ReplayError, run


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    return replay_bag.write(tmp_path_factory.mktemp('bag') / 'drive.mcap', Drive(box_ahead_m=9.0))


@pytest.fixture(scope='module')
def scripted(bag, tmp_path_factory):
    """The bag's whole replay by the scripted runtime: its folder, and what it returned."""
    folder = tmp_path_factory.mktemp('scripted')
    return folder, run(bag, folder, SCRIPTED)


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


def test_scores_of_cycles_are_in_the_recording(scripted):
    scores = Recording(scripted[0] / 'recording').all(events.Score)
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


def test_incomplete_goes_on_with_a_black_camera_and_says_so(tmp_path):
    bag = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=2.0, absent=('rear',)))
    result = run(bag, tmp_path / 'out', replace(SCRIPTED, incomplete=True))
    found = result.summary.as_dict()
    assert found['verdict'] == 'not evaluable' and 'black' in found['sentence']
    assert found['counts']['proposals'] > 5
    assert found['lacks'][0].startswith('camera rear')


def test_incomplete_says_what_cannot_be_evaluated(tmp_path):
    bag = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=2.0, hz=1.0))
    found = run(bag, tmp_path / 'out', replace(SCRIPTED, incomplete=True)).summary.as_dict()
    assert found['verdict'] == 'not evaluable'
    assert found['counts']['proposals'] == 0
    assert found['faults']['FRAME_HISTORY'] >= 2
    cell = found['metrics']['l2_at_1s']
    assert cell['model'] is None
    assert cell['reason'].startswith('not evaluable: the model was never asked: ')
    assert cell['baseline'] == pytest.approx(0.0, abs=1e-3)


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


def test_every_refusal_has_a_fault_or_came_before_the_begin(scripted):
    counts = scripted[1].summary.counts
    unasked = counts['timesteps'] - counts['proposals']
    assert counts['refusals_before_begin'] > 5 and counts['plans'] > 0
    assert counts['refusals'] == unasked + counts['refusals_before_begin']


def test_identity_names_bag_model_and_rig(bag, scripted):
    import hashlib

    found = scripted[1].summary.as_dict()['identity']
    assert found['bag']['sha256'] == hashlib.sha256(bag.read_bytes()).hexdigest()
    assert found['model'] == {
        'profile': 'nano', 'runtime': 'scripted', 'manifest_sha256': '',
        'version': found['model']['version'],
    }  # fmt: skip
    assert found['rig']['name'] == 'sim' and len(found['rig']['calibration_sha256']) == 64


def test_the_summary_is_strict_json_without_nan(scripted):
    def refuse(text):
        raise AssertionError(text)

    found = json.loads((scripted[0] / 'summary.json').read_text(), parse_constant=refuse)
    assert {'verdict', 'sentence', 'complete', 'counts', 'faults', 'metrics', 'timing'} <= set(
        found
    )
    for cell in found['metrics'].values():
        assert cell['model'] is None or math.isfinite(cell['model'])
        assert (cell['model'] is None) == ('reason' in cell)


@pytest.mark.slow
def test_nano_plans_the_same_whatever_the_threads(tmp_path):
    pytest.importorskip('onnxruntime')
    bag = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=2.0))
    nano = replace(SCRIPTED, runtime='onnx')
    for name, options in (
        ('a', replace(nano, overlap=False, workers=1)),
        ('b', replace(nano, workers=3)),
    ):
        summary = run(bag, tmp_path / name, options).summary
        assert summary.counts['proposals'] == 14
        assert len(summary.identity['model']['manifest_sha256']) == 64
    assert plans(tmp_path / 'a') == plans(tmp_path / 'b')
