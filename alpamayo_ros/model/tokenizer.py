"""Byte-level BPE tokenizer with special tokens that user text can never produce.

The library ``tokenizers`` does the work; this module owns the list of special tokens and the one
rule that matters for safety: *text is encoded by a model that does not know the special tokens*
(docs/design.md, "Sequence").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from tokenizers import Tokenizer as _Backend
from tokenizers import decoders, models, pre_tokenizers, trainers

SPECIAL = (
    'pad',
    'bos',
    'system',
    'prompt',
    'navigation',
    'vision',
    'ego',
    'perception',
    'situation',
    'rationale',
    'intent',
    'counterfactual',
    'end',
)


class Tokenizer:
    """Ids 0..len(SPECIAL)-1 are special; text ids follow.  ``vocab_size`` counts both."""

    def __init__(self, backend: _Backend) -> None:
        self._backend = backend
        self.vocab_size = backend.get_vocab_size() + len(SPECIAL)
        self._encode = lru_cache(maxsize=512)(self._encode_uncached)

    @classmethod
    def from_json(cls, data: str) -> Tokenizer:
        """Read the backend's own JSON (text part only; special tokens are never in it).

        ValueError where it is none.
        """
        try:
            return cls(_Backend.from_str(data))
        except Exception as error:  # the library raises nothing narrower
            raise ValueError(f'no tokenizer: {error}') from error

    def to_json(self) -> str:
        """The backend as JSON."""
        return str(self._backend.to_str())

    @classmethod
    def train(cls, corpus: Iterable[str], vocab_size: int) -> Tokenizer:
        """Byte-level BPE of at most ``vocab_size`` ids, special tokens included; deterministic."""
        backend = _Backend(models.BPE())
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size - len(SPECIAL),
            min_frequency=1,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        backend.train_from_iterator(list(corpus), trainer)
        return cls(backend)

    def special(self, name: str) -> int:
        """Id of the special token ``<|name|>``; ValueError for an unknown name."""
        return SPECIAL.index(name)

    def _encode_uncached(self, text: str) -> tuple[int, ...]:
        return tuple(
            i + len(SPECIAL) for i in self._backend.encode(text, add_special_tokens=False).ids
        )

    def encode_text(self, text: str) -> tuple[int, ...]:
        """Ids of plain text; never a special id, whatever the text says."""
        return self._encode(text)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids; special ids are left out."""
        return str(self._backend.decode([i - len(SPECIAL) for i in ids if i >= len(SPECIAL)]))
