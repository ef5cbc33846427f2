"""What is in a set of shards, in figures that a person checks before training on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from alpamayo_ros.training.dataset import Dataset
from alpamayo_ros.training.shards.integrity import META, damage
from alpamayo_ros.training.truth import COLUMN, SEEN

STANDING_MPS, TURN_RAD, OFF_CENTRE_M, SECONDS = 0.5, 0.35, 0.5, 3.0


def find(roots: Sequence[Path]) -> list[Path]:
    """Shards in or below the folders, those in writing left out."""
    return sorted(meta.parent for root in roots for meta in root.rglob(META))


def stats(folders: Sequence[Path], dt_s: float) -> dict[str, Any]:
    """Counts and shares over the whole shards of ``folders``; damaged ones are named.

    ``dt_s``: between two points of a plan.
    """
    wrong = [said for folder in folders if (said := damage(folder))]
    whole = [folder for folder in folders if not damage(folder)] if wrong else list(folders)
    found: dict[str, Any] = {'shards': len(whole), 'damaged': wrong}
    if not whole:
        return found
    data = Dataset(whole)
    by = [json.loads((f / META).read_text())['by'] for f in data.folders]
    found |= {'samples': len(data), 'timesteps': data.frame_count}
    found |= {f'shards_by_{who}': by.count(who) for who in sorted(set(by))}
    return found | {'worlds': _worlds(data.rows, by)} | _shares(data.rows, dt_s)


def _worlds(rows: dict[str, np.ndarray], by: Sequence[str]) -> int:
    """How many drives: a seed is one whatever shard it is in, clips are counted in each shard."""
    of_clips = np.array([who == 'clips' for who in by])[rows['shard']]
    shard = np.where(of_clips, rows['shard'], -1)
    return np.unique(np.stack([shard, rows['seed']]), axis=1).shape[1]


def _shares(rows: dict[str, np.ndarray], dt_s: float) -> dict[str, Any]:
    """Of the samples: how much of what there is to learn from; of the truth where it is known."""
    speed, truth, plan = rows['speed'], rows['truth'], rows['plan']
    later = plan[:, round(SECONDS / dt_s) - 1]
    goes = np.hypot(later[:, 0], later[:, 1]) / SECONDS
    gap = truth[:, COLUMN['leader_gap']]
    shares = {
        'standing': speed < STANDING_MPS,
        'braking': goes < speed - 1.0,
        'starting': (speed < STANDING_MPS) & (goes > 1.0),
        'turning': np.abs(later[:, 2]) > TURN_RAD,
    }
    aside, seen = np.abs(truth[:, COLUMN['lane_offset']]), truth[:, SEEN]
    for name, which, of in (
        ('off_centre', aside > OFF_CENTRE_M, aside),
        ('leader', seen > 0.5, seen),
        ('leader_near', (seen > 0.5) & (gap < 15.0), seen),
    ):
        if not np.isnan(of).all():
            shares[name] = which[~np.isnan(of)]
    unknown = np.isnan(truth).any(1)
    return {
        'chains': len(np.unique(rows['coc'][rows['coc'].any(1)], axis=0)),
        'instructions': len(np.unique(rows['prefix'], axis=0)),
        'speed_mean_mps': round(float(speed.mean()), 2),
        'share': {name: round(float(which.mean()), 3) for name, which in shares.items()},
        'truth_unknown': int(unknown.sum()),
        'not_finite': int((~np.isfinite(plan).all((1, 2)) | np.isinf(truth).any(1)).sum()),
    }
