"""The same wish twice: in the wording that a model knows, and in another, disturbed one."""

from __future__ import annotations

import numpy as np

from alpamayo_ros.model.tokenizer import SPECIAL, Tokenizer
from alpamayo_ros.simulation.driving_wish import NUMBER, draw_wish, known_wording
from alpamayo_ros.training.wordings.prefix import Prefix, with_wishes
from alpamayo_ros.training.wordings.settings import Wordings

LONGEST = 4  # tokens of what is said without a meaning


class Rewording:
    """Draws what is asked of the samples of a batch; their instructions stay as they are."""

    def __init__(self, tokenizer: Tokenizer, most: int, settings: Wordings, seed: int) -> None:
        """``most``: tokens of a prefix."""
        self._tokenizer, self._most, self._settings = tokenizer, most, settings
        self._rng = np.random.default_rng(seed)
        self._meaningless = [
            token
            for token in range(len(SPECIAL), tokenizer.vocab_size)
            if tokenizer.decode([token]).strip().isalpha()
        ]

    def draw(self, before: Prefix) -> tuple[Prefix, Prefix]:
        """Prefixes of a batch -> a wish a row as it is known, and as somebody else says it."""
        drawn = [self._wish() for _ in before.ids]
        known, other = (
            with_wishes(self._tokenizer, self._most, before, [pair[k] for pair in drawn])
            for k in range(2)
        )
        return known, other

    def _wish(self) -> tuple[list[int], list[int]]:
        """Token ids of a wish in its known wording and in another; none where nobody speaks."""
        if self._rng.random() >= self._settings.asked:
            return [], []
        name, words, number = draw_wish(self._rng)
        known = known_wording(name).replace(NUMBER, number)
        return list(self._tokenizer.encode_text(known)), self.disturbed(words, number)

    def disturbed(self, wording: str, number: str) -> list[int]:
        """Token ids of a wording in which words lack and others, without meaning, stand."""
        said: list[int] = []
        for word in wording.split():
            if NUMBER not in word and self._rng.random() < self._settings.dropped:
                continue
            said += self._strange()
            text = word.replace(NUMBER, number)
            said += self._tokenizer.encode_text(f' {text}' if said else text)
        return said + self._strange()

    def _strange(self) -> list[int]:
        if self._rng.random() >= self._settings.strange:
            return []
        count = int(self._rng.integers(1, LONGEST + 1))
        return [int(token) for token in self._rng.choice(self._meaningless, count)]
