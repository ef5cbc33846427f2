"""A stand-in for NVIDIA's model in the vendor's process: numpy, and ways to fail.

The record of a checkpoint names it as its engine: ``nvidia_double:load``.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

FATAL = 'die.txt'  # beside the checkpoint: the next load ends in SIGKILL, once


class Engine:
    """Drives straight on at the speed it is told; its words say what it was asked."""

    version = 'double'

    def __init__(self, settings: Any) -> None:
        self.settings = settings
        self.seen: set[bytes] = set()
        self.speed_mps = 0.0
        self.offset = 0.0

    def encode(self, images: np.ndarray) -> int:
        """Count pictures that were not in the last set."""
        keys = {picture.tobytes()[:4096] for row in images for picture in row}
        new, self.seen = len(keys - self.seen), keys
        self.offset = float(images.mean())
        return new

    def reason(
        self, poses: np.ndarray, speed_mps: float, instruction: str, seed: int
    ) -> dict[str, Any]:
        """Words; two instructions make it fail."""
        if instruction == 'Turn left in 5m':
            os.kill(os.getpid(), signal.SIGKILL)
        if instruction == 'Turn left in 10m':
            raise ArithmeticError('a cycle that fails')
        if instruction == 'Turn left in 15m':
            import socket

            socket.create_connection(('127.0.0.1', 9), 0.1)
        self.speed_mps = speed_mps
        said = 'Slow down because the lead car brakes.' if not instruction else instruction
        return {'text': said, 'token_ids': [1, 2, 3], 'truncated': instruction != ''}

    def denoise(self, noise: np.ndarray) -> np.ndarray:
        """Straight on; the noise moves it sideways, the pictures by a hair."""
        t = 0.1 * np.arange(1, noise.shape[1] + 1)
        plans = np.zeros(noise.shape, np.float32)
        plans[..., 0] = self.speed_mps * t + 1e-6 * self.offset
        plans[..., 1] = 1e-3 * noise[:, :1, 0]
        return plans

    def reset(self) -> None:
        """Forget."""
        self.seen = set()

    def time(self, rounds: int) -> dict[str, float]:
        """Made up; 13 rounds fail."""
        if rounds == 13:
            raise MemoryError('CUDA out of memory')
        return {'call_ms': 1e6 * self.settings.candidates, 'cycle_ms': 1e3 * rounds}


def load(settings: Any) -> Engine:
    """The stand-in; files in the checkpoint's folder say how loading fails."""
    here = Path(settings.folder)
    if (here / FATAL).exists():
        (here / FATAL).unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    if (here / 'slow.txt').exists():
        time.sleep(60)
    lacks = [n for n in ('pydantic', 'cv2', 'rclpy', 'jaxtyping') if n in sys.modules]
    if lacks:
        raise ImportError(f'the process has loaded {lacks}')
    return Engine(settings)
