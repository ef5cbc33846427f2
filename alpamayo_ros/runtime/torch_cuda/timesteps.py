"""Which page of the device holds which timestep, known by its pixels.

A timestep is found by a sample of its pixels and then compared with every one of them, in the
memory of the host that it was uploaded from: hashes of large pictures would cost more than their
transfer.  Where a page holds keys they are those of one number (``model.fast.pages``), so the same
pixels at another number are another timestep.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

SAMPLE = 4096  # bytes at most

Key = tuple[int, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Timestep:
    """Pictures and validity of all views, and the number that its keys have (0: no keys)."""

    images: UInt8[np.ndarray, 'V H W 3']
    valid: Bool[np.ndarray, ' V']
    number: int = 0

    @property
    def key(self) -> Key:
        """Equal for equal timesteps; the pixels have to be compared."""
        flat = self.images.reshape(-1)
        sample = flat[:: -(-flat.size // SAMPLE)].tobytes()
        return self.number, np.packbits(self.valid).tobytes(), sample


@dataclass(frozen=True, slots=True)
class Place:
    """A page, and the mark of what it holds: every writing has one of its own."""

    page: int
    mark: int


class Timesteps:
    """``pictures`` (pages, V, H, W, 3) uint8: what was uploaded into each page."""

    def __init__(self, pages: int, shape: tuple[int, ...], pinned: bool) -> None:
        self.pictures: Tensor = torch.zeros(pages, *shape, dtype=torch.uint8, pin_memory=pinned)
        self._held: OrderedDict[Key, Place] = OrderedDict()  # the newest asked for is last
        self._marks = 0

    def __len__(self) -> int:
        return len(self._held)

    def find(self, timestep: Timestep) -> Place | None:
        """Where it lies; None where no page holds exactly these pixels."""
        key = timestep.key
        place = self._held.get(key)
        if place is None:
            return None
        if not torch.equal(self.pictures[place.page], torch.from_numpy(timestep.images)):
            return None
        self._held.move_to_end(key)
        return place

    def put(self, timestep: Timestep, wanted: Collection[Place | None]) -> Place:
        """A page for it, its pixels in ``pictures``; none of ``wanted`` gives way."""
        self._held.pop(timestep.key, None)
        kept = {place.page for place in wanted if place is not None}
        taken = {place.page: key for key, place in self._held.items()}
        free = [page for page in range(len(self.pictures)) if page not in taken]
        page = next(page for page in (*free, *taken) if page not in kept)  # longest not asked for
        if page in taken:
            del self._held[taken[page]]
        self._marks += 1
        self.pictures[page].copy_(torch.from_numpy(timestep.images))
        place = self._held[timestep.key] = Place(page, self._marks)
        return place

    def drop(self, place: Place) -> None:
        """What this page holds was never finished."""
        for key, held in list(self._held.items()):
            if held == place:
                del self._held[key]

    def clear(self) -> None:
        """Nothing is held any more."""
        self._held.clear()
