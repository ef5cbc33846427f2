"""The reinforcement stage at the size of a test: a ring of tokens, texts of the grammar."""

from __future__ import annotations

import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

import numpy as np
import stream_toy
import torch
from stream_toy import Parts, shard

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import share_dir
from alpamayo_ros.training.features import kept_tokens
from alpamayo_ros.training.reinforcement.speech import Seen
from alpamayo_ros.training.reinforcement.word_table import WordTable
from alpamayo_ros.training.stream.ring import Ring
from alpamayo_ros.training.stream.settings import Settings


@pytest.fixture(scope='session')
def parts() -> Parts:
    """Profile and grammar at toy size, settings of the toy recipe."""
    made = stream_toy.parts()
    recipe = share_dir() / 'config' / 'training' / 'rl_toy.yaml'
    settings = Settings.from_file(recipe, batch=4, warm_up_steps=1)
    return Parts(made.profile, made.grammar, settings)


@pytest.fixture
def model(parts: Parts) -> VLA:
    """A fresh tiny model whose denoiser says something."""
    torch.manual_seed(0)
    made = VLA(parts.profile)
    torch.nn.init.normal_(made.dit.out.weight, std=0.2)
    return made


@pytest.fixture(scope='session')
def table(parts: Parts) -> WordTable:
    """The grammar as tensors."""
    return WordTable(parts.grammar, parts.profile.text.vocab_size, torch.device('cpu'))


@pytest.fixture
def seen(parts: Parts) -> Seen:
    """Three states: prefixes of two lengths, visual tokens, speeds."""
    p = parts.profile
    real = torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    generator = torch.Generator().manual_seed(1)
    visual = torch.randn(3, p.visual_tokens, p.backbone.width, generator=generator)
    return Seen(torch.tensor([[4, 5, 6], [4, 5, 0], [4, 7, 8]]), real, visual, torch.rand(3) * 9)


def texts(parts: Parts, count: int) -> np.ndarray:
    """So many texts of the grammar (S, L), padded with 0."""
    slots = parts.grammar.spec.slots()
    rows = [
        parts.grammar.encode({slot.name: slot.phrases[k % len(slot.phrases)] for _, slot in slots})
        for k in range(count)
    ]
    longest = max(map(len, rows))
    return np.stack([np.pad(row, (0, longest - len(row))) for row in rows]).astype(np.int16)


@pytest.fixture
def ring(parts: Parts, model: VLA) -> Ring:
    """Tokens of three drives; a policy spoke in the last."""
    model.views.eval()
    made = Ring(256, parts.profile, parts.grammar, torch.device('cpu'), kept_tokens(model))
    for drive, value in enumerate((10, 90, 200)):
        images, table = shard(parts, value)
        words = texts(parts, len(table['speed']))
        table |= {'coc': words, 'choice': (words > 0).astype(np.float32)}
        table['speed'] = np.linspace(2, 8, len(words), dtype=np.float32)
        if drive == 2:
            table['said'][:, : words.shape[1]] = words
            table['said_likelihood'] -= 1.0 * (table['said'] > 0)
            table |= {'told': np.ones_like(table['told']), 'outcome': table['outcome'] + 0.5}
        made.add(images, table)
    return made
