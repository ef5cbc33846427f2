"""A small ring of two shards, and the tiny model that reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

import numpy as np
import stream_toy
import torch
from stream_toy import Parts, shard

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.stream.ring import Ring


@pytest.fixture(scope='session')
def parts() -> Parts:
    """Profile, grammar and settings at toy size."""
    return stream_toy.parts()


@pytest.fixture
def ring(parts: Parts) -> Ring:
    """A ring of 256 frames with two shards."""
    made = Ring(256, parts.profile, parts.grammar, torch.device('cpu'))
    for value in (10, 200):
        made.add(*shard(parts, value))
    return made


@pytest.fixture
def model(parts: Parts) -> VLA:
    """A fresh tiny model."""
    torch.manual_seed(0)
    return VLA(parts.profile)


@pytest.fixture
def chunk(parts: Parts) -> Callable[[Path, int], None]:
    """Writes a shard as a folder, as a simulator process does."""

    def write(folder: Path, value: int) -> None:
        images, table = shard(parts, value)
        folder.mkdir(parents=True)
        np.save(folder / 'frames.npy', images)
        np.savez(folder / 'samples.npz', **table)
        (folder / 'meta.json').write_text('{}')

    return write
