"""What a person asks of a replay, and how far it has come."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from alpamayo_ros.datasets.rig_file import rig_path


@dataclass(frozen=True, slots=True)
class Options:
    """``rig`` '': the file beside the bag, else ``sim``.  ``runtime`` '': no model takes part.

    ``incomplete``: go on where the recording lacks what the profile needs.  ``limit_s``: only so
    many seconds of it, 0 for all.  ``workers``: threads that decode, 0 for as many as there are
    processors to spare.  ``pictures``: which are kept in the recording: all, front or none.
    ``words_every_s``, ``words_concurrent``: as the planner node's parameters.
    ``overlap`` False: one stage after the other, to measure them; the plans are the same.
    """

    profile: str = 'nano'
    rig: str = ''
    runtime: str = 'onnx'
    model: str = ''
    maps: Mapping[str, str] = field(default_factory=dict)
    incomplete: bool = False
    limit_s: float = 0.0
    workers: int = 0
    pictures: str = 'all'
    seed: int = 0
    overlap: bool = True
    words_every_s: float = 0.0
    words_concurrent: bool = False

    def rig_for(self, bag: Path) -> str:
        """Name or path of the rig."""
        beside = rig_path(bag)
        return self.rig or (str(beside) if beside.is_file() else 'sim')

    @property
    def threads(self) -> int:
        """Threads that decode."""
        return self.workers or max(1, processors() - bool(self.runtime))


@dataclass(frozen=True, slots=True)
class Progress:
    """Seconds of the recording done, of how many; timesteps; plans of the model."""

    done_s: float
    total_s: float
    timesteps: int
    plans: int


def processors() -> int:
    """Processors this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
