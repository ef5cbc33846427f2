"""The experimental weights can be gone on from: they fit their profile and their vocabulary."""

from pathlib import Path

import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

import torch
from safetensors.torch import load_file

from alpamayo_ros.model.grammar import GrammarSpec
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import load_profile
from alpamayo_ros.training.grammar_file import load_spec
from alpamayo_ros.training.vocabulary import build_vocabulary


def test_they_fit_their_profile_and_vocabulary(repository: Path) -> None:
    folder = repository / 'models' / 'nano_words'
    profile = load_profile(folder / 'profile.yaml')
    state = load_file(folder / 'weights.safetensors')
    VLA(profile).load_state_dict(state)
    assert all(bool(torch.isfinite(value).all()) for value in state.values())
    spec = GrammarSpec.model_validate_json((folder / 'grammar.json').read_text())
    assert spec == load_spec('phrases_v2')
    made = build_vocabulary(profile).tokenizer.to_json()
    assert made == (folder / 'tokenizer.json').read_text()
