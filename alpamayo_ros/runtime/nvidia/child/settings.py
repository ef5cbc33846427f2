"""What the parent tells the vendor's process once, before anything is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alpamayo_ros.runtime.process.wire import Layout

WORDS = ('greedy', 'sampled', 'each')
SPEEDS = ('odometry', 'history')


@dataclass(frozen=True, slots=True)
class Settings:
    """Contract and choices; ``engine`` is the ``module:function`` that loads the model.

    ``folder``: the checkpoint.  ``vlm``: configuration and tokenizer of the language model.
    ``source``: folders put on ``sys.path`` before the vendor's package is imported.  ``views``:
    names, in the order of ``released_contract.CAMERAS``.  ``words``: one text for all candidates,
    the most likely (``greedy``) or ``sampled``, or a sampled one for ``each`` as the vendor does.
    ``speed``: of t0, from ``odometry`` or from the ``history`` of poses as the vendor does.
    ``guidance``: weight of the instruction; 1 is none, and costs no second pass.  ``sizes``: of
    the networks (``model.released.sizes``) that are not built from the vendor's configuration.
    """

    engine: str
    folder: str
    vlm: str
    source: tuple[str, ...]
    device: str
    dtype: str
    attention: str
    views: tuple[str, ...]
    frames: int
    height: int
    width: int
    tokens: int
    history: int
    points: int
    candidates: int
    steps: int
    max_words: int
    named: bool
    words: str
    speed: str
    guidance: float
    sizes: dict[str, Any]


def layout(settings: Settings) -> Layout:
    """Shared arrays: pictures and poses newest first, noise in, candidates out."""
    s = settings
    return {
        'images': ((s.frames, len(s.views), s.height, s.width, 3), 'u1'),
        'poses': ((s.history, 3), 'f8'),
        'noise': ((s.candidates, s.points, 3), 'f4'),
        'candidates': ((s.candidates, s.points, 3), 'f4'),
    }
