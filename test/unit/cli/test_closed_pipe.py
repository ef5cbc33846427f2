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
