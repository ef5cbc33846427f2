"""Settings that differ are told apart: in a journal, and beside an earlier result."""

from pathlib import Path

import pytest
import yaml

from alpamayo_ros.metrics.regression_suite import other_settings
from alpamayo_ros.profile import share_dir
from alpamayo_ros.simulation.batch.batch import Task, head
from alpamayo_ros.simulation.batch.journal import Journal

IDENTITY = {'name': 'expert', 'manifest_sha256': ''}


def test_rows_of_a_profile_that_was_edited_are_other_rows(tmp_path: Path) -> None:
    own = tmp_path / 'own.yaml'
    said = yaml.safe_load((share_dir() / 'config' / 'profiles' / 'nano.yaml').read_text())
    heads = []
    for name, candidates in (('own', 4), ('own', 4), ('own', 3)):
        own.write_text(yaml.safe_dump(said | {'name': name, 'candidates': candidates}))
        heads.append(head(Task('', 'expert', profile=str(own)), IDENTITY))
    assert heads[0] == heads[1] != heads[2]


def test_a_full_disk_names_the_journal(tmp_path: Path, small_files: None) -> None:
    journal = Journal(tmp_path / 'out.json.partial.jsonl', {'task': 1})
    with pytest.raises(OSError, match='large') as refused:
        journal.add('a', {'long': 'x' * 5000})
    assert refused.value.filename == str(journal.path)


def test_what_is_compared_is_no_other_setting_and_an_easier_drive_is_one() -> None:
    old = {'planner': 'onnx', 'model': 'a', 'objects': 'none', 'latency_steps': 0}
    now = {'planner': 'torch', 'model': 'b', 'objects': 'truth', 'latency_steps': 0, 'new': 1}
    assert other_settings({'task': old}, {'task': now}) == ["objects 'none' before, 'truth' now"]
    assert other_settings({}, {'task': now}) == []
