"""A reader such as head has enough: no table and no help ends with a verdict."""

import os
import subprocess
import sys

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
    reading, writing = os.pipe()
    os.close(reading)
    try:
        command = [sys.executable, '-c', code]
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
    assert done.returncode == 3 and done.stderr == b'', done.stderr
