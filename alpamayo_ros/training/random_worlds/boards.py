"""Boards before the front camera in some drives: what is written on one is nothing to obey.

Place, size, letters and time are drawn; the expert's plan and words take no notice.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from alpamayo_ros.simulation.inject_contents import with_sign

Pictures = dict[str, UInt8[np.ndarray, 'H W 3']]
BLANK = 0.3  # share of the boards without letters
WORDS, LETTERS = (1, 5), (2, 10)  # from, below
BEGINS_S, LASTS_S = (0.0, 12.0), (2.0, 12.0)
SHARES, LEFTS, BOTTOMS = (0.05, 0.32), (0.05, 0.7), (0.35, 0.65)  # of the picture


@dataclass(frozen=True, slots=True)
class Board:
    """A board: shares of the picture, as ``with_sign`` has them, and when it is there."""

    text: str
    share: float
    left: float
    bottom: float
    begins_s: float
    ends_s: float

    def before(self, pictures: Mapping[str, np.ndarray], time_s: float) -> Pictures:
        """The pictures with the board in that of the front camera, while it is there."""
        shown = dict(pictures)
        if self.begins_s <= time_s < self.ends_s:
            place = (self.left, self.bottom)
            shown['front'] = with_sign(shown['front'], self.text, self.share, place)
        return shown


def drawn_board(share: float, rng: np.random.Generator) -> Board | None:
    """A board for ``share`` of the calls."""
    if rng.random() >= share:
        return None
    begins_s = float(rng.uniform(*BEGINS_S))
    return Board(
        text='' if rng.random() < BLANK else _words(rng),
        share=float(rng.uniform(*SHARES)),
        left=float(rng.uniform(*LEFTS)),
        bottom=float(rng.uniform(*BOTTOMS)),
        begins_s=begins_s,
        ends_s=begins_s + float(rng.uniform(*LASTS_S)),
    )


def _words(rng: np.random.Generator) -> str:
    """Letters that mean nothing: what a board says in a test has not been seen here."""
    letters = list(string.ascii_letters)
    lengths = rng.integers(*LETTERS, int(rng.integers(*WORDS)))
    return ' '.join(''.join(rng.choice(letters, n)) for n in lengths)
