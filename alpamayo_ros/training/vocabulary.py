"""The shipped tokenizer and grammar of a profile, built once and kept with the model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from alpamayo_ros.config_file import nearest
from alpamayo_ros.model.grammar import Grammar, GrammarSpec
from alpamayo_ros.model.prompt import corpus
from alpamayo_ros.model.tokenizer import SPECIAL, Tokenizer
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.simulation.driving_wish import DRAWN_GAPS_S, NUMBER, known_wordings
from alpamayo_ros.statuses import ConfigError, NoSuchFileError
from alpamayo_ros.training.grammar_file import load_spec

TOKENIZER = 'tokenizer.json'  # what a run writes first
GRAMMAR = 'grammar.json'
T = TypeVar('T')
TOKEN_ROWS = ('backbone.embed.weight', 'backbone.head.weight')


def build_vocabulary(profile: ModelProfile) -> Grammar:
    """Train the tokenizer on the grammar's phrases and driving words and bind the grammar to it.

    From version 2 on the known wordings of prompts are in it.  Deterministic.
    """
    spec = load_spec(profile.text.grammar)
    phrases = [phrase for _, slot in spec.slots() for phrase in slot.phrases]
    lines = corpus(phrases)
    if spec.version > 1:
        lines += [w.replace(NUMBER, n) for w in known_wordings() for n in DRAWN_GAPS_S]
    return bind(profile, Tokenizer.train(lines, profile.text.vocab_size))


def check_begun(folder: Path, otherwise: str) -> None:
    """NoSuchFileError where no run has begun in a folder; ``otherwise``: what to do then."""
    if not (folder / TOKENIZER).is_file():
        beside = [p.parent.name for p in folder.parent.glob(f'*/{TOKENIZER}')]
        said = f'no run in {folder}{nearest(folder.name, beside)}'
        raise NoSuchFileError(f'{said} (expected a folder with {TOKENIZER}; {otherwise})')


def run_vocabulary(profile: ModelProfile, folder: Path) -> Grammar:
    """The grammar on the tokenizer that a run began with, or on a new one.

    ConfigError where the run speaks another grammar than the profile.
    """
    file = folder / TOKENIZER
    if not file.is_file():
        return build_vocabulary(profile)
    if _speaks_another(folder, profile):
        raise ConfigError(
            f'{folder} began with another grammar ({folder / GRAMMAR}) than '
            f'{profile.text.grammar}, which the profile {profile.name} speaks: name the profile '
            'that it began with'
        )
    return bind(profile, _read(file, Tokenizer.from_json))


def _speaks_another(folder: Path, profile: ModelProfile) -> bool:
    file = folder / GRAMMAR
    if not file.is_file():
        return False
    return _read(file, GrammarSpec.model_validate_json) != load_spec(profile.text.grammar)


def _read(file: Path, parse: Callable[[str], T]) -> T:
    """What a file holds; ConfigError where it is damaged."""
    try:
        return parse(file.read_text(encoding='utf-8'))
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f'{file} is damaged: {str(error).splitlines()[0]}') from error


def further_vocabulary(profile: ModelProfile, folder: Path) -> Grammar:
    """The grammar for going on from the weights in ``folder``.

    On its tokenizer where it speaks the profile's grammar, on a new one where it speaks another.
    """
    if _speaks_another(folder, profile):
        return build_vocabulary(profile)
    return run_vocabulary(profile, folder)


def carry_words(
    state: dict[str, Tensor], old: Tokenizer, grammar: Grammar, size: int
) -> dict[str, Tensor]:
    """Weights for another vocabulary of ``size`` rows.

    A token begins as the mean row of the old tokens of its text, a row without one as that of all.
    """
    new = grammar.tokenizer
    texts = [new.decode([k]) for k in range(len(SPECIAL), new.vocab_size)]
    parts = [(k,) for k in range(len(SPECIAL))] + [old.encode_text(text) for text in texts]
    carried = dict(state)
    for name in TOKEN_ROWS:
        if name in state:
            rows = state[name].float()
            made = rows.mean(0).repeat(size, 1)
            for k, ids in enumerate(parts):
                if ids:
                    made[k] = rows[torch.tensor(ids)].mean(0)
            carried[name] = made
    return carried


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


def write_vocabulary(grammar: Grammar, folder: Path) -> None:
    """Write ``tokenizer.json`` and ``grammar.json``, the two text files of a model folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TOKENIZER).write_text(grammar.tokenizer.to_json())
    (folder / GRAMMAR).write_text(grammar.spec.model_dump_json(indent=1, exclude_defaults=True))
