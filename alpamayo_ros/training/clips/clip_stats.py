"""What is in a set of clips, in figures that a person checks before training on it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from alpamayo_ros.training.clips import storage
from alpamayo_ros.training.clips.clip import Note
from alpamayo_ros.training.clips.motion import STEP_S
from alpamayo_ros.training.shards.stats import SECONDS, STANDING_MPS, TURN_RAD


def clip_stats(folders: Sequence[Path]) -> dict[str, Any]:
    """Counts and shares over the whole clips of ``folders``; damaged ones are named."""
    damaged: list[str] = []
    metas: list[storage.Meta] = []
    notes: list[Note] = []
    verdicts = Counter[str]()
    for folder in folders:
        if wrong := storage.damage(folder):
            damaged.append(wrong)
            continue
        found = storage.read_annotation(folder)
        metas.append(storage.read_meta(folder))
        notes += found.notes
        verdicts[found.verdict or 'unjudged'] += 1
    out: dict[str, Any] = {'clips': len(metas), 'damaged': damaged}
    if not metas:
        return out
    out |= {
        'seconds': round(sum(m.seconds for m in metas), 1),
        'instants': sum(m.instants for m in metas),
        **_by('origin', [m.origin for m in metas]),
        **_by('words', [m.grammar or 'free' for m in metas]),
        **{f'verdict_{name}': count for name, count in sorted(verdicts.items())},
    }
    return out | _of_notes(notes)


def _by(what: str, names: Sequence[str]) -> dict[str, int]:
    return {f'{what}_{name}': count for name, count in sorted(Counter(names).items())}


def _of_notes(notes: list[Note]) -> dict[str, Any]:
    """What the notes say, and of how many there is what to learn from.

    Braking and turning are shares of those whose next seconds are known, and absent without such.
    """
    if not notes:
        return {'notes': 0}
    later = round(SECONDS / STEP_S)
    speed = np.array([n.speed_mps for n in notes])
    ends = np.array([n.trajectory[later - 1] if len(n.trajectory) >= later else (np.nan,) * 3
                     for n in notes])  # fmt: skip
    goes = np.hypot(ends[:, 0], ends[:, 1]) / SECONDS
    known = np.isfinite(goes)
    shares = {
        'worded': np.array([bool(n.words) for n in notes]),
        'with_truth': np.array([n.facts is not None for n in notes]),
        'with_future': known,
        'standing': speed < STANDING_MPS,
    }
    if known.any():
        shares['braking'] = (goes < speed - 1.0)[known]
        shares['turning'] = (np.abs(ends[:, 2]) > TURN_RAD)[known]
    return {
        'notes': len(notes),
        'chains': len({n.words for n in notes} - {''}),
        'instructions': len({n.instruction for n in notes} - {''}),
        'prompts': len({n.prompt for n in notes} - {''}),
        'speed_mean_mps': round(float(speed.mean()), 2),
        'share': {name: round(float(which.mean()), 3) for name, which in shares.items()},
    }


def lines(figures: dict[str, Any]) -> list[str]:
    """Figures for a person to read, a line each; damaged ones come apart from them."""
    flat = {k: v for k, v in figures.items() if k not in ('share', 'damaged')}
    rows = [
        f'{name:20} {v if not isinstance(v, dict) else json.dumps(v)}' for name, v in flat.items()
    ]
    return rows + [f'{name:20} {100 * v:.1f} %' for name, v in figures.get('share', {}).items()]
