"""Clips as the shards that the step-wise recipe trains on (``training.dataset``)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.prompt import prefix_ids
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.training.clips.clip import Clip, Note
from alpamayo_ros.training.clips.motion import STEP_S
from alpamayo_ros.training.clips.recorded_clip import ClipError
from alpamayo_ros.training.clips.samples import Moment, moments
from alpamayo_ros.training.dataset import ShardWriter
from alpamayo_ros.training.nearest_frames import nearest_frames
from alpamayo_ros.training.sample_recorder import WORDLESS
from alpamayo_ros.training.truth import NAMES
from alpamayo_ros.units import NS, counted

Shown = tuple[int, Bool[np.ndarray, ' V']]  # number of a frame, and which views it shows


class ClipShard:
    """A shard in the making.

    Words that the grammar could not have written are left out, and counted as ``foreign_words``.
    """

    def __init__(self, profile: ModelProfile, grammar: Grammar) -> None:
        self._profile, self._grammar = profile, grammar
        self._writer, self._counts = ShardWriter(), Counter[str]()

    @property
    def empty(self) -> bool:
        """Whether no clip has given a sample yet."""
        return not self._writer.rows

    def add(self, clip: Clip) -> None:
        """Take a clip whole; nothing of it where it cannot be read."""
        frames, rows, counts = self._writer.frames, self._writer.rows, Counter(clips=1)
        begun = len(frames), len(rows)
        try:
            self._take(clip, counts)
        except Exception:
            del frames[begun[0] :], rows[begun[1] :]
            raise
        self._counts.update(counts)

    def _take(self, clip: Clip, counts: Counter[str]) -> None:
        profile, writer, number = self._profile, self._writer, self._counts['clips']
        past: list[tuple[float, Shown]] = []
        for now in moments(clip, profile):
            past.append((now.t0_ns / NS, (writer.add_frame(now.views), now.seen)))
            target = _target(now, profile)
            if now.car is None or target is None:
                continue
            shown = nearest_frames(past[-80:], now.t0_ns / NS, profile.frames)
            row = _row(now, shown, target, profile, self._grammar)
            words = _words(now.note, self._grammar, counts)
            writer.rows.append(row | {'coc': words, 'seed': np.int64(number)})

    def write(self, folder: Path) -> dict[str, int]:
        """Write it; how many clips, timesteps, samples, and samples with words."""
        writer, counts, profile = self._writer, self._counts, self._profile
        if self.empty:
            clips = counted(counts['clips'], 'clip')
            dt_s = profile.trajectory.points * profile.trajectory.dt_s
            text = f'no sample in {clips}: every sample wants {dt_s:g} s of future'
            raise ClipError(f'{text} and pictures of {", ".join(c.name for c in profile.cameras)}')
        counts |= Counter(timesteps=len(writer.frames), samples=len(writer.rows))
        writer.write(folder, {'by': 'clips', 'worlds': counts['clips'], 'counts': dict(counts)})
        return dict(counts)


def _target(now: Moment, profile: ModelProfile) -> Float[np.ndarray, 'P 3'] | None:
    """The plan that the words belong to, where it is as long as the profile's; else the driven."""
    form, plan = profile.trajectory, now.note.plan
    fits = len(plan) >= form.points and abs(form.dt_s - STEP_S) < 1e-9
    return np.array(plan[: form.points], float) if fits else now.future


def _words(note: Note, grammar: Grammar, counts: Counter[str]) -> tuple[int, ...]:
    ids = grammar.parse(note.words) if note.words else None
    counts['worded'] += ids is not None
    counts['foreign_words'] += bool(note.words) and ids is None
    return WORDLESS if ids is None else ids


def _row(
    now: Moment,
    shown: list[tuple[Shown, float, float]],
    target: Float[np.ndarray, 'P 3'],
    profile: ModelProfile,
    grammar: Grammar,
) -> dict[str, Any]:
    """A sample of a shard, less its words; what nobody knows of the dense truth is NaN.

    A view counts as seen where every timestep that is there shows it.
    """
    assert now.car is not None
    frames, ages, there = zip(*((frame, *rest) for (frame, _), *rest in shown), strict=True)
    seen = np.all([views for (_, views), _, exists in shown if exists], axis=0)
    most, note = profile.text.max_prefix, now.note
    ids = prefix_ids(grammar.tokenizer, note.instruction, note.prompt, most)
    unknown = np.full(len(NAMES), np.nan)
    return {
        'frames': np.array(frames, np.int64),
        'age_s': np.array(ages, np.float32),
        'past': np.array(there, np.float32),
        'seen': seen.astype(np.float32),
        'truth': np.array(unknown if note.dense is None else note.dense, np.float32),
        'plan': target.astype(np.float32),
        'speed': np.float32(now.car.speed_mps),
        'prefix': np.pad(np.array(ids, np.int16), (0, most - len(ids)), constant_values=-1),
    }
