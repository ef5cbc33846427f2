"""A reader such as head has enough: no table and no help ends with a verdict."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize('words', ['--help', 'model show nano', 'up --help'])
def test_a_closed_pipe_ends_a_command_well(words: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, '-m', 'alpamayo_ros', *words.split()]
    try:
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
    assert done.returncode == 0, done.stderr
    assert b'Traceback' not in done.stderr and b'Exception ignored' not in done.stderr


def test_a_closed_pipe_takes_no_verdict_away() -> None:
    """What fails, fails for head too: pipefail of a shell sees it."""
    code = (
        'import sys, typer\n'
        'from alpamayo_ros.cli.common.refusing import answered, whoever_reads\n'
        'from alpamayo_ros.cli.common import tables\n'
        'from rich.table import Table\n'
        'def command():\n'
        '    with whoever_reads():\n'
        '        tables.show(Table(*map(str, range(9))))\n'
        '        typer.echo("x" * 100_000)\n'
        '    with whoever_reads():\n'
        '        typer.echo("the verdict")\n'
        '    return 3\n'
        'sys.exit(answered(command))\n'
    )
    done = ended(code)
    assert done.returncode == 3 and done.stderr == b'', done.stderr


DEMO = """
import sys
from alpamayo_ros.cli import demo
from alpamayo_ros.cli.common.refusing import answered
from alpamayo_ros.cli.main import app
def fails(*_):
    raise demo.DriveError('no graph')
for name in ('_require_model', 'check_domain', 'check_renderer'):
    setattr(demo, name, lambda *_: None)
"""
QUANTISE = """
import sys
from types import SimpleNamespace
from alpamayo_ros.cli.common.refusing import answered
from alpamayo_ros.cli.main import app
from alpamayo_ros.cli.models import quantise, quantise_drives, quantise_stages
from alpamayo_ros.export.int8 import writing
parity = SimpleNamespace(misses=lambda: [])
one = SimpleNamespace(attempt=SimpleNamespace(stage='encoder', parity=parity, data=b''),
                      faster=FASTER, record=dict)
found = SimpleNamespace(model=SimpleNamespace(files=None, profile=None))
quantise_stages.open_float = lambda *_: found
quantise_stages.judge = lambda *_: one
quantise_stages.show = lambda *_: print('a table')
writing.write_int8 = lambda *_, **__: SimpleNamespace(version='1', files=())
quantise_drives.scores = lambda task, drives: [0.5 if task.model else 1.0]
"""
ANSWERED = 'sys.exit(answered(lambda: app(WORDS.split(), standalone_mode=False)))'


@pytest.mark.parametrize(
    ('code', 'status'),
    [
        (DEMO + 'demo._run = lambda *_: False', 1),
        (DEMO + 'demo.drive = fails', 6),
        (QUANTISE.replace('FASTER', 'False'), 1),
        (QUANTISE.replace('FASTER', 'True'), 1),
    ],
    ids=['bad_drive', 'no_graph', 'nothing_faster', 'worse_score'],
)
def test_demo_and_quantise_keep_their_verdict(tmp_path: Path, code: str, status: int) -> None:
    words = f'demo --out {tmp_path / "out"}'
    if 'quantise' in code:
        words = f'model quantise nano --to {tmp_path / "out"} --stages encoder --drives 1'
    done = ended(f'{code}\nWORDS = {words!r}\n{ANSWERED}')
    assert done.returncode == status, done.stderr
    assert b'Traceback' not in done.stderr and b'roken pipe' not in done.stderr


def ended(code: str) -> subprocess.CompletedProcess[bytes]:
    """Python ran ``code``, and nobody read what it printed."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        command = [sys.executable, '-c', code]
        return subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
