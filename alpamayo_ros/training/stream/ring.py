"""Frames and samples on the trainer's device; shards come in by a thread, the oldest go.

A slot is a frame (uint8) and the sample of that instant, if there is one: weight 0 says none.
"""

from __future__ import annotations

import math
import shutil
import threading
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.statuses import MachineError
from alpamayo_ros.training.batches import real_prefix
from alpamayo_ros.training.features import Keeps
from alpamayo_ros.training.stream.dense import COLUMNS
from alpamayo_ros.training.truth import NAMES

PAUSE_S = 0.05
AT_ONCE = 50  # shards between two looks at the folder


Column = tuple[tuple[int, ...], torch.dtype]


def check_room(
    size: int, profile: ModelProfile, keeps: Keeps | None, device: torch.device
) -> None:
    """MachineError where what is kept of ``size`` frames does not fit into memory."""
    of_frame = sum(
        math.prod(shape) * kind.itemsize for shape, kind in _seen(profile, keeps).values()
    )
    needed, free = size * of_frame, _free_bytes(device)
    if needed > free:
        raise MachineError(
            f'ring: {size} frames need {needed / 1e9:.0f} GB of memory, {free / 1e9:.0f} are '
            f'free: choose --ring {free // 2 // of_frame} or less, or a recipe for this machine '
            '(--recipe stream_two_cores)'
        )


def _seen(profile: ModelProfile, keeps: Keeps | None) -> dict[str, Column]:
    """Shape and type of what is kept of one frame."""
    if keeps is not None:
        return {name: (shape, torch.float16) for name, shape in keeps.shapes.items()}
    view = profile.views[0]
    return {'images': ((len(profile.views), view.height, view.width, 3), torch.uint8)}


def _free_bytes(device: torch.device) -> int:
    if device.type == 'cuda':
        return int(torch.cuda.mem_get_info(device)[0])
    lines = Path('/proc/meminfo').read_text().splitlines()
    (available,) = (line for line in lines if line.startswith('MemAvailable:'))
    return int(available.split()[1]) * 1024


class Ring:
    """The newest ``size`` frames with their samples; ``keeps``: what is kept of a frame."""

    def __init__(
        self,
        size: int,
        profile: ModelProfile,
        grammar: Grammar,
        device: torch.device,
        keeps: Keeps | None = None,
    ) -> None:
        self.size, self.device, self.keeps = size, device, keeps
        count = profile.frames.count
        self.seen = {
            name: torch.zeros((size, *shape), dtype=kind, device=device)
            for name, (shape, kind) in _seen(profile, keeps).items()
        }
        words = grammar.max_length
        columns: dict[str, Column] = {
            'back': ((count,), torch.int32),
            'age_s': ((count,), torch.float32),
            'past': ((count,), torch.float32),
            'truth': ((len(NAMES),), torch.float32),
            'dense': ((COLUMNS,), torch.float32),
            'plan': ((profile.trajectory.points, 3), torch.float32),
            'speed': ((), torch.float32),
            'coc': ((words,), torch.int16),
            'choice': ((words,), torch.float16),
            'prefix': ((profile.text.max_prefix,), torch.int16),
            'said': ((profile.text.max_coc,), torch.int16),
            'said_likelihood': ((profile.text.max_coc,), torch.float32),
            'told': ((), torch.int32),
            'outcome': ((), torch.float32),
        }
        self.rows = {
            name: torch.zeros((size, *shape), dtype=kind, device=device)
            for name, (shape, kind) in columns.items()
        }
        self.weight = torch.zeros(size, device=device)
        self._shard_of = torch.zeros(size, dtype=torch.int32, device=device)
        self._writes = threading.Lock()
        self._reach = 4 * count  # frames that a sample may look back, a drive's beginning apart
        self._at = self._filled = 0
        self.samples = self.shards = 0

    def add(self, frames: np.ndarray, table: dict[str, np.ndarray]) -> None:
        """Put a shard in; ValueError where it is larger than the ring."""
        n, at = len(frames), table['frames'][:, 0]
        if n > self.size // 2:
            raise ValueError(f'a drive of {n} frames does not fit a ring of {self.size}')
        if self._at + n > self.size:
            self.weight[self._at :] = 0
            self._at = 0
        a, b = self._at, self._at + n
        self.weight[a : b + self._reach] = 0  # what follows looks back at what is overwritten
        keeps = self.keeps
        seen = {'images': torch.from_numpy(frames)} if keeps is None else keeps.encode(frames)
        with self._writes:
            self._shard_of[a:b] = self.shards + 1
            for name, value in seen.items():
                self.seen[name][a:b] = value.to(self.device)
        slots = torch.from_numpy(a + at.astype(np.int64)).to(self.device)
        table = table | {'back': at[:, None] - table['frames']}
        for name, store in self.rows.items():
            value = torch.from_numpy(np.ascontiguousarray(table[name])).to(self.device)
            value = value.to(store.dtype)
            if store.dim() == 2 and value.shape[1] < store.shape[1]:
                value = torch.nn.functional.pad(value, (0, store.shape[1] - value.shape[1]))
            store[slots] = value
        self.weight[slots] = torch.from_numpy(table['weight']).to(self.device)
        self._at, self._filled = b, max(self._filled, b)
        self.samples, self.shards = self.samples + len(at), self.shards + 1

    def draw(self, size: int) -> dict[str, Tensor]:
        """A random batch by weight."""
        return self.gather(torch.multinomial(self.weight[: self._filled], size, replacement=True))

    def draw_said(self, size: int, since: int) -> dict[str, Tensor] | None:
        """A random batch of states in which a policy spoke, published as ``since`` or later.

        None where there is none.  Texts are cut to the longest.
        """
        told = (self.rows['told'] >= max(since, 1)) & (self.weight > 0)
        if not bool(told.any()):
            return None
        b = self.gather(torch.multinomial(told.float(), size, replacement=True))
        longest = int((b['said'] > 0).sum(1).max())
        b['said'] = b['said'][:, :longest].long()
        b['said_likelihood'] = b['said_likelihood'][:, :longest]
        return b

    def gather(self, slots: Tensor) -> dict[str, Tensor]:
        """Samples with what is kept of their frames, texts cut to the longest.

        ``images`` (B, T, V, H, W, 3), or ``tokens`` (B, T, N, width) where views are frozen; where
        their stem is, ``patches`` (B, V, patches, width) of the newest timestep beside them.
        """
        shard = self._shard_of[slots]  # first: a shard that comes in meanwhile is another one
        b = {name: store[slots] for name, store in self.rows.items()}
        past, newest = slots[:, None] - b.pop('back'), self.keeps.newest if self.keeps else ()
        for name, kept in self.seen.items():
            b[name] = kept[slots if name in newest else past]
        b['slot'], b['shard'] = slots, shard
        longest = int((b['choice'] > 0).sum(1).max())
        b['coc'], b['choice'] = b['coc'][:, :longest].long(), b['choice'][:, :longest].float()
        b['prefix'], b['prefix_valid'] = real_prefix(b['prefix'])
        return b

    def renew(self, b: dict[str, Tensor]) -> None:
        """Keep the newest ``tokens`` of a batch as a step left them, for later draws.

        Nothing happens where a ring keeps none beside what they come from, and to slots that
        another shard has taken since.
        """
        if self.keeps is None or not self.keeps.newest:
            return
        with self._writes:
            same = self._shard_of[b['slot']] == b['shard']
            now = b['tokens'][same, 0].to(torch.float16)
            self.seen['tokens'][b['slot'][same]] = now


class Feed(threading.Thread):
    """Moves finished shards of a folder into the ring, until :meth:`end`."""

    def __init__(self, ring: Ring, folder: Path) -> None:
        super().__init__(daemon=True)
        self._ring, self._folder, self._over = ring, folder, threading.Event()
        self.error: Exception | None = None

    def run(self) -> None:
        """Body of the thread; what goes wrong is kept for the trainer."""
        try:
            while not self._over.is_set():
                if not self.take():
                    self._over.wait(PAUSE_S)
        except Exception as error:  # noqa: BLE001 - raised by check() in the trainer's thread
            self.error = error

    def take(self) -> int:
        """Move what is there; returns how many shards."""
        done = sorted(f for f in self._folder.iterdir() if (f / 'meta.json').is_file())[:AT_ONCE]
        for moved, shard in enumerate(done):
            if self._over.is_set():
                return moved
            frames = np.load(shard / 'frames.npy', allow_pickle=False)  # noqa: TID251
            with np.load(shard / 'samples.npz', allow_pickle=False) as table:  # noqa: TID251
                self._ring.add(frames, dict(table))
            shutil.rmtree(shard)
        return len(done)

    def check(self) -> None:
        """Raise what ended the thread."""
        if self.error is not None:
            raise self.error

    def end(self) -> None:
        """Stop and wait for the shard in hand."""
        self._over.set()
        self.join()
