"""Every table that a command prints stays readable on a terminal of 60 columns."""

from __future__ import annotations

import ast
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import summaries
from rich.console import Console
from rich.table import Table

from alpamayo_ros.budget.devices import DEVICES
from alpamayo_ros.cli import doctor, replay_screen
from alpamayo_ros.cli.common import tables
from alpamayo_ros.cli.finding import Finding, Level
from alpamayo_ros.cli.models import budget
from alpamayo_ros.cli.simulating import suite
from alpamayo_ros.cli.simulating import tables as sim
from alpamayo_ros.nodes.operating import streams
from alpamayo_ros.profile import load_profile

CLI = Path(doctor.__file__).parent
NARROW = 60


def drives() -> dict[str, Any]:
    """What ``alpamayo sim`` shows of a batch."""
    row = dict.fromkeys(sim.COLUMNS, 12.34)
    rows = [{**row, 'seed': 100 + i, 'right': bool(i % 2), 'end': 'collision'} for i in range(3)]
    part = {'count': 1, 'of': 3, 'interval_95': (0.008, 0.906)}
    names = ('right', 'without_contact', 'on_the_road', 'moved_on')
    summary = {**dict.fromkeys(names, part), 'mean_offset_m': 0.1, 'score': 0.5, 'ends': {}}
    summary |= {'mean_speed_mps': 5.4, 'time_gap_s': 1.8}
    planner = {'name': 'onnx', 'manifest_sha256': 'ab' * 32}
    return {'rows': rows, 'summary': summary, 'faults': '', 'planner': planner,
            'task': {'ablate': ''}, 'seconds': 3.0}  # fmt: skip


def test_a_batch_in_which_nobody_stood_says_nothing_of_moving_on(capsys) -> None:
    report = drives()
    sim.show(report)
    assert 'moved on: 1 of 3' in capsys.readouterr().out
    none = {'count': 0, 'of': 0, 'interval_95': (0.0, 1.0)}
    sim.show({**report, 'summary': {**report['summary'], 'moved_on': none}})
    said = capsys.readouterr().out
    assert 'moved on' not in said and 'on the road: 1 of 3' in said


def found() -> list[Finding]:
    text = 'ROS 2 Kilted as wheels, the messages compiled, everything that a graph needs is here'
    return [Finding('middleware', Level.WARN, text, 'type ./run setup in the checkout')] * 2


def topics() -> None:
    name = '/alpamayo/camera/front_left/image_raw/compressed'
    print('\n'.join(streams.lines([(name, 'sensor_msgs/CompressedImage', '1', '3')], NARROW)))


def suite_report() -> dict[str, Any]:
    return {**summaries.suite(), 'timing': {'seconds': 3.0, 'workers': 2}}


PRINTING: dict[str, Callable[[], Any]] = {
    'sim': lambda: sim.show(drives()),
    'sim --list': sim.show_scenarios,
    'sim --suite': lambda: suite.show(suite_report()),
    'replay': lambda: replay_screen.show(summaries.replay(), Path('out/drive')),
    'doctor': lambda: tables.show(doctor.table(found())),
    'topics': topics,
    'budget': lambda: budget._print_matrix([load_profile('nano')], list(DEVICES), 40),
    'budget --device': lambda: budget._print_stages(load_profile('nano'), DEVICES[0], 40),
}


@pytest.mark.parametrize('name', PRINTING)
def test_no_table_is_wider_and_no_word_of_it_is_cut(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[tuple[Table, Console]] = []
    real = tables.show
    monkeypatch.setenv('COLUMNS', str(NARROW))
    monkeypatch.setattr(tables, 'show', lambda *args: (shown.append(args), real(*args)))
    PRINTING[name]()
    text = capsys.readouterr().out
    assert '…' not in text and (shown or name == 'topics')
    words = set(text.translate(str.maketrans('│┃', '  ')).split())
    for table, *_ in shown:
        cells = [str(cell) for column in table.columns for cell in column.cells]
        plain = ' '.join(tables._text(cell).plain for cell in cells)
        cut = {w for w in plain.split() if len(w) <= tables.LONG} - words
        assert not cut
    ragged = [line for line in text.splitlines() if len(line) > NARROW]
    assert all('  ' not in line.strip() and '│' not in line for line in ragged), ragged


def test_a_table_that_fits_is_columns_and_one_that_does_not_is_blocks() -> None:
    table = Table('file', 'MB', 'SHA-256', title='two files', box=None)
    table.add_row('weights.safetensors', '12.30', 'ab' * 8)
    table.add_row('golden.npz', '', 'cd' * 8, style='red')
    wide, thin = (Console(file=io.StringIO(), width=n, color_system=None) for n in (60, 30))
    for out in (wide, thin):
        tables.show(table, out)
    columns, blocks = (out.file.getvalue().splitlines() for out in (wide, thin))
    assert [line.split() for line in columns[1:]][0] == ['file', 'MB', 'SHA-256']
    assert 'weights.safetensors' in columns[2] and '12.30' in columns[2]
    stripped = [line.rstrip() for line in blocks]
    assert stripped[:4] == [
        'two files', 'weights.safetensors', '  MB       12.30', f'  SHA-256  {"ab" * 8}',
    ]  # fmt: skip
    assert stripped[4:] == ['golden.npz', f'  SHA-256  {"cd" * 8}']  # an empty cell has no line


def test_what_goes_into_a_file_is_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('COLUMNS', raising=False)
    assert tables.console().width == tables.WIDE
    monkeypatch.setenv('COLUMNS', '72')
    assert tables.console().width == 72


def test_topics_are_columns_where_there_is_room() -> None:
    rows = [('/alpamayo/health', 'alpamayo_ros/Health', '1', '2')]
    assert streams.lines(rows, 80)[0].split() == ['topic', 'type', 'publishers', 'subscriptions']
    assert streams.lines(rows, 40) == ['/alpamayo/health', '  alpamayo_ros/Health, from 1, to 2']


def test_no_command_prints_a_table_by_other_means() -> None:
    by_hand = []
    for path in sorted(CLI.rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                names = {arg.id for arg in node.args if isinstance(arg, ast.Name)}
                if node.func.attr == 'print' and names & {'table', 'savings', 'block'}:
                    by_hand.append(f'{path.name}:{node.lineno}')
    assert all(place.startswith('tables.py:') for place in by_hand), by_hand
    users = [p for p in CLI.rglob('*.py') if 'import Table' in p.read_text()]
    assert len(users) > 10
    assert [p.name for p in users if 'tables.show(' not in p.read_text()] == ['tables.py']
