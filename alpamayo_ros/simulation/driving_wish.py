"""What a passenger asks for, as numbers that the expert obeys; its words are in a data file.

A wish makes driving stricter and never looser: slower, further behind, further to the right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from alpamayo_ros.config_file import read_model
from alpamayo_ros.profile import share_dir

Split = Literal['train', 'held_out']
SPLITS: tuple[Split, ...] = ('train', 'held_out')
MAX_GAP_S = 6.0  # a longer one is cut to it
NUMBER = '{n}'  # where a wording has its number
DRAWN_GAPS_S = ('2', '2.5', '3', 'three', '4')
_COUNTED = {'one': 1.0, 'two': 2.0, 'three': 3.0, 'four': 4.0, 'five': 5.0, 'six': 6.0}
_NUMBER = rf'\d{{1,3}}(?:\.\d{{1,2}})?|{"|".join(_COUNTED)}'
_NEGATION = re.compile(r"\b(?:not|no|never|without|don't|stop)\b")
_COURTESY = frozenset(('please', 'and', 'then', 'thanks', 'thank', 'you'))


@dataclass(frozen=True, slots=True)
class Wish:
    """How to drive: share of the usual speed, least time gap to who drives ahead [s], aside [m].

    ``aside_m``: shift of the line inside the lane, negative to the right.
    """

    speed_factor: float = 1.0
    time_gap_s: float = 0.0
    aside_m: float = 0.0

    def __and__(self, other: Wish) -> Wish:
        """The stricter of both in everything."""
        return Wish(
            min(self.speed_factor, other.speed_factor),
            max(self.time_gap_s, other.time_gap_s),
            min(self.aside_m, other.aside_m),
        )


PLAIN = Wish()


@dataclass(frozen=True, slots=True)
class Reading:
    """A prompt as understood; ``unknown``: the words that were not, '' where all were."""

    wish: Wish = PLAIN
    unknown: str = ''


class _Entry(BaseModel):
    """One wish of the file; the bounds are what no wish may leave."""

    model_config = ConfigDict(extra='forbid', frozen=True)
    speed_factor: float = Field(default=1.0, ge=0.5, le=1.0)
    time_gap_s: Annotated[float, Field(ge=0, le=MAX_GAP_S)] | Literal['{n}'] = 0.0  # NUMBER
    aside_m: float = Field(default=0.0, ge=-0.4, le=0.0)
    known: tuple[str, ...] = ()
    train: tuple[str, ...]
    held_out: tuple[str, ...]

    @model_validator(mode='after')
    def _what_asks_is_known(self) -> _Entry:
        asks = (self.speed_factor, self.time_gap_s, self.aside_m) != (1.0, 0.0, 0.0)
        if asks != bool(self.known):
            raise ValueError('a wish has known wordings, and what asks for nothing has none')
        return self

    def wordings(self, split: Split) -> tuple[str, ...]:
        """Those that are drawn for training, or those that never are."""
        return self.held_out if split == 'held_out' else self.known + self.train


class _Wishes(BaseModel):
    model_config = ConfigDict(extra='forbid', frozen=True)
    wishes: dict[str, _Entry]


@lru_cache(maxsize=1)
def _file() -> _Wishes:
    return read_model(share_dir() / 'config' / 'prompts.yaml', _Wishes)


def wordings(split: Split) -> list[tuple[str, str]]:
    """Names of wishes with their wordings; numbers stand as ``{n}``."""
    found = _file().wishes.items()
    return [(name, words) for name, entry in found for words in entry.wordings(split)]


def known_wordings() -> list[str]:
    """The wordings that a vocabulary is made of; others may come and go."""
    return [words for entry in _file().wishes.values() for words in entry.known]


def known_wording(name: str) -> str:
    """The wording of a wish that a model knows best, '' of what asks for nothing."""
    return next(iter(_file().wishes[name].known), '')


def draw_wish(rng: np.random.Generator, split: Split = 'train') -> tuple[str, str, str]:
    """A wish's name, a wording of the split and its number; each wish as often as the others."""
    name = str(rng.choice(list(_file().wishes)))
    words = str(rng.choice(_file().wishes[name].wordings(split)))
    return name, words, str(rng.choice(DRAWN_GAPS_S))


def draw_prompt(rng: np.random.Generator, split: Split = 'train') -> str:
    """What a passenger says, drawn by :func:`draw_wish`."""
    _, words, number = draw_wish(rng, split)
    return words.replace(NUMBER, number)


def read_prompt(text: str) -> Reading:
    """What is asked for; words that no wish knows are named, and denied wishes are not obeyed."""
    rest, wish = f' {_plain(text)} ', PLAIN
    for pattern, entry in _patterns():
        for found in pattern.finditer(rest):
            wish &= _wish(entry, found)
        rest = pattern.sub(' | ', rest)
    left = [w for w in rest.split() if w != '|' and w not in _COURTESY]
    unknown = ' '.join(left)
    return Reading(PLAIN if _NEGATION.search(unknown) else wish, unknown)


def _wish(entry: _Entry, found: re.Match[str]) -> Wish:
    gap = entry.time_gap_s
    if gap == NUMBER:
        number = found['n']
        gap = min(_COUNTED.get(number) or float(number), MAX_GAP_S)
    return Wish(entry.speed_factor, float(gap), entry.aside_m)


def _plain(text: str) -> str:
    """Lower case, no punctuation but points inside numbers, single blanks."""
    lower = text.lower().replace('’', "'")
    return ' '.join(re.sub(r"[^a-z0-9.' ]|\.(?!\d)", ' ', lower).split())


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[re.Pattern[str], _Entry], ...]:
    """All wordings as patterns, longest first, so that a part never hides the whole."""
    return tuple(sorted(_compiled(), key=lambda pair: -len(pair[0].pattern)))


def _compiled() -> Iterator[tuple[re.Pattern[str], _Entry]]:
    for entry in _file().wishes.values():
        for words in (*entry.known, *entry.train, *entry.held_out):
            before, number, after = words.partition(NUMBER)
            middle = f'(?P<n>{_NUMBER})' if number else ''
            parts = [re.escape(_plain(part)) for part in (before, after)]
            said = r'\ '.join(p for p in (parts[0], middle, parts[1]) if p)
            yield re.compile(rf'(?<= ){said}(?= )'), entry
