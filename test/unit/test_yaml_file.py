"""YAML of somebody else: what hangs, fills the memory or says two things is refused by name."""

import os
import re
import time
import tracemalloc
from pathlib import Path

import pytest
import yaml

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.bags.record_plan import read_plan
from alpamayo_ros.graph_spec import topic_map
from alpamayo_ros.limits import load_limits
from alpamayo_ros.metrics.regression import read as read_reference
from alpamayo_ros.model.grammar import GrammarSpec
from alpamayo_ros.profile import load_profile, share_dir
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.training.steps.recipe import Recipe
from alpamayo_ros.training.stream.settings import Settings
from alpamayo_ros.yaml_file import MOST_BYTES, MOST_DEEP, YamlError, parse_yaml, read_yaml

PACKAGE = Path(__file__).resolve().parents[2] / 'alpamayo_ros'
READERS = {
    'limits': load_limits,
    'profile': load_profile,
    'rig': load_rig,
    'scenario': load_scenario,
    'topics': lambda path: topic_map(str(path)),
    'record': read_plan,
    'grammar': GrammarSpec.from_file,
    'recipe': Recipe.from_file,
    'stream': Settings.from_file,
}


def bomb(width: int = 10, depth: int = 10) -> str:
    rows = [f'a0: &a0 [{", ".join(["x"] * width)}]']
    rows += [f'a{i}: &a{i} [{", ".join([f"*a{i - 1}"] * width)}]' for i in range(1, depth)]
    return '\n'.join(rows) + '\n'


HOSTILE = {
    'bomb': bomb(),
    'bomb in a value': bomb() + 'name: *a9\ncameras: *a9\nactors: *a9\nsteps: *a9\n',
    'part of itself': 'name: &a [*a]\n',
    'merged bomb': bomb().replace('[', '{<<: [').replace(']', ']}') + 'name: 1\n',
    'deep': '[' * 200 + ']' * 200,
    'deep maps': '{a: ' * 200 + '1' + '}' * 200,
    'long number': 'name: ' + '9' * 100_000,
    'python': '!!python/object/apply:os.system ["true"]',
    'doubled': 'name: a\nname: b\n',
    'no text': '\x00\x01',
    'wrong date': 'name: 2001-99-99\n',
}


@pytest.mark.timeout(200)
@pytest.mark.parametrize('reader', READERS)
@pytest.mark.parametrize('name', HOSTILE)
def test_every_reader_refuses_a_hostile_file(tmp_path, reader, name):
    path = tmp_path / 'x.yaml'
    path.write_text(HOSTILE[name])
    tracemalloc.start()
    try:
        with pytest.raises((ValueError, TypeError)) as refused:
            READERS[reader](path)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
    assert len(str(refused.value)) < 5000


@pytest.mark.timeout(200)
@pytest.mark.parametrize('name', ['bomb in a value', 'deep', 'part of itself', 'long number'])
def test_metadata_of_a_bag_is_no_way_in(tmp_path, name):
    (tmp_path / 'a.mcap').write_bytes(b'')
    (tmp_path / 'metadata.yaml').write_text(HOSTILE[name])
    reader = BagReader(tmp_path)
    assert list(reader) == [] and reader.fault is not None
    assert reader.fault.code.name == 'BAG_BROKEN'


def test_tolerances_of_a_comparison_are_read_so_too(tmp_path):
    (tmp_path / 'summary.json').write_text('{"metrics": {}}')
    (tmp_path / 'x.yaml').write_text(HOSTILE['doubled'])
    with pytest.raises(YamlError, match='a second time'):
        read_reference(tmp_path / 'summary.json', tmp_path / 'x.yaml')


def test_the_sentence_names_file_line_and_key(tmp_path):
    (tmp_path / 'x.yaml').write_text('a:\n  b: 1\n  b: 2\n')
    with pytest.raises(YamlError, match=r"x\.yaml: line 3 has the key 'b' a second time"):
        read_yaml(tmp_path / 'x.yaml')


def test_what_is_no_file_is_refused_and_what_is_missing_is_missing(tmp_path):
    os.mkfifo(tmp_path / 'pipe.yaml')
    for path in (tmp_path, tmp_path / 'pipe.yaml', Path('/dev/zero')):
        with pytest.raises(YamlError, match='no regular file'):
            read_yaml(path)
    with pytest.raises(FileNotFoundError):
        read_yaml(tmp_path / 'absent.yaml')


def test_bytes_are_bounded_before_they_are_read(tmp_path):
    os.truncate(os.open(tmp_path / 'x.yaml', os.O_CREAT | os.O_RDWR), 1 << 34)
    begun_s = time.perf_counter()
    with pytest.raises(YamlError, match=f'more than {MOST_BYTES} bytes'):
        read_yaml(tmp_path / 'x.yaml')
    assert time.perf_counter() - begun_s < 60


@pytest.mark.timeout(200)
def test_nesting_as_deep_as_a_file_may_be_long():
    with pytest.raises(YamlError, match='levels deep'):
        parse_yaml('[' * MOST_BYTES)


def test_depth_and_few_aliases_are_allowed():
    assert parse_yaml('[' * (MOST_DEEP - 1) + ']' * (MOST_DEEP - 1)) is not None
    with pytest.raises(YamlError, match='levels deep'):
        parse_yaml('[' * (MOST_DEEP + 1) + ']' * (MOST_DEEP + 1))
    assert parse_yaml('a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n')['d'] == {'b': 1, 'e': 2}
    assert parse_yaml('') is None


def test_files_that_ship_read_as_before():
    for path in sorted((share_dir() / 'config').rglob('*.yaml')):
        assert read_yaml(path) == yaml.safe_load(path.read_text()), path


def test_the_package_has_no_other_reader():
    found = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob('*.py')
        if re.search(r'yaml\.(safe_load|load|full_load|SafeLoader|CSafeLoader)', path.read_text())
    ]
    assert found == ['yaml_file.py']
