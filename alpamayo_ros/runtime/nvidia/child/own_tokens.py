"""The tokenizer of a released model, from the language model's folder alone."""

from __future__ import annotations

from typing import Any

from alpamayo_ros.model.released.vocabulary import BINS, FUTURE_START, MARKS

ENDS = '<|traj_future_start|>'


def tokenizer(folder: str, words: int) -> Any:
    """Qwen's words, then bins, then special words; ValueError where there are not ``words``."""
    from transformers import AutoTokenizer

    made = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    made.add_tokens([f'<i{i}>' for i in range(BINS[1] - BINS[0])])
    made.add_tokens([f'<|{name}|>' for name in MARKS], special_tokens=True)
    found = made.convert_tokens_to_ids(ENDS)
    if (len(made), found) != (words, FUTURE_START):
        raise ValueError(
            f'the tokenizer in {folder} has {len(made):,} words and {ENDS} is {found}; expected '
            f'{words:,} and {FUTURE_START}: name the folder of Cosmos-Reason2-8B by --vlm'
        )
    return made
