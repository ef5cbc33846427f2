"""The model that speaks phrases_v2: whole, understood, and good to train on from."""

from pathlib import Path

import pytest

from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import ModelProfile, load_profile
from alpamayo_ros.runtime.loader import open_runtime


@pytest.fixture
def folder(repository: Path) -> Path:
    return repository / 'models' / 'nano_words'


@pytest.fixture
def profile(folder: Path) -> ModelProfile:
    return load_profile(folder / 'profile.yaml')


def test_it_drives_where_its_profile_is_named(profile: ModelProfile) -> None:
    """Hashes, graphs and the golden answer are those of the manifest."""
    found = open_runtime('onnx', profile)
    assert not isinstance(found, Fault), found
    assert found.identity.profile == 'nano_words'
    assert profile.text.grammar == 'phrases_v2'


def test_without_its_profile_it_is_refused_and_told_where_that_is(folder: Path) -> None:
    found = open_runtime('onnx', load_profile('nano'), folder)
    assert isinstance(found, Fault)
    assert found.message.endswith(f'name --profile {folder}/profile.yaml')


def test_it_differs_from_nano_in_words_alone(profile: ModelProfile) -> None:
    own, nano = profile.model_dump(), load_profile('nano').model_dump()
    assert {key for key in own if own[key] != nano[key]} == {'name', 'description', 'text'}


def test_weights_fit_profile_and_vocabulary(folder: Path, profile: ModelProfile) -> None:
    torch = pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')
    from safetensors.torch import load_file

    from alpamayo_ros.model.grammar import GrammarSpec
    from alpamayo_ros.model.vla import VLA
    from alpamayo_ros.training.grammar_file import load_spec
    from alpamayo_ros.training.vocabulary import build_vocabulary

    state = load_file(folder / 'weights.safetensors')
    VLA(profile).load_state_dict(state)
    assert all(bool(torch.isfinite(value).all()) for value in state.values())
    spec = GrammarSpec.model_validate_json((folder / 'grammar.json').read_text())
    assert spec == load_spec('phrases_v2')
    made = build_vocabulary(profile).tokenizer.to_json()
    assert made == (folder / 'tokenizer.json').read_text()
