"""Chunks of a sequence for the decode stage: which tokens, where, and what they may look at."""

from __future__ import annotations

from collections.abc import Sequence as Tokens
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from alpamayo_ros.model.layout import MASKED, Sequence


@dataclass(frozen=True, slots=True)
class Chunk:
    """Tokens for the slots ``start``..: ids where ``is_text``, else the rows of ``extra``.

    ``mask`` is additive, over all slots of the key/value cache.
    """

    ids: Int[np.ndarray, ' n']
    is_text: Bool[np.ndarray, ' n']
    extra: Float[np.ndarray, 'n D']
    positions: Int[np.ndarray, ' n']
    mask: Float[np.ndarray, 'n S']
    start: int


class Decodes(Protocol):
    """The one stage that chunks are for."""

    def decode(self, chunk: Chunk) -> tuple[Float[np.ndarray, 'n V'], Float[np.ndarray, 'n D']]:
        """Logits and hidden states; keys and values stay in the cache."""
        ...


class Places:
    """Positions and mask of a sequence over all slots of the cache, once a cycle."""

    def __init__(self, sequence: Sequence, bias: NDArray[np.float32] | None = None) -> None:
        self.scene = sequence.scene
        self._positions = sequence.positions()
        n, slots = len(sequence), sequence.layout.max_sequence
        self._mask = np.full((n, slots), MASKED, np.float32)
        self._mask[:, :n] = sequence.mask()
        if bias is not None:
            self._mask[self.scene, self.scene] += bias

    def chunk(
        self,
        ids: Int[np.ndarray, ' n'],
        is_text: Bool[np.ndarray, ' n'],
        extra: Float[np.ndarray, 'n D'],
        start: int,
    ) -> Chunk:
        """Tokens for the places ``start``.. of this sequence."""
        rows = slice(start, start + len(ids))
        return Chunk(ids, is_text, extra, self._positions[rows], self._mask[rows], start)


class ChunkFeeder:
    """Feeds CoC chunks to the decode stage, the scene and the ``prior`` words with the first."""

    def __init__(
        self,
        stages: Decodes,
        places: Places,
        scene: NDArray[np.float32],
        prior: tuple[int, ...] = (),
    ) -> None:
        self._stages, self._places, self._scene, self._prior = stages, places, scene, prior
        self._lead_hidden = scene
        self._coc_hidden: list[NDArray[np.float32]] = []

    def __call__(self, tokens: Tokens[int], start: int) -> Float[np.ndarray, 'N V']:
        """See ``decode.Feed``."""
        scene = 0 if start else len(self._scene)
        text = [*([] if start else self._prior), *tokens]
        lead, count = scene + len(text) - len(tokens), scene + len(text)
        ids = np.zeros(count, np.int64)
        ids[scene:] = text
        extra = np.zeros((count, self._scene.shape[1]), np.float32)
        extra[:scene] = self._scene[:scene]
        coc = self._places.scene.stop + len(self._prior)
        place = coc + start if start else self._places.scene.start
        is_text = np.arange(count) >= scene
        logits, hidden = self._stages.decode(self._places.chunk(ids, is_text, extra, place))
        if not start:
            self._lead_hidden = hidden[:lead]
        del self._coc_hidden[start:]
        self._coc_hidden.extend(hidden[lead:])
        if start:
            return np.concatenate([np.zeros((1, logits.shape[1]), np.float32), logits])
        return logits[lead - 1 :]

    def hidden(self, count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Hidden states of scene and prior words, and of the first ``count`` CoC tokens."""
        coc = np.array(self._coc_hidden[:count], np.float32)
        return self._lead_hidden, coc.reshape(-1, self._scene.shape[1])
