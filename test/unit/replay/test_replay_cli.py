"""``alpamayo replay`` and ``bench replay``: exit codes, files, words."""

import json

import pytest
import replay_bag
from replay_bag import Drive
from typer.testing import CliRunner

from alpamayo_ros.cli import main, replay_screen
from alpamayo_ros.cli.measuring import replay_speed
from alpamayo_ros.cli.replay import code
from alpamayo_ros.replay import speed as bench
from alpamayo_ros.replay.options import Options


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    return replay_bag.write(tmp_path_factory.mktemp('cli') / 'drive.mcap', Drive(seconds=2.5))


def call(*arguments):
    result = CliRunner().invoke(main.app, ['replay', *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_a_replay_writes_summary_report_and_recording(bag, tmp_path):
    out = tmp_path / 'out'
    result = call(bag, '--runtime', 'scripted', '--out', out)
    assert result.exit_code == 0, result.output
    assert 'pass: ' in result.stdout and 'times real time' in result.stdout
    found = json.loads((out / 'summary.json').read_text())
    assert found['complete'] and found['verdict'] == 'pass'
    page = (out / 'report.html').read_text()
    assert found['sentence'] in page and 'http://' not in page.replace('http://www.w3.org', '')
    assert (out / 'recording' / 'events.jsonl').stat().st_size > 10_000
    # against itself nothing is worse; against a better run it is
    same = ('--runtime', 'scripted', '--out', tmp_path / 'b', '--pictures', 'none')
    result = call(bag, *same, '--against', out / 'summary.json', '--json')
    assert result.exit_code == 0, result.output
    assert 'Not worse than' in result.stderr
    assert json.loads(result.stdout)['verdict'] == 'pass'
    found['metrics']['planned_share']['model'] = 2.0
    (out / 'better.json').write_text(json.dumps(found))
    result = call(bag, *same, '--against', out / 'better.json')
    assert result.exit_code == 1
    assert 'planned_share was 2, is 1 share; allowed 1.98' in result.stderr


def test_wrong_calls_say_what_to_type(bag, tmp_path):
    for arguments, words in (
        (
            (bag, '--runtime', 'tensor'),
            'there are onnx, torch, torch_cuda, tensorrt_rtx, tensorrt, nvidia, scripted',
        ),
        ((bag, '--map', 'a=b'), 'expected recorded:=ours'),
        ((bag, '--map', '/x:=odometry'), 'the bag has no /x'),
        ((bag, '--against', bag), 'codec'),
        ((bag, '--rig', 'tank'), 'no rig'),
        ((tmp_path / 'none.mcap',), 'no bag'),
    ):
        result = CliRunner().invoke(main.app, ['replay', *map(str, arguments)])
        said = ' '.join((result.output + str(result.exception)).replace('│', ' ').split())
        assert words in said, said
        assert result.exit_code != 0
    assert not (tmp_path / 'out').exists()


def test_a_recording_that_lacks_a_camera_is_refused_and_then_not(tmp_path):
    bag = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=1.5, absent=('rear',)))
    result = call(bag, '--runtime', 'scripted', '--out', tmp_path / 'o')
    assert result.exit_code == 2
    assert 'camera rear: no pictures on camera/rear/image_raw' in result.stderr
    assert '--incomplete' in result.stderr
    result = call(bag, '--runtime', 'scripted', '--out', tmp_path / 'o', '--incomplete')
    assert result.exit_code == 3
    assert 'not evaluable' in result.stdout


def test_a_damaged_bag_ends_with_5_and_a_report(tmp_path):
    whole = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=1.5, raw=True))
    cut = tmp_path / 'cut.mcap'
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    result = call(cut, '--runtime', 'scripted', '--out', tmp_path / 'o')
    assert result.exit_code == 5
    assert 'Incomplete. The bag is damaged' in result.stdout
    found = json.loads((tmp_path / 'o' / 'summary.json').read_text())
    assert not found['complete'] and 'messages were read' in found['broken']
    assert (tmp_path / 'o' / 'report.html').is_file()


@pytest.mark.parametrize(
    ('broken', 'verdict', 'interrupted', 'worse', 'expected'),
    [
        ('', 'pass', False, False, 0),
        ('', 'not evaluable', False, False, 3),
        ('', 'fail', False, False, 1),
        ('', 'pass', False, True, 1),
        ('BAG_BROKEN', 'fail', False, True, 5),
        ('BAG_BROKEN', 'fail', True, True, 130),
    ],
)
def test_exit_codes(broken, verdict, interrupted, worse, expected):
    model, cell = {'runtime': 'onnx'}, {'baseline': 1.0}
    summary = {'broken': broken, 'verdict': verdict, 'identity': {'model': model}}
    summary['metrics'] = {'ade': cell, 'agreement': {'baseline': None}}
    assert code(summary, interrupted, worse) == expected
    model['runtime'] = 'none'  # nobody asked for a verdict
    assert code(summary, interrupted, worse) == (0 if expected == 3 else expected)
    cell['baseline'] = None  # but for figures
    assert code(summary, interrupted, worse) == expected


def test_the_bench_compares_with_the_ceiling_of_its_stages(bag, monkeypatch):
    monkeypatch.setattr(bench, 'processors', lambda: 2)
    found = bench.measure(bag, Options(runtime='scripted'))
    assert set(found.stage_ms) >= {'read', 'sync', 'decode', 'motion', 'propose', 'decide'}
    assert found.timesteps == 26
    serial_ms = found.stage_ms['propose'] + found.stage_ms['decide']
    slowest_ms = max(serial_ms, sum(found.stage_ms.values()) / 2)
    assert found.ceiling_hz == pytest.approx(1e3 / slowest_ms, rel=1e-3)
    assert found.reached == pytest.approx(found.model_hz / found.ceiling_hz, rel=1e-2)


@pytest.mark.parametrize(
    ('reached', 'said', 'ok'),
    [(0.8, '80.0% (at least 80%)', True), (0.797, '79.7% (at least 80%)', False)],
)
def test_the_verdict_of_the_bench_agrees_with_what_it_prints(reached, said, ok, capsys):
    rates = (3.0, 9.0, reached * 10, 10.0, reached)
    found = bench.ReplayBench(2, 15.0, 150, 200.0, {'read': 1.0}, *rates, 1)
    replay_speed.show(found)
    printed = capsys.readouterr().out
    assert said in printed
    assert found.ok is ok
    assert printed.splitlines()[-1] == ('ok' if ok else 'NOT ok')


def test_the_bench_records_its_drive_once(tmp_path, monkeypatch):
    made = []

    def record(scenario, seed, out, seconds, size, progress):
        made.append((scenario, seed, seconds, size))
        out.write_bytes(b'bag')
        out.with_suffix('.rig.yaml').write_text('rig')

    monkeypatch.setattr(bench, 'record_drive', record)
    for _ in range(2):
        bag = bench.drive(tmp_path, 3.0, print)
    assert bag.read_bytes() == b'bag'
    assert made == [('town_drive', 0, 3.0, (1600, 900))]


def test_ctrl_c_keeps_what_was_done_and_ends_with_130(bag, tmp_path, monkeypatch):
    def tell(self, now):
        if now.done_s > 1.2:
            raise KeyboardInterrupt

    monkeypatch.setattr(replay_screen.Bar, '_tell', tell)
    result = call(bag, '--runtime', 'scripted', '--out', tmp_path)
    assert result.exit_code == 130
    assert 'Incomplete.' in result.stdout
    found = json.loads((tmp_path / 'summary.json').read_text())
    assert found['verdict'] != 'pass'
    assert not found['complete'] and 8 <= found['counts']['timesteps'] <= 18
    assert 'Incomplete' in (tmp_path / 'report.html').read_text()


def test_ctrl_c_while_the_report_is_written_leaves_no_other_runs_report(
    bag, tmp_path, monkeypatch
):
    def interrupted(*_):
        raise KeyboardInterrupt

    assert call(bag, '--runtime', 'scripted', '--limit-s', '1', '--out', tmp_path).exit_code != 130
    assert (tmp_path / 'report.html').is_file()
    monkeypatch.setattr('alpamayo_ros.reports.plan_bag.write', interrupted)
    result = call(bag, '--runtime', 'scripted', '--limit-s', '1', '--out', tmp_path)
    assert result.exit_code == 130
    assert 'the figures are in summary.json, report.html is not written' in result.stderr
    assert (tmp_path / 'summary.json').is_file() and not (tmp_path / 'report.html').exists()
