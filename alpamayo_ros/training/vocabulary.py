"""The shipped tokenizer and grammar of a profile, built once and kept with the model."""

from __future__ import annotations

from pathlib import Path

from alpamayo_ros.model.grammar import Grammar, GrammarSpec
from alpamayo_ros.model.prompt import corpus
from alpamayo_ros.model.tokenizer import Tokenizer
from alpamayo_ros.profile import ModelProfile, share_dir


def build_vocabulary(profile: ModelProfile) -> Grammar:
    """Train the tokenizer on the grammar's phrases and driving words and bind the grammar to it.

    The result is deterministic.
    """
    spec = GrammarSpec.from_file(share_dir() / 'config' / 'grammars' / 'phrases_v1.yaml')
    phrases = [phrase for _, slot in spec.slots() for phrase in slot.phrases]
    tokenizer = Tokenizer.train(corpus(phrases), profile.text.vocab_size)
    return Grammar(spec, tokenizer)


def write_vocabulary(grammar: Grammar, folder: Path) -> None:
    """Write ``tokenizer.json`` and ``grammar.json``, the two text files of a model folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'tokenizer.json').write_text(grammar.tokenizer.to_json())
    (folder / 'grammar.json').write_text(grammar.spec.model_dump_json(indent=1))
