"""Streaming training at the size of a test: settings, and shards without a simulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.tiny import tiny
from alpamayo_ros.profile import ModelProfile, load_profile, share_dir
from alpamayo_ros.training.stream.dense import COLUMNS
from alpamayo_ros.training.stream.settings import Settings
from alpamayo_ros.training.stream.slots import Slots
from alpamayo_ros.training.truth import NAMES
from alpamayo_ros.training.vocabulary import build_vocabulary

FRAMES = 12


@dataclass(frozen=True)
class Parts:
    """What every part of a run is made of."""

    profile: ModelProfile
    grammar: Grammar
    settings: Settings


def parts() -> Parts:
    """Profile, grammar and settings at toy size."""
    profile = tiny(load_profile('nano'))
    recipe = share_dir() / 'config' / 'training' / 'stream_toy.yaml'
    settings = Settings.from_file(recipe, warm_up_steps=1, norm_batches=1)
    return Parts(profile, build_vocabulary(profile), settings)


def shard(parts: Parts, value: int, frames: int = FRAMES) -> tuple[np.ndarray, dict[str, Any]]:
    """Frames of one brightness and a sample each but for the first three."""
    p, rng = parts.profile, np.random.default_rng(value)
    view, n = p.views[0], frames - 3
    images = np.full((frames, len(p.views), view.height, view.width, 3), value, np.uint8)
    newest = np.arange(3, frames)
    plan = np.zeros((n, p.trajectory.points, 3), np.float32)
    plan[..., 0] = np.arange(1, p.trajectory.points + 1) * 0.5
    prefix = np.full((n, p.text.max_prefix), -1, np.int16)
    prefix[:, :5] = 4
    coc = np.full((n, 7), 5, np.int16)
    return images, {
        'frames': newest[:, None] - np.arange(4),
        'age_s': np.tile(np.arange(4, dtype=np.float32) * 0.25, (n, 1)),
        'past': np.ones((n, 4), np.float32),
        'truth': rng.normal(size=(n, len(NAMES))).astype(np.float32),
        'dense': (rng.random((n, COLUMNS)) > 0.5).astype(np.float32),
        'plan': plan,
        'speed': np.full(n, 5.0, np.float32),
        'coc': coc,
        'choice': np.ones((n, 7), np.float32),
        'prefix': prefix,
        'weight': np.ones(n, np.float32),
        **{name: np.stack([one] * n) for name, one in Slots.silence(p).items()},
    }
