"""The grammars that ship, by name; needs no torch, as clips do not."""

from __future__ import annotations

from alpamayo_ros.model.grammar import GrammarSpec
from alpamayo_ros.profile import share_dir


def load_spec(name: str) -> GrammarSpec:
    """A grammar of ``config/grammars`` by its name in a profile."""
    return GrammarSpec.from_file(share_dir() / 'config' / 'grammars' / f'{name}.yaml')
