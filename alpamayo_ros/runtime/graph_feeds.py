"""What the four exported graphs are fed with; whoever runs them feeds the same arrays."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from alpamayo_ros.runtime.base import Condition, Features
from alpamayo_ros.runtime.chunks import Chunk
from alpamayo_ros.runtime.past_motion import past_motion
from alpamayo_ros.types import Conditioning

Feed = dict[str, NDArray[Any]]


def encode_feed(images: NDArray[np.uint8], valid: NDArray[np.bool_]) -> Feed:
    """Of ``encoder.onnx``."""
    return {'images': images, 'valid': valid.astype(np.float32)}


def fuse_feed(features: Features, given: Conditioning, takes: Collection[str]) -> Feed:
    """Of ``fusion.onnx``; past motion where the graph ``takes`` it."""
    feed: Feed = {
        'features': features.values,
        'age_s': features.age_s.astype(np.float32),
        'valid': features.valid.astype(np.float32),
        'speed': given.ego.speed_mps[:1].astype(np.float32),
    }
    if 'history' in takes:
        feed['history'], feed['history_valid'] = past_motion(given.ego)
    return feed


def decode_feed(chunk: Chunk) -> Feed:
    """Of ``decode.onnx``, all but its cache."""
    feed = {
        'ids': chunk.ids[None],
        'is_text': chunk.is_text[None, :, None],
        'extra': chunk.extra[None],
        'positions': chunk.positions[None],
        'mask': chunk.mask[None, None],
        'start': np.array([chunk.start]),
    }
    return {name: np.ascontiguousarray(values) for name, values in feed.items()}


def denoise_feed(condition: Condition, noise: Float[np.ndarray, 'K P 3']) -> Feed:
    """Of ``denoise.onnx``."""
    return {
        'hidden': condition.hidden[None],
        'mask': np.ones((1, len(condition.hidden)), np.float32),
        'speed': condition.given.ego.speed_mps[:1].astype(np.float32),
        'noise': noise.astype(np.float32),
    }
