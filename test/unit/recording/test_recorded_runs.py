"""Recordings: what is written is read back, cut-off files too; summary and notable moments."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import recorded

from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import EVENTS, Recording, Writer
from alpamayo_ros.reports import demo_summary as summary
from alpamayo_ros.reports.notable_events import notable, notable_words

ROW = {
    'name': 'stopped_car', 'seed': 7, 'mode': 'free', 'duration_s': 7.0, 'distance_m': 21.0,
    'collisions_at_fault': 0, 'offroad_s': 0.0, 'progress': 0.9, 'score': 1.0, 'end': 'stopped',
}  # fmt: skip


@pytest.fixture(scope='module')
def drive(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return Recording(recorded.write(tmp_path_factory.mktemp('drive'), mode='free'))


def test_what_was_written_is_read(drive: Recording):
    assert drive.info.mode == 'free'
    assert len(drive.times_ns) == 90
    assert drive.ego.shape == (90, 6)
    assert drive.route[-1].tolist() == [58.0, 0.0]
    assert drive.all(events.Objects)[0].boxes[0].kind == 'car'
    assert drive.all(events.Candidates)[0].costs[-1] is None


def test_pictures_come_back_in_rgb_by_time(drive: Recording):
    picture = drive.image('front', recorded.START_NS + 50)
    assert picture is not None and picture.shape == (64, 112, 3)
    assert np.abs(picture[30, 50].astype(int) - [40, 120, 200]).max() < 6
    assert drive.image('front', recorded.START_NS - 1) is None
    assert drive.image('no such camera', recorded.START_NS) is None


def test_ego_is_interpolated_and_clamped(drive: Recording):
    middle = drive.ego_at(recorded.START_NS + 50_000_000)
    assert middle[1] == pytest.approx(0.75)
    assert drive.ego_at(0)[1] == pytest.approx(0.5)


def test_a_clock_that_stepped_back_gives_no_time_twice(tmp_path: Path):
    recorded.write(tmp_path, steps=1)  # run.json
    writer = Writer(tmp_path)
    for at, x_m in ((0, 0.0), (1, 1.0), (2, 2.0), (1, 3.0), (2, 4.0), (3, 5.0)):
        writer.write(events.Ego(0, at * 10**9, x_m, 0.0, 0.0, 1.0, 0.0))
    writer.close()
    assert Recording(tmp_path).ego[:, :2].tolist() == [[0, 0], [1, 1], [2, 2], [3, 5]]


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path):
    recorded.write(tmp_path, steps=3)
    whole = (tmp_path / EVENTS).read_text()
    (tmp_path / EVENTS).write_text(whole[:-25])
    assert len(Recording(tmp_path).all(events.Words)) == 2


def test_numbers_that_are_not_finite_become_null(tmp_path: Path):
    writer = Writer(tmp_path)
    writer.write(events.Ego(0, 1, float('nan'), float('inf'), 0.0, 1.23456789, 0.0))
    writer.close()
    line = json.loads((tmp_path / EVENTS).read_text())
    assert line['x_m'] is None and line['y_m'] is None and line['speed_mps'] == 1.2346


def test_a_folder_without_a_recording_says_so(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match='recorder'):
        Recording(tmp_path)


def test_summary_has_exactly_the_fields_of_the_contract(drive: Recording):
    found = summary.summarise([summary.ScenarioRow.model_validate(ROW)], [drive], 0.97)
    data = json.loads(found.model_dump_json())
    assert set(data) == {
        'scenarios', 'plans', 'real_time_factor', 'cycle_ms', 'plan_age_ms', 'deadline_misses',
        'stage_ms', 'coc', 'model',
    }  # fmt: skip
    assert set(data['scenarios'][0]) == set(ROW) - {'end'}
    assert data['plans'] == 90
    assert data['plan_age_ms'] == {'p50': 120.0, 'p99': 120.0}
    assert data['cycle_ms']['p50'] == 60.0 and data['cycle_ms']['p99'] > 60.0
    assert data['deadline_misses'] == 1
    assert data['stage_ms'] == {'encode': 20.0, 'reason': 74.5}
    assert data['model'] == {'profile': 'nano', 'runtime': 'onnx', 'manifest_hash': 'ab' * 32}
    assert data['coc'] == []  # the words of this drive leave out that the car stands


def test_times_come_from_the_free_running_drive_only(tmp_path: Path):
    lockstep = Recording(recorded.write(tmp_path, mode='lockstep', steps=5))
    found = summary.summarise([], [lockstep], None)
    assert found.plan_age_ms.p50 is None and found.cycle_ms.p99 is None
    assert found.deadline_misses == 0 and found.stage_ms == {}
    assert found.plans == 5


def test_dropped_cycles_are_missed_deadlines(tmp_path: Path):
    recorded.write(tmp_path, mode='free', steps=5)
    with (tmp_path / EVENTS).open('a') as file:
        line = {'kind': 'candidates', 'wall_ns': 0, 't0_ns': 1, 'published_ns': 1, 'status': 2}
        line |= {'runtime': 'onnx', 'profile': 'nano', 'manifest_hash': '', 'text': ''}
        line |= {'faults': ['MODEL_OVERRUN'], 'pose': [0.0, 0.0, 0.0]}
        file.write(json.dumps(line) + '\n')
    assert summary.misses(Recording(tmp_path)) == 1


def test_braking_and_standing_are_notable(drive: Recording):
    found = notable(drive, count=3)
    assert [m.what for m in found][-1] == 'standing'
    assert found[0].what.startswith('hardest braking, -2.0')
    assert found[0].t0_ns < found[1].t0_ns


def test_braking_before_the_driver_began_is_not_notable(tmp_path: Path):
    path = recorded.write(tmp_path) / EVENTS
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if (
            line['kind'] == 'health'
            and line['stamp_ns'] < recorded.START_NS + 70 * recorded.STEP_NS
        ):
            line['state'] = 0
    path.write_text(''.join(json.dumps(line) + '\n' for line in lines))
    assert not any('braking' in m.what for m in notable(Recording(tmp_path), count=3))


def test_a_fault_comes_first(tmp_path: Path):
    recorded.write(tmp_path, steps=40)
    with (tmp_path / EVENTS).open('a') as file:
        line = {'kind': 'health', 'wall_ns': 0, 'stamp_ns': recorded.START_NS, 'faults': []}
        line |= {'t0_ns': recorded.START_NS + 10**9, 'state': 4, 'reason': 'frames are late'}
        line |= {'messages': [], 'plan_age_ms': None, 'plans': 1, 'stops': 1, 'refusals': 0}
        line |= {'deadline_misses': 0, 'worker_restarts': 0, 'runtime': 'onnx'}
        file.write(json.dumps(line) + '\n')
    assert notable(Recording(tmp_path), count=1)[0].what == 'frames are late'


def test_telling_words_do_not_repeat_themselves(drive: Recording):
    said = [w.rationale for w in notable_words(drive, 5)]
    assert len(said) == len(set(said)) == 2


def test_without_pictures_instants_are_those_of_the_cycles_or_of_odometry(tmp_path: Path):
    path = recorded.write(tmp_path, steps=20) / EVENTS
    lines = path.read_text().splitlines(keepends=True)
    blind = [line for line in lines if '"kind":"image"' not in line]
    path.write_text(''.join(blind))
    cycles = Recording(tmp_path).times_ns
    path.write_text(''.join(line for line in blind if '"kind":"ego"' in line))
    assert cycles == Recording(tmp_path).times_ns and len(cycles) == 20
    path.write_text('')
    assert Recording(tmp_path).times_ns == []


def test_scores_of_cycles_are_kept(tmp_path: Path):
    recorded.write(tmp_path, steps=1)
    with (tmp_path / EVENTS).open('a') as file:
        file.write('{"kind":"score","wall_ns":0,"t0_ns":5,"metrics":{"ade":0.5,"fde":null}}\n')
    (score,) = Recording(tmp_path).all(events.Score)
    assert score.metrics == {'ade': 0.5, 'fde': None}
