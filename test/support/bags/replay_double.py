"""Replays of small recordings for the tests, with a test double that looks at every pixel."""

from __future__ import annotations

import numpy as np

from alpamayo_ros.profile import load_profile
from alpamayo_ros.replay import run as replay_run
from alpamayo_ros.replay.options import Options
from alpamayo_ros.replay.run import run
from alpamayo_ros.runtime.scripted import ScriptedRuntime

SCRIPTED = Options(runtime='scripted')
BLIND = Options(runtime='')


class Seeing(ScriptedRuntime):
    """A test double whose speed depends on every pixel and age that it is given."""

    def encode(self, frames):
        features = super().encode(frames)
        weights = np.arange(1, frames.images.size + 1, dtype=np.float64) % 9973
        self.seen = float(frames.images.reshape(-1) @ weights % 1000) / 1e3 + frames.age_s.sum()
        return features

    def denoise(self, condition, noise):
        return super().denoise(condition, noise) * np.float32(1.0 + 1e-3 * self.seen)


def replayed(monkeypatch, bag, out, options):
    monkeypatch.setattr(
        replay_run,
        'open_model',
        lambda options: Seeing(load_profile(options.profile)) if options.runtime else None,
    )
    return run(bag, out, options)


def plans(folder):
    """Every line of the recording but those of wall times."""
    lines = (folder / 'recording' / 'events.jsonl').read_text().splitlines()
    return [line for line in lines if not line.startswith('{"kind":"timing"')]
