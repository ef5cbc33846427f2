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
    tokenizer = Tokenizer.train(corpus(phrases), profile.text.vocab_size)
    grammar = Grammar(spec, tokenizer)
    if grammar.max_length > profile.text.max_coc:
        raise ValueError(
            f'{profile.name}: text.max_coc {profile.text.max_coc} is too small for '
            f'{profile.text.grammar}, whose longest text has {grammar.max_length} tokens '
            f'with text.vocab_size {profile.text.vocab_size}: raise one of the two'
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
