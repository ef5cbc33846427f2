"""Drives that a run keeps out of its training, whole worlds, to ask any weights about later.

They lie in ``rank_N/held_out`` as shards; their seeds are not drawn again by that run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.features import kept_tokens
from alpamayo_ros.training.stream.ring import Ring
from alpamayo_ros.training.stream.settings import Settings

FOLDER, EVERY = 'held_out', 12  # one in so many drives, until there are enough


def shard_folder(folder: Path, settings: Settings, index: int, number: int) -> Path:
    """Where drive ``number`` of simulator process ``index`` goes: to the trainer or held out."""
    mine = index % settings.workers
    most = settings.held_out // settings.workers + (mine < settings.held_out % settings.workers)
    kept = folder / FOLDER
    if number % EVERY or len(list(kept.glob(f'{index:03d}_*'))) >= most:
        return folder / 'chunks'
    return kept


class Group(NamedTuple):
    """The samples of one held-out drive; ``rows`` as of ``Ring.gather``."""

    name: str
    family: str
    rows: dict[str, Tensor]


def held_out(root: Path) -> list[Path]:
    """The shards that the run in ``root`` held out; ConfigError where there is none."""
    found = sorted(file.parent for file in root.glob(f'rank_*/{FOLDER}/*/meta.json'))
    if not found:
        raise ConfigError(
            f'{root} held no drive out; expected rank_0/{FOLDER}/*/meta.json of a run of '
            'alpamayo train stream with held_out above 0 in its recipe'
        )
    return found


def groups(shards: list[Path], model: VLA, grammar: Grammar) -> Iterator[Group]:
    """A group a shard, its pictures read by the views of ``model``."""
    keeps = kept_tokens(model)
    for shard in shards:
        frames = np.load(shard / 'frames.npy', allow_pickle=False)  # noqa: TID251
        with np.load(shard / 'samples.npz', allow_pickle=False) as file:  # noqa: TID251
            table = dict(file)
        ring = Ring(2 * len(frames), model.profile, grammar, model.device, keeps)
        ring.add(frames, table)
        meta = json.loads((shard / 'meta.json').read_text())
        yield Group(shard.name, meta['family'], ring.gather((ring.weight > 0).nonzero()[:, 0]))
