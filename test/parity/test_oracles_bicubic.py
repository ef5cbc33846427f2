"""Pictures for NVIDIA's models: Pillow's bicubic beside torch's, which torchvision calls."""

from __future__ import annotations

import numpy as np
import pytest

from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.views import ViewMaker

torch = pytest.importorskip('torch', reason='torch is not installed: requirements/train.txt')

VIEW = load_profile('nvidia-1.5-10b').views[1]


def shapes(height: int, width: int) -> np.ndarray:
    """Slopes of colour, edges at all angles and a corner of noise, (H, W, 3) uint8."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    rings = 127 + 120 * np.sin(np.hypot(x - width / 3, y - height / 2) / 9)
    edges = 255 * ((x + 2 * y).astype(int) // 97 % 2)
    picture = np.stack([255 * x / width, rings, edges], -1)
    noise = np.random.default_rng(0).integers(0, 256, (height // 3, width // 3, 3))
    picture[: height // 3, : width // 3] = noise
    return np.asarray(picture.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize(('height', 'width'), [(1080, 1916), (320, 576)])
def test_pictures_are_as_large_and_as_bright_as_the_vendors(height: int, width: int) -> None:
    picture = shapes(height, width)
    ours = ViewMaker(VIEW, np.eye(3), None, width, height)(picture)
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(picture).permute(2, 0, 1)[None],
        (VIEW.height, VIEW.width), mode='bicubic', align_corners=False, antialias=True,
    )  # fmt: skip
    far = np.abs(ours.astype(int) - theirs[0].permute(1, 2, 0).numpy())
    print(f'{width} x {height}: mean {far.mean():.4f}, largest {far.max()}')
    assert ours.shape == (320, 576, 3) and far.max() <= 1 and far.mean() <= 0.01
