"""Suites: the list of runs, the same result in any order, resuming after kill -9, Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alpamayo_ros.cli.main import app
from alpamayo_ros.cli.simulating.report import worst
from alpamayo_ros.metrics import regression_suite
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.simulation.batch import suite
from alpamayo_ros.simulation.batch.task import Task
from alpamayo_ros.simulation.scenario import scenario_names

TEMPLATE = """
name: {name}
description: a short drive
family: {family}
verdict: reach
duration_s: {duration_s}
goal_m: {goal_m}
start: {{arc_m: 10, speed_mps: {speed_mps}}}
traffic: {{oncoming: false}}
"""
FIGURES = (
    'at_fault_free_share', 'mean_progress', 'scene_score', 'drive_score', 'km_per_incident',
    'coc_facts_f1', 'agreement',
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three templates of two families; the last one cannot reach its goal in time."""
    out = tmp_path / 'suite'
    (out / 'deep').mkdir(parents=True)
    for name, family, goal_m in (('c', 'x', 8), ('a', 'x', 6), ('b', 'y', 60)):
        text = TEMPLATE.format(name=name, family=family, duration_s=4, goal_m=goal_m, speed_mps=5)
        (out / 'deep' / f'{name}.yaml').write_text(text)
    return out


def invoke(*words: str | Path) -> tuple[int, str]:
    """One worker unless ``words`` say more: each is a process that loads the simulator."""
    words = words if '--workers' in words or '--suite' not in words else (*words, '--workers', 1)
    result = CliRunner().invoke(app, ['sim', '--planner', 'expert', *map(str, words)])
    return result.exit_code, result.output


def compared(path: Path) -> dict:
    report = json.loads(path.read_text())
    del report['timing']
    return report


def test_the_list_decides_the_order(folder: Path) -> None:
    found = suite.templates(str(folder))
    assert [s.name for s in found] == ['a', 'b', 'c']
    jobs = suite.jobs(found, [1, 0])
    assert [(j.scenario.name, j.seed) for j in jobs][:3] == [('a', 1), ('a', 0), ('b', 1)]


@pytest.mark.parametrize('split', suite.SPLITS)
def test_splits_hold_their_own_templates(split: str) -> None:
    try:
        found = suite.templates(split)
    except suite.SuiteError as error:
        assert 'no template' in str(error)
        return
    assert all(s.split == split for s in found)
    assert {s.name for s in found} <= set(scenario_names())


def test_unknown_empty_and_double_suites_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(suite.SuiteError, match='no suite .*train, val, test'):
        suite.templates('exam')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(suite.SuiteError, match='no template'):
        suite.templates(str(tmp_path / 'empty'))
    (folder / 'again.yaml').write_text((folder / 'deep' / 'a.yaml').read_text())
    with pytest.raises(suite.SuiteError, match='more than once: a'):
        suite.templates(str(folder))
    code, said = invoke('--suite', 'exam')
    assert code == 2 and 'no suite' in said


def test_the_result_depends_on_nothing_but_the_list(folder: Path, tmp_path: Path) -> None:
    words = ('--suite', folder, '--seeds', '0:2', '--json')
    one, two = tmp_path / 'one.json', tmp_path / 'two.json'
    assert invoke(*words, one, '--workers', 1)[0] == 0
    code, said = invoke(*words, two, '--workers', 2)
    assert code == 0 and compared(one) == compared(two)
    report = json.loads(one.read_text())
    assert report['runs'] == 6 == len(report['rows']) and report['timing']['workers'] == 1
    assert [(r['name'], r['seed']) for r in report['rows']][2:4] == [('b', 0), ('b', 1)]
    for part in (report, *report['families'].values()):
        assert all(name in part and f'{name}_ci95' in part for name in FIGURES)
    assert list(report['families']) == ['x', 'y'] and report['families']['x']['runs'] == 4
    assert report['families']['x']['scene_score'] == 1.0 > report['scene_score']
    assert report['coc_facts_f1'] is None, 'the expert says nothing'
    assert 'no incident' in said and not list(tmp_path.glob('*.partial*'))


def test_limit_takes_the_first_runs(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out.json'
    assert invoke('--suite', folder, '--seeds', '0:2', '--limit', 3, '--json', out)[0] == 0
    rows = json.loads(out.read_text())['rows']
    assert [(r['name'], r['seed']) for r in rows] == [('a', 0), ('a', 1), ('b', 0)]


def command(folder: Path, out: Path) -> list[str]:
    code = 'from alpamayo_ros.cli.main import main; main()'
    words = ['--suite', str(folder), '--seeds', '0:4', '--workers', '2', '--planner', 'straight']
    return [sys.executable, '-c', code, 'sim', *words, '--json', str(out)]


def when_kept(process: subprocess.Popen, journal: Path, rows: int) -> None:
    end = time.monotonic() + 500
    while not journal.is_file() or journal.read_text().count('\n') <= rows:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, 'no row was kept'
        time.sleep(0.02)


def test_an_interrupted_suite_goes_on_where_it_stopped(folder: Path, tmp_path: Path) -> None:
    """Ctrl-C to the whole process group, as a terminal sends it, then kill -9, then to the end."""
    out, whole = tmp_path / 'out.json', tmp_path / 'whole.json'
    journal = tmp_path / 'out.json.partial.jsonl'
    began = dict(start_new_session=True, stderr=subprocess.PIPE, text=True)
    first = subprocess.Popen(command(folder, out), **began)
    when_kept(first, journal, 1)
    os.killpg(first.pid, signal.SIGINT)
    said = first.communicate(timeout=500)[1]
    assert first.returncode == 130 and 'to go on:' in said and 'Traceback' not in said
    kept = journal.read_text().splitlines()[1:]
    assert f'{len(kept)} finished drives are kept' in said and 0 < len(kept) < 12
    second = subprocess.Popen(command(folder, out), **began)
    when_kept(second, journal, len(kept) + 1)
    second.kill()
    second.communicate(timeout=500)
    between = journal.read_text().splitlines()
    forged = json.loads(between[1]) | {'mean_offset_m': 77.0}
    journal.write_text('\n'.join([between[0], json.dumps(forged), *between[2:]]) + '\n{"key": "a')
    last = subprocess.run(command(folder, out), capture_output=True, text=True, timeout=500)
    assert last.returncode == 0, last.stderr
    assert 'drives are taken from an interrupted call' in last.stderr
    offsets = [r['mean_offset_m'] for r in compared(out)['rows']]
    assert offsets.count(77.0) == 1 and len(offsets) == 12, 'a finished drive is not driven again'
    straight = ('--planner', 'straight', '--suite', folder)
    assert invoke(*straight, '--seeds', '0:4', '--json', whole)[0] == 0
    again, full = compared(out), compared(whole)
    same = [a == b for a, b in zip(again['rows'], full['rows'], strict=True)]
    assert same.count(False) == 1 and not journal.exists()


def test_options_of_suites_are_refused_without_one() -> None:
    for words in (['--limit', '3'], ['--ray'], ['--report', 'x'], ['--against', 'x']):
        code, said = invoke(*words)
        assert code == 2 and '--suite test' in said


def test_the_worst_are_those_with_incidents_then_low_scores() -> None:
    def row(score: float, incidents: int = 0, right: bool = True) -> dict:
        return {'drive_score': score, 'incidents': incidents, 'right': right}

    rows = [row(1.0), row(0.0), row(0.0, 1, False), row(0.3, 0, False), row(0.3), row(0.0, 2)]
    assert worst(rows, 4) == [2, 5, 1, 3] and worst(rows, 0) == []


def test_list_names_every_scenario() -> None:
    code, said = invoke('--list')
    assert code == 0 and all(name in said for name in scenario_names())


def test_a_template_that_cannot_be_driven_is_named(folder: Path) -> None:
    """A map `log` without its log is an exception in the worker: tried twice, then named."""
    broken = TEMPLATE.format(name='d', family='x', duration_s=4, goal_m=6, speed_mps=5)
    (folder / 'd.yaml').write_text(broken)
    *sound, last = suite.templates(str(folder))
    jobs = suite.jobs([*sound, last.model_copy(update={'map': 'log'})], [0])
    done: list[str] = []
    with pytest.raises(suite.batch.BatchError, match='1 of 4 drives failed:\n  d, seed 0'):
        how = suite.batch.Execution(done=lambda job, row: done.append(job.scenario.name))
        suite.run(Task('', 'expert'), jobs, how)
    assert sorted(done) == ['a', 'b', 'c']


def test_against_an_earlier_result(folder: Path, tmp_path: Path) -> None:
    out, now = tmp_path / 'out.json', tmp_path / 'now.json'
    words = ('--planner', 'straight', '--suite', folder, '--seeds', '0', '--json')
    assert invoke(*words, out)[0] == 0
    code, said = invoke(*words, now, '--against', out)
    assert code == 0 and 'Not worse' in said
    better = json.loads(out.read_text()) | {'drive_score': 0.99}
    out.write_text(json.dumps(better))
    code, said = invoke(*words, now, '--against', out)
    assert code == 1 and 'drive_score was 0.99' in said and now.is_file()
    code, said = invoke(*words, now, '--limit', 2, '--against', out)
    assert code == 1 and 'the runs differ: 3 before, 2 now, 2 the same' in said
    out.write_text('{"rows": []}')
    code, said = invoke(*words, now, '--against', out)
    assert code == 2 and 'expected --json of' in said
    assert invoke(*words, now, '--against', tmp_path / 'none.json')[0] != 0


def test_new_incidents_are_named() -> None:
    def result(*incidents: int) -> dict:
        rows = [{'name': 'a', 'seed': i, 'incidents': n} for i, n in enumerate(incidents)]
        return {'rows': rows, 'incidents': sum(incidents), 'families': {}, 'drive_score': 1.0}

    found = regression_suite.worse(result(0, 1, 0), result(1, 0, 1))
    assert [w.name for w in found] == ['incidents', 'new incidents']
    assert 'a seed 0, a seed 2' in found[1].sentence
    assert not regression_suite.worse(result(0, 1), result(0, 0))


def test_report_drives_the_worst_again_the_same_way(folder: Path, tmp_path: Path) -> None:
    """The page, its recording and its film; what is recorded is what was scored."""
    out = tmp_path / 'page'
    (folder / 'deep' / 'a.yaml').unlink()
    code, said = invoke('--suite', folder, '--seeds', '0', '--report', out, '--worst', 1)
    assert code == 0 and 'differently' not in said, said
    page = (out / 'report.html').read_text()
    assert 'runs/b_0/drive.mp4' in page and (out / 'runs' / 'b_0' / 'drive.mp4').is_file()
    recording = Recording(out / 'runs' / 'b_0')
    assert len(recording.all(events.Ego)) == 40 and recording.image('front', 10**9) is not None
    assert not (out / 'runs' / 'c_0').exists()


def test_a_page_that_is_interrupted_costs_no_drive(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / 'out.json'
    words = ('--planner', 'straight', '--suite', folder, '--seeds', '0', '--json', out)
    with monkeypatch.context() as patched:
        patched.setattr('alpamayo_ros.cli.simulating.suite._page', interrupt)
        code, said = invoke(*words, '--report', tmp_path / 'page')
    assert code == 130 and '3 finished drives are kept' in said and out.is_file()
    code, said = invoke(*words)
    assert code == 0 and '3 of 3 drives are taken from an interrupted call' in said
