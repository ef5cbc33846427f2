"""Own networks with tiny numbers in the vendor's process: ``own_double:load`` as its engine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
import toy
import words

from alpamayo_ros.model.released.network import build
from alpamayo_ros.model.released.sizes import from_numbers
from alpamayo_ros.model.released.weights import by_name
from alpamayo_ros.model.released.weights import load as fill
from alpamayo_ros.runtime.nvidia.child import own


def network(sizes: Any) -> Any:
    """Networks with the numbers of ``toy``."""
    torch.set_num_threads(1)
    made = build(sizes, 'cpu', torch.float32)
    shapes = ((name, tuple(view.shape)) for name, view in by_name(made).items())
    fill(made, ((n, torch.from_numpy(toy.weight(n, shape))) for n, shape in shapes))
    return made


def load(settings: Any) -> own.OwnEngine:
    """The engine of ``settings.sizes``."""
    return own.made(network(from_numbers(settings.sizes)), words.Tokenizer(), settings)
