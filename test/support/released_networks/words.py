"""A tokenizer for tiny networks: the special words of the released one, all else by its hash."""

from __future__ import annotations

import re
from collections.abc import Sequence
from zlib import crc32

from alpamayo_ros.model.released.vocabulary import BINS, MARKS

QWEN = {'<|endoftext|>': 151_643, '<|im_start|>': 151_644, '<|im_end|>': 151_645}
QWEN |= {'<|vision_start|>': 151_652, '<|vision_end|>': 151_653, '<|image_pad|>': 151_655}
PIECES = re.compile(r'<\|\w+\|>|\w+|\W')
WORDS = 151_643


class Tokenizer:
    """What an engine asks of the language model's tokenizer."""

    def __init__(self) -> None:
        self.special = QWEN | {f'<|{name}|>': BINS[1] + i for i, name in enumerate(MARKS)}
        self.names = {number: name for name, number in self.special.items()}

    def __len__(self) -> int:
        return max(self.names) + 1

    def convert_tokens_to_ids(self, name: str) -> int:
        """The number of a special word."""
        return self.special[name]

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        """A number for each special word, word and other character."""
        assert not add_special_tokens
        found = PIECES.findall(text)
        return [self.special.get(part, crc32(part.encode()) % WORDS) for part in found]

    def decode(self, ids: Sequence[int]) -> str:
        """Special words by their names, others as numbers."""
        return ' '.join(self.names.get(i, f'w{i}') for i in ids)
