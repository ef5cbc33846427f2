"""Made-up input with fixed values.

For warm-up, and for the answer a model must repeat (``golden.json``).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.types import Conditioning, EgoHistory, FrameStack


def made_up_input(
    profile: ModelProfile,
) -> tuple[FrameStack, Conditioning, Float[np.ndarray, 'K P 3']]:
    """Frames of smooth stripes, 5 m/s straight on, and noise; the same numbers everywhere."""
    t, v, (height, width) = profile.frames.count, len(profile.views), profile.view_size
    step, camera, row, column, colour = np.ogrid[:t, :v, :height, :width, :3]
    images = (step * 37 + camera * 19 + row * 3 + column * 2 + colour * 53) % 256
    age = np.repeat(np.arange(t)[:, None] * profile.frames.spacing_s, v, 1)
    frames = FrameStack(0, images.astype(np.uint8), age, np.ones((t, v), bool))
    h = profile.ego_history.count
    poses = np.zeros((h, 3))
    poses[:, 0] = -5.0 * profile.ego_history.spacing_s * np.arange(h)
    zero = np.zeros(h)
    ego = EgoHistory(0, poses, zero + 5.0, zero, zero, zero, np.ones(h, bool))
    shape = (profile.candidates, profile.trajectory.points, 3)
    noise = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    return frames, Conditioning(ego), noise
