"""What the vendor's process is told in tests of tiny networks on a CPU."""

from __future__ import annotations

from dataclasses import asdict

from alpamayo_ros.model.released.sizes import TINY
from alpamayo_ros.runtime.nvidia.child.settings import Settings

SETTINGS = Settings(
    engine='', folder='', vlm='', source=(), device='cpu', dtype='float32', attention='sdpa',
    views=('cross_left_120fov', 'front_wide_120fov'), frames=2, height=96, width=128, tokens=12,
    history=16, points=64, candidates=3, steps=10, max_words=24, named=True,
    words='greedy', speed='odometry', guidance=1.0, sizes=asdict(TINY),
)  # fmt: skip
