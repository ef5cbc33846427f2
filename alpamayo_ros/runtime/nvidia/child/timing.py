"""How long a loaded model takes for made-up input of its shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from alpamayo_ros.model.released.median_time import median_ms
from alpamayo_ros.runtime.nvidia.child.settings import Settings

if TYPE_CHECKING:
    from alpamayo_ros.runtime.nvidia.child.serve import Engine

SPACING_S, SPEED_MPS = 0.1, 8.0


def made_up(settings: Settings, age: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of the cycle number ``age``, one of each camera new in it, and poses.

    ``age`` is at least the number of pictures of a camera.
    """
    s = settings
    every = [
        np.random.default_rng(age - k).integers(
            0, 256, (len(s.views), s.height, s.width, 3), np.uint8
        )
        for k in range(s.frames)
    ]
    poses = np.zeros((s.history, 3))
    poses[:, 0] = -SPACING_S * SPEED_MPS * np.arange(s.history)
    return np.stack(every), poses


def cycle_ms(engine: Engine, rounds: int) -> float:
    """Median [ms] of encode, reason and denoise, as cycles follow each other while driving."""
    s = engine.settings
    shape = (s.candidates, s.points, 3)
    noise = np.random.default_rng(0).standard_normal(shape, np.float32)
    age = s.frames
    images, poses = made_up(s, age)

    def cycle() -> None:
        engine.encode(images)
        engine.reason(poses, SPEED_MPS, '', 0)
        engine.denoise(noise)

    def following() -> None:
        nonlocal age, images
        age += 1
        images, _ = made_up(s, age)

    return median_ms(cycle, rounds, torch.device(s.device), following)
