"""summary.json of a replay: what was replayed, how it went, and every figure with its reason."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from alpamayo_ros import __version__
from alpamayo_ros.bags.whole_file import write_whole
from alpamayo_ros.replay.replay_figures import DEFINITIONS, Cell
from alpamayo_ros.replay.unplanned import Cause

NAME = 'summary.json'
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything summary.json holds.  ``metrics``: model and baseline by name.

    ``timing``: wall seconds, times real time, milliseconds a stage.  ``broken``: BAG_BROKEN in
    words, '' for a whole bag.  ``causes``: why timesteps gave no plan, the commonest first.
    """

    verdict: str
    sentence: str
    complete: bool
    notes: tuple[str, ...]
    counts: Mapping[str, int]
    faults: Mapping[str, int]
    lacks: tuple[str, ...]
    metrics: Mapping[str, tuple[Cell, Cell]]
    timing: Mapping[str, Any]
    identity: Mapping[str, Any]
    broken: str = ''
    causes: tuple[Cause, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            'verdict': self.verdict,
            'sentence': self.sentence,
            'complete': self.complete,
            'notes': list(self.notes),
            'counts': dict(self.counts),
            'causes': [cause.as_dict() for cause in self.causes],
            'faults': dict(self.faults),
            'lacks': list(self.lacks),
            'broken': self.broken,
            'metrics': {name: _cells(name, *pair) for name, pair in self.metrics.items()},
            'timing': dict(self.timing),
            'identity': dict(self.identity),
        }

    def write(self, folder: Path) -> Path:
        """summary.json in ``folder``; the old one stands until the new one is whole."""
        text = json.dumps(self.as_dict(), indent=1, allow_nan=False) + '\n'
        return write_whole(folder / NAME, text)


def _cells(name: str, model: Cell, baseline: Cell) -> dict[str, Any]:
    definition = DEFINITIONS[name]
    out: dict[str, Any] = {
        'model': _rounded(model.value),
        'baseline': _rounded(baseline.value),
        'n': model.n or baseline.n,
        'unit': definition.unit,
        'better': definition.better,
    }
    if model.value is None:
        out['reason'] = f'not evaluable: {model.reason}'
    if baseline.value is None:
        out['baseline_reason'] = f'not evaluable: {baseline.reason}'
    return out


def _rounded(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), 4)


@dataclass(slots=True)
class BagHash:
    """SHA-256 of a bag's files, taken in a thread of its own while the bag is read."""

    bag: Path
    _digest: str = ''
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._work, name='sha256', daemon=True)
        self._thread.start()

    def result(self, wait: bool = True) -> str:
        """The hash; '' where it was not waited for and is not ready."""
        if self._thread is not None:
            if not wait:
                self._stop.set()
            self._thread.join()
        return self._digest

    def _work(self) -> None:
        digest = hashlib.sha256()
        for path in bag_files(self.bag):
            with path.open('rb') as file:
                while block := file.read(BLOCK):
                    digest.update(block)
                    if self._stop.is_set():
                        return
        self._digest = digest.hexdigest()


def bag_files(bag: Path) -> list[Path]:
    """The file, or the files of a rosbag2 folder, in order."""
    return sorted(p for p in bag.iterdir() if p.is_file()) if bag.is_dir() else [bag]


def identity(
    bag: Path, digest: str, rig: Mapping[str, str], model: Mapping[str, str]
) -> dict[str, Any]:
    """What was replayed with what."""
    size = sum(path.stat().st_size for path in bag_files(bag))
    return {
        'bag': {'name': bag.name, 'sha256': digest, 'bytes': size},
        'rig': dict(rig),
        'model': dict(model),
        'package': __version__,
    }
