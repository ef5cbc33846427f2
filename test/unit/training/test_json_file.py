"""Small JSON files of a training run: whole or absent, and damage is a sentence with the name."""

import subprocess
import sys
from pathlib import Path

import pytest

from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.json_file import read_json, write_json


def test_what_was_written_is_read_and_nothing_lies_beside_it(tmp_path: Path):
    file = tmp_path / 'call.json'
    assert read_json(file) == {}
    write_json(file, {'call': 1})
    write_json(file, {'call': 2})
    assert read_json(file) == {'call': 2} and list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ('text', 'said'),
    [('{"call": 1', 'no valid JSON'), ('[1]', 'expected a JSON object, got list'),
     ('[' * 100_000, 'no valid JSON')],
)  # fmt: skip
def test_damage_names_the_file(tmp_path: Path, text: str, said: str):
    (tmp_path / 'call.json').write_text(text)
    with pytest.raises(ConfigError, match=f'call.json is damaged: .*{said}'):
        read_json(tmp_path / 'call.json')


def test_whoever_reads_such_a_file_needs_no_settings_of_a_stream():
    code = (
        'import sys, alpamayo_ros.training.json_file\n'
        'print([n for n in sys.modules if n.startswith("alpamayo_ros.training.")])'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['alpamayo_ros.training.json_file']"
