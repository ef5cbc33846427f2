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
    spec = load_spec(profile.text.grammar)
    phrases = [phrase for _, slot in spec.slots() for phrase in slot.phrases]
    return bind(profile, Tokenizer.train(corpus(phrases), profile.text.vocab_size))


def run_vocabulary(profile: ModelProfile, folder: Path) -> Grammar:
    """The grammar on the tokenizer that a run began with, or on a new one."""
    file = folder / 'tokenizer.json'
    if not file.is_file():
        return build_vocabulary(profile)
    return bind(profile, Tokenizer.from_json(file.read_text()))


def bind(profile: ModelProfile, tokenizer: Tokenizer) -> Grammar:
    """The profile's grammar on a tokenizer; ValueError where its words do not fit."""
    grammar = Grammar(load_spec(profile.text.grammar), tokenizer)
    if grammar.max_length > profile.text.max_coc:
        raise ValueError(
            f'{profile.name}: text.max_coc {profile.text.max_coc} is too small for '
            f'{profile.text.grammar}, whose longest text has {grammar.max_length} tokens '
            f'with {tokenizer.vocab_size} words: raise text.max_coc'
        )
    return grammar


def load_spec(name: str) -> GrammarSpec:
    """A grammar of ``config/grammars`` by its name in a profile."""
    return GrammarSpec.from_file(share_dir() / 'config' / 'grammars' / f'{name}.yaml')


def write_vocabulary(grammar: Grammar, folder: Path) -> None:
    """Write ``tokenizer.json`` and ``grammar.json``, the two text files of a model folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'tokenizer.json').write_text(grammar.tokenizer.to_json())
    (folder / 'grammar.json').write_text(
        grammar.spec.model_dump_json(indent=1, exclude_defaults=True)
    )
