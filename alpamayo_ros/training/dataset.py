"""Shards of driving samples on disk, and stored features of frozen vision.

A shard is a folder: ``frames.npy`` (F, V, H, W, 3) uint8, memory-mapped, and ``samples.npz`` with
one row a sample: ``frames`` (S, T) indices into frames.npy, newest first; ``age_s`` (S, T);
``past`` (S, T) 1 where that timestep exists; ``seen`` (S, V) 1 where a camera showed the view
(everywhere, where the column is absent); ``prefix`` (S, X) token ids of instruction and prompt, -1
on padding; ``truth`` (S, 17), NaN where nobody knows it; ``plan`` (S, P, 3) the expert's plan, or
what was driven, in base_link at t0; ``speed`` (S,); ``coc`` (S, L) token ids padded with 0;
``seed`` (S,).
``meta.json`` comes last, remembers how the shard was made, and holds size and SHA-256 of its
files.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.shards.full_disk import written
from alpamayo_ros.training.shards.integrity import FILES, discard_unsealed, seal
from alpamayo_ros.training.truth import COLUMN, SEEN


class ShardWriter:
    """Collects frames and samples in memory and writes them as one shard."""

    def __init__(self) -> None:
        self.frames: list[UInt8[np.ndarray, 'V H W 3']] = []
        self.rows: list[dict[str, Any]] = []

    def add_frame(self, views: UInt8[np.ndarray, 'V H W 3']) -> int:
        """Store a timestep; returns its index."""
        self.frames.append(views)
        return len(self.frames) - 1

    def write(self, folder: Path, meta: dict[str, Any]) -> None:
        """Write the shard; meta.json comes last and marks it complete.

        Where the writing ends before, files of a shard that is none are not left.
        """
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self._write(folder)
            seal(folder, {'samples': len(self.rows), **meta})
        except BaseException:
            discard_unsealed(folder)
            raise

    def _write(self, folder: Path) -> None:
        with written(folder / FILES[0]):
            np.save(folder / FILES[0], np.stack(self.frames))
        longest = max(len(r['coc']) for r in self.rows)
        for row in self.rows:
            row['coc'] = np.pad(np.asarray(row['coc'], np.int16), (0, longest - len(row['coc'])))
        columns: dict[str, Any] = {k: np.stack([r[k] for r in self.rows]) for k in self.rows[0]}
        with written(folder / FILES[1]):
            np.savez(folder / FILES[1], **columns)


class Dataset:
    """Several shards as one; images stay on disk, everything else in memory."""

    def __init__(self, folders: Sequence[Path]) -> None:
        done = [f for f in folders if (f / 'meta.json').is_file()]
        if not done:
            raise FileNotFoundError(
                f'no finished shard among {[str(f) for f in folders]}; run alpamayo train run'
            )
        self.folders = done
        self._frames = [np.load(f / 'frames.npy', mmap_mode='r', allow_pickle=False) for f in done]  # noqa: TID251
        self._start = np.cumsum([0, *[len(f) for f in self._frames]])
        tables = [dict(np.load(f / 'samples.npz', allow_pickle=False)) for f in done]  # noqa: TID251
        for folder, table in zip(done, tables, strict=True):
            if 'prefix' not in table:
                raise ValueError(
                    f'{folder} holds no words of the passenger (an older version wrote it): '
                    "delete it and its step's .done file, and collect again"
                )
        longest = max(t['coc'].shape[1] for t in tables)
        for i, table in enumerate(tables):
            views = self._frames[i].shape[1]
            table.setdefault('seen', np.ones((len(table['speed']), views), np.float32))
            table['frames'] = table['frames'] + self._start[i]
            table['coc'] = np.pad(table['coc'], ((0, 0), (0, longest - table['coc'].shape[1])))
            table['shard'] = np.full(len(table['speed']), i)
        self.rows = {k: np.concatenate([t[k] for t in tables]) for k in tables[0]}

    def __len__(self) -> int:
        return len(self.rows['speed'])

    @property
    def frame_count(self) -> int:
        """Stored timesteps of all shards."""
        return int(self._start[-1])

    def images(
        self, frames: Int[np.ndarray, ' B'], views: Sequence[int]
    ) -> UInt8[np.ndarray, 'B W2 H W 3']:
        """Pixels of the given views of the given timesteps."""
        shard = np.searchsorted(self._start, frames, 'right') - 1
        return np.stack(
            [
                self._frames[s][f - self._start[s]][list(views)]
                for s, f in zip(shard, frames, strict=True)
            ]
        )

    def frame_blocks(self, size: int) -> Iterator[tuple[int, UInt8[np.ndarray, 'B V H W 3']]]:
        """All timesteps in order, in blocks, each with the index of its first."""
        for start, frames in zip(self._start[:-1], self._frames, strict=True):
            for k in range(0, len(frames), size):
                yield int(start) + k, np.asarray(frames[k : k + size])

    def weights(self) -> Float[np.ndarray, ' S']:
        """Sampling weights.

        Near a vehicle three times, at rest on a free road and the model's own states twice.
        """
        truth, speed = self.rows['truth'], self.rows['speed']
        seen = truth[:, SEEN] > 0.5
        near = seen & (truth[:, COLUMN['leader_gap']] < 30)
        start = ~seen & (speed < 1.0)
        own = np.array(
            [json.loads((f / 'meta.json').read_text())['by'] == 'policy' for f in self.folders]
        )
        w = np.where(near, 3.0, np.where(start, 2.0, 1.0)) * np.where(
            own[self.rows['shard']], 2.0, 1.0
        )
        return w / w.sum()


def check_fits(folders: Iterable[Path], profile: ModelProfile) -> None:
    """ConfigError for the first finished shard that was made for another profile."""
    wanted = (len(profile.views), *profile.view_size, 3), (profile.trajectory.points, 3)
    for folder in [f for f in folders if (f / 'meta.json').is_file()]:
        frames = np.load(folder / 'frames.npy', mmap_mode='r', allow_pickle=False)  # noqa: TID251
        with np.load(folder / 'samples.npz', allow_pickle=False) as table:  # noqa: TID251
            found = frames.shape[1:], table['plan'].shape[1:]
        if found != wanted:
            raise ConfigError(
                f'{folder} is of another profile than {profile.name}: {_shapes(*found)}, expected '
                f'{_shapes(*wanted)}; make it again with --profile {profile.name}'
            )


def _shapes(frame: tuple[int, ...], plan: tuple[int, ...]) -> str:
    return f'pictures {" x ".join(map(str, frame))} and plans {" x ".join(map(str, plan))}'


def shard_folders(root: Path, names: Collection[str]) -> list[Path]:
    """Folders ``NAME-N`` under ``root`` of the given names, sorted."""
    return sorted(p for p in root.iterdir() if p.is_dir() and p.name.rpartition('-')[0] in names)


def finished_names(root: Path) -> set[str]:
    """Names of which ``root`` has a finished shard ``NAME-N``."""
    return {p.parent.name.rpartition('-')[0] for p in root.glob('*-*/meta.json')}
