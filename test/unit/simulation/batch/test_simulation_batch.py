"""``alpamayo sim``: several processes, the journal, intervals, the command line."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from alpamayo_ros.cli.main import app
from alpamayo_ros.cli.sim import parse_seeds
from alpamayo_ros.metrics import wilson
from alpamayo_ros.simulation.batch import batch
from alpamayo_ros.simulation.batch.figures import summarise
from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.batch.local_worker import Process
from alpamayo_ros.simulation.scenario import load_scenario

SHORT = """
name: short
description: eight seconds
verdict: reach
duration_s: 8
goal_m: 20
start: {arc_m: 10, speed_mps: 0}
traffic: {oncoming: false}
"""
FIELDS = {
    'name', 'seed', 'mode', 'duration_s', 'distance_m', 'collisions_at_fault', 'offroad_s',
    'progress', 'score', 'end', 'mean_offset_m', 'max_offset_m', 'collisions', 'stops',
    'restarts', 'left_lane', 'gap_m', 'moved_on', 'right',
}  # fmt: skip


@pytest.fixture
def task(tmp_path: Path) -> batch.Task:
    path = tmp_path / 'short.yaml'
    path.write_text(SHORT)
    return batch.Task(str(path), 'expert')


def drive(task: batch.Task, seeds: list[int], **how: Any) -> tuple[list[dict], dict]:
    """Rows of one scenario in the order of the seeds, and the planner."""
    scenario = load_scenario(task.scenario)
    return batch.drive(task, [Job(scenario, seed) for seed in seeds], batch.Execution(**how))


def test_rows_do_not_depend_on_the_number_of_processes(task: batch.Task) -> None:
    rows, who = drive(task, [3, 1, 2])
    assert [r['seed'] for r in rows] == [3, 1, 2] and set(rows[0]) >= FIELDS
    assert all(r['right'] for r in rows) and who == {'name': 'expert', 'manifest_sha256': ''}
    assert drive(task, [3, 1, 2], workers=2)[0] == rows


def test_an_interrupted_batch_goes_on_where_it_stopped(task: batch.Task, tmp_path: Path) -> None:
    path = tmp_path / 'journal.jsonl'

    def stop(job: Job, row: dict) -> None:
        raise batch.BatchError('interrupted')

    with pytest.raises(batch.BatchError, match='interrupted'):
        drive(task, [1, 2], journal=path, done=stop)
    head, first = path.read_text().splitlines()
    forged = {**json.loads(first), 'distance_m': -1.0}
    path.write_text(f'{head}\n{json.dumps(forged)}\n{{"seed": 2, "cut o')
    rows, _ = drive(task, [1, 2], journal=path)
    assert rows[0]['distance_m'] == -1.0 and rows[1]['right']
    rows, _ = drive(batch.Task(task.scenario, 'straight'), [1], journal=path)
    assert rows[0]['distance_m'] > 0, 'rows of another planner are not taken over'


def test_two_threads_that_close_a_worker_are_not_in_its_pipe_at_once(task: batch.Task) -> None:
    worker, entered, second = Process(task), [], threading.Event()
    stdin = worker.process.stdin

    class Slow:
        closed = False

        def close(self) -> None:
            entered.append(threading.current_thread())
            if len(entered) > 1:
                second.set()
            second.wait(0.5)
            stdin.close()
            self.closed = True

    worker.process.stdin = Slow()
    threads = [threading.Thread(target=worker.close) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(entered) == 1 and worker.process.poll() is not None


def test_a_worker_that_cannot_start_says_why(task: batch.Task, tmp_path: Path) -> None:
    missing = batch.Task(task.scenario, 'onnx', model=str(tmp_path / 'nothing'))
    with pytest.raises(batch.BatchError, match='nothing'):
        drive(missing, [1])


def test_command_line_writes_rows_and_summary(task: batch.Task, tmp_path: Path) -> None:
    out = tmp_path / 'deep' / 'out.json'
    words = ['sim', '--scenario', task.scenario, '--seeds', '1:2', '--planner', 'expert']
    result = CliRunner().invoke(app, [*words, '--objects', 'none', '--json', str(out)])
    assert result.exit_code == 0, result.output
    report = json.loads(out.read_text())
    assert report['rows'][0]['seed'] == 1 and report['summary']['right']['count'] == 1
    assert report['planner']['name'] == 'expert' and report['seconds'] > 0
    assert not list(out.parent.glob('*.partial*'))
    assert 'right: 1 of 1' in result.output


@pytest.mark.parametrize(
    'words', [['--planner', 'x'], ['--objects', 'x'], ['--ablate', 'x'], ['--seeds', '5:5']]
)
def test_command_line_refuses_what_it_does_not_know(words: list[str]) -> None:
    assert CliRunner().invoke(app, ['sim', *words]).exit_code == 2


def test_seeds() -> None:
    assert parse_seeds('100:103') == [100, 101, 102]
    assert parse_seeds('7') == [7] and parse_seeds('5,1,5') == [5, 1]


def test_wilson_interval() -> None:
    low, high = wilson(48, 50)
    assert (round(low, 3), round(high, 3)) == (0.865, 0.989)
    assert wilson(0, 0) == (0.0, 1.0) and wilson(20, 20)[1] == 1.0


def test_summary_counts_drives_that_end_early() -> None:
    row = {
        'right': False, 'collisions': 0, 'offroad_s': 0.1, 'left_lane': True, 'moved_on': None,
        'end': 'offroad', 'distance_m': 33.0, 'mean_offset_m': 0.4, 'duration_s': 10.0,
        'score': 0.0, 'progress': 0.1, 'collisions_at_fault': 0, 'fallback_plans': 0,
    }  # fmt: skip
    good = {**row, 'right': True, 'offroad_s': 0.0, 'end': 'goal', 'distance_m': 300.0}
    good |= {'mean_offset_m': 0.1, 'duration_s': 30.0, 'left_lane': False}
    summary = summarise([row, good])
    assert summary['ended_before_150_m']['count'] == 1 and summary['right']['count'] == 1
    assert summary['mean_offset_m'] == pytest.approx((0.4 * 10 + 0.1 * 30) / 40)
    assert summary['ends'] == {'goal': 1, 'offroad': 1}
    assert (summary['moved_on']['count'], summary['moved_on']['of']) == (0, 0), 'nobody stood'
    stood = [{**good, 'moved_on': True}, {**row, 'moved_on': False}]
    arrived = {**good, 'end': 'stopped', 'moved_on': False}
    part = summarise([*stood, arrived, good])['moved_on']
    assert (part['count'], part['of']) == (1, 2), 'who stands behind a car that stays has arrived'
