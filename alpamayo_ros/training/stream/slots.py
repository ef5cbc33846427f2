"""One slot a simulator process: a question to the policy (pictures, words, motion), its answer.

A policy that speaks answers with its words too, how likely they were, and the number of the
publication that said them (0: none).  Files of the run's folder, mapped by all processes.  A
question's number is written last, and so is an answer's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int16, UInt8

from alpamayo_ros.profile import ModelProfile

POLL_S, LOOK_S = 0.0005, 0.2
PATIENCE_S = 600.0  # the server starts anew, or the machine has other work


class Slots:
    """Questions and answers of ``count`` processes."""

    def __init__(self, folder: Path, count: int, profile: ModelProfile) -> None:
        view, points = profile.views[0], profile.trajectory.points
        pictures = (count, len(profile.views), view.height, view.width, 3)
        self.images = _mapped(folder / 'slot_images.bin', np.uint8, pictures)
        prefix = (count, profile.text.max_prefix)
        self.prefix = _mapped(folder / 'slot_prefix.bin', np.int16, prefix)
        self.state = _mapped(folder / 'slot_state.bin', np.float64, (count, 3))
        self.plan = _mapped(folder / 'slot_plan.bin', np.float32, (count, points, 3))
        words = (count, profile.text.max_coc)
        self.said = _mapped(folder / 'slot_said.bin', np.int16, words)
        self.likelihood = _mapped(folder / 'slot_likelihood.bin', np.float32, words)
        self.told = _mapped(folder / 'slot_told.bin', np.int32, (count,))
        self.asked = _mapped(folder / 'slot_asked.bin', np.int64, (count,))
        self.answered = _mapped(folder / 'slot_answered.bin', np.int64, (count,))

    def ask(
        self,
        slot: int,
        views: UInt8[np.ndarray, 'V H W 3'],
        prefix: Int16[np.ndarray, ' X'],
        time_s: float,
        speed_mps: float,
        first: bool,
    ) -> int:
        """Put a question; returns its number.  ``first``: nothing before belongs to this drive."""
        self.images[slot], self.prefix[slot] = views, prefix
        self.state[slot] = time_s, speed_mps, float(first)
        number = int(self.asked[slot]) + 1
        self.asked[slot] = number
        return number

    def wait(
        self,
        slot: int,
        number: int,
        goes_on: Callable[[], bool],
        patience_s: float = PATIENCE_S,
    ) -> Float[np.ndarray, 'P 3'] | None:
        """The plan that answers question ``number``; None where the run ends before.

        TimeoutError where no answer comes.
        """
        end = look = time.monotonic()
        end += patience_s
        while self.answered[slot] < number:
            time.sleep(POLL_S)
            now = time.monotonic()
            if now > end:
                raise TimeoutError(f'the policy did not answer within {patience_s:.0f} s')
            if now > look + LOOK_S:
                look = now
                if not goes_on():
                    return None
        return np.array(self.plan[slot])

    def words(self, slot: int) -> dict[str, np.ndarray | np.generic]:
        """What was said with the newest answer, as columns of a sample."""
        return {
            'said': np.array(self.said[slot]),
            'said_likelihood': np.array(self.likelihood[slot]),
            'told': np.int32(self.told[slot]),
        }

    @staticmethod
    def silence(profile: ModelProfile) -> dict[str, np.ndarray | np.generic]:
        """The same columns where nobody said anything, and the score of no drive."""
        length = profile.text.max_coc
        return {
            'said': np.zeros(length, np.int16),
            'said_likelihood': np.zeros(length, np.float32),
            'told': np.int32(0),
            'outcome': np.float32(0),
        }

    def open(self) -> np.ndarray:
        """Slots with a question that waits."""
        return np.nonzero(self.asked > self.answered)[0]


def _mapped(path: Path, kind: type, shape: tuple[int, ...]) -> np.memmap:
    """The file as an array, made where it is missing or of another size."""
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    fits = path.is_file() and path.stat().st_size == size
    return np.memmap(path, kind, 'r+' if fits else 'w+', shape=shape)
