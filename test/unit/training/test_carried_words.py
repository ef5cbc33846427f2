"""Going on with another grammar: the words that a model knows keep their rows."""

from pathlib import Path

import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

import torch

from alpamayo_ros.model.tokenizer import SPECIAL
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import ModelProfile, load_profile
from alpamayo_ros.training.vocabulary import (
    build_vocabulary,
    carry_words,
    further_vocabulary,
    write_vocabulary,
)

EMBED = 'backbone.embed.weight'


def profile(grammar: str) -> ModelProfile:
    nano = load_profile('nano').model_dump()
    text = {'vocab_size': 896, 'max_prefix': 48, 'max_coc': 72, 'grammar': grammar}
    return ModelProfile.model_validate(nano | {'text': text})


V1, V2 = profile('phrases_v1'), profile('phrases_v2')


def test_a_tokenizer_stays_where_its_grammar_is_the_profiles(tmp_path: Path) -> None:
    old = build_vocabulary(V1)
    write_vocabulary(old, tmp_path)
    assert further_vocabulary(V1, tmp_path).tokenizer.to_json() == old.tokenizer.to_json()
    new = further_vocabulary(V2, tmp_path)
    assert new.tokenizer.to_json() == build_vocabulary(V2).tokenizer.to_json()


def test_a_token_begins_as_the_old_tokens_of_its_text() -> None:
    old, new = build_vocabulary(V1).tokenizer, build_vocabulary(V2)
    rows = torch.randn(V1.text.vocab_size, 8, generator=torch.Generator().manual_seed(0))
    made = carry_words({EMBED: rows, 'other': rows}, old, new, V2.text.vocab_size)
    assert made['other'] is rows and made[EMBED].shape == (V2.text.vocab_size, 8)
    assert torch.equal(made[EMBED][: len(SPECIAL)], rows[: len(SPECIAL)])
    for word in (' vehicle', ' pedestrian', ' siren', ' left'):
        for token in new.tokenizer.encode_text(word):
            parts = old.encode_text(new.tokenizer.decode([token]))
            assert torch.allclose(made[EMBED][token], rows[list(parts)].mean(0))
    assert torch.allclose(made[EMBED][-1], rows.mean(0))  # a row that no token has


def test_carried_weights_fit_the_model() -> None:
    state = VLA(V1).state_dict()
    old, new = build_vocabulary(V1).tokenizer, build_vocabulary(V2)
    VLA(V2).load_state_dict(carry_words(dict(state), old, new, V2.text.vocab_size))


def test_prompts_are_short_in_the_second_vocabulary() -> None:
    first, second = build_vocabulary(V1).tokenizer, build_vocabulary(V2).tokenizer
    asked = 'keep a three second gap'
    assert len(second.encode_text(asked)) < len(first.encode_text(asked))
