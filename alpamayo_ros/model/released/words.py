"""The text of a cycle, greedily, with a draft verified several words in one pass.

A draft changes how many passes a text takes, never the text: a guessed word stays only where the
model itself chooses it (speculative decoding, Leviathan et al. 2023, at temperature 0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from alpamayo_ros.model.released.vocabulary import END, FUTURE_START

GUESSES = 15  # with the word before them a pass of 16, about a third dearer than one of 1
Step = Callable[[list[int], int], list[int]]


@dataclass(frozen=True, slots=True)
class Words:
    """Chosen words, the beginning of the future among them.

    ``visible``: how many of them the expert sees in the cache.  ``passes``: of the language model,
    the prompt's not counted.
    """

    tokens: tuple[int, ...]
    visible: int
    passes: int

    @property
    def complete(self) -> bool:
        """The text ended by itself, before its budget."""
        return self.tokens[-1] == FUTURE_START


def greedy(first: int, step: Step, draft: Sequence[int], budget: int) -> Words:
    """The text that begins with ``first``.

    ``step(words, start)`` writes ``words`` into the cache from the place ``start`` of the text on
    and returns the model's choice behind each.  The last word of a text that does not end by
    itself within ``budget`` is not in the cache, as in the vendor's loop.
    """
    tokens, stored, passes = [first], 0, 0
    while not _over(tokens, budget):
        guess = list(continuation(tokens, draft))
        chosen = step([tokens[-1], *guess], len(tokens) - 1)
        stored, passes = len(tokens), passes + 1
        for i, word in enumerate(chosen):
            tokens.append(word)
            agreed = i < len(guess) and guess[i] == word
            stored += agreed
            if not agreed or _over(tokens, budget):
                break
    ended = tokens[-1] == FUTURE_START and len(tokens) < budget
    if ended and stored < len(tokens):
        step([FUTURE_START], len(tokens) - 1)
        passes += 1
    return Words(tuple(tokens), len(tokens) if ended else len(tokens) - 1, passes)


def continuation(tokens: Sequence[int], draft: Sequence[int]) -> Sequence[int]:
    """What the draft has behind ``tokens``: in its place, or where its last two stand."""
    n = len(tokens)
    if list(draft[:n]) == list(tokens):
        return draft[n : n + GUESSES]
    for at in range(len(draft) - 1, 1, -1):
        if n > 1 and list(draft[at - 2 : at]) == list(tokens[-2:]):
            return draft[at : at + GUESSES]
    return ()


def _over(tokens: Sequence[int], budget: int) -> bool:
    return tokens[-1] in (FUTURE_START, *END) or len(tokens) >= budget
