"""The words of a pretrained text model in our numbering: special tokens first, then its own.

Theirs are numbered from 0; ours begin after the special tokens (``model.tokenizer``), so rows of
the embedding and of the head move down.  Their own special tokens are left out: no text can become
one.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.model.backbone import Backbone
from alpamayo_ros.model.tokenizer import SPECIAL, Tokenizer

TOKENIZER = 'tokenizer.json'


def read_tokenizer(folder: Path, vocab_size: int) -> Tokenizer | Fault:
    """The text part of ``folder/tokenizer.json``, with room for our special tokens before it."""
    path = folder / TOKENIZER
    if not path.is_file():
        return Fault(
            Code.MODEL_FORMAT, f'{path}: no such file; it comes with the weights, download it'
        )
    try:
        data = json.loads(path.read_text())
        found = Tokenizer.from_json(
            json.dumps({**data, 'added_tokens': [], 'post_processor': None})
        )
    except (OSError, ValueError, TypeError) as error:
        return Fault(Code.MODEL_FORMAT, f'{path}: {error}; it comes with the weights, download it')
    if found.vocab_size > vocab_size:
        return Fault(
            Code.MODEL_FORMAT,
            f'{path} has {found.vocab_size} words with our special tokens, '
            f'the profile has room for {vocab_size}: raise its text.vocab_size',
        )
    return found


@torch.no_grad()
def make_room(backbone: Backbone) -> None:
    """Move every word down by the special tokens, which start as the mean word.

    The last rows, which no text uses, are lost.
    """
    for weight in (
        backbone.embed.weight,
        *(() if backbone.head is None else (backbone.head.weight,)),
    ):
        mean = weight.float().mean(0).to(weight.dtype)
        weight[len(SPECIAL) :] = weight[: -len(SPECIAL)].clone()
        weight[: len(SPECIAL)] = mean
