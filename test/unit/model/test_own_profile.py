"""A model whose profile lies beside it, and the vocabulary of the one that ships."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.loader import model_dir, open_runtime
from alpamayo_ros.runtime.manifest import profile_hash

NANO = load_profile('nano')


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """nano's files as those of another profile, which lies beside them."""
    folder = tmp_path / 'mine'
    shutil.copytree(model_dir(NANO), folder)
    other = NANO.model_copy(update={'name': 'mine', 'max_speed_mps': 9.0})
    named = {'profile': 'mine', 'profile_sha256': profile_hash(other)}
    manifest = json.loads((folder / 'manifest.json').read_text()) | named
    (folder / 'manifest.json').write_text(json.dumps(manifest))
    (folder / 'profile.yaml').write_text(yaml.safe_dump(other.model_dump(mode='json')))
    return folder


def test_it_drives_where_its_profile_is_named(own: Path) -> None:
    found = open_runtime('onnx', load_profile(own / 'profile.yaml'), own)
    assert not isinstance(found, Fault), found
    assert found.identity.profile == 'mine'


def test_without_its_profile_it_is_refused_and_told_where_that_is(own: Path) -> None:
    found = open_runtime('onnx', NANO, own)
    assert isinstance(found, Fault)
    assert found.message.endswith(f'name --profile {own}/profile.yaml')


def test_the_shipped_vocabulary_is_that_of_the_profile() -> None:
    pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')
    from alpamayo_ros.model.grammar import GrammarSpec
    from alpamayo_ros.training.grammar_file import load_spec
    from alpamayo_ros.training.vocabulary import build_vocabulary

    folder = model_dir(NANO)
    spec = GrammarSpec.model_validate_json((folder / 'grammar.json').read_text())
    assert spec == load_spec(NANO.text.grammar) == load_spec('phrases_v2')
    made = build_vocabulary(NANO).tokenizer.to_json()
    assert made == (folder / 'tokenizer.json').read_text()
