"""The images of one span of time given to the synchronisation, as recorded or announced."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from alpamayo_ros.faults import Fault
from alpamayo_ros.sensing.silence import CameraWatch
from alpamayo_ros.sensing.synchronisation.sync import SET_PERIOD_NS, CameraSync
from alpamayo_ros.sensing.synchronisation.synced_set import SyncedSet


@dataclass(frozen=True, slots=True)
class Arrival:
    """One image.  ``payload`` None: it was refused before the sync could see it."""

    camera: str
    stamp_ns: int
    received_ns: int
    payload: Any


def form(sync: CameraSync, images: Iterable[Arrival], end_ns: int) -> list[SyncedSet | Fault]:
    """What the images bring about by ``end_ns``, oldest first: sets, lost timesteps, bad frames.

    Each image is seen at the time it was received.
    """
    out: list[SyncedSet | Fault] = []
    for image in images:
        if image.payload is not None:
            now_ns = image.received_ns
            out += sync.push(image.camera, image.stamp_ns, image.payload, now_ns)
    return [*out, *sync.poll(end_ns)]


class Overdue:
    """Whether silence itself has to be answered: cameras are lost and nothing was said of it."""

    def __init__(self, watch: CameraWatch) -> None:
        """``watch``: of the sync."""
        self._watch, self._limit_ns = watch, 3 * SET_PERIOD_NS
        self._answered_ns = 0

    def answered(self, t0_ns: int) -> None:
        """A timestep was formed or lost."""
        self._answered_ns = max(t0_ns, self._answered_ns)

    def faults(self, now_ns: int) -> list[Fault]:
        """What to refuse a timestep at ``now_ns`` with; empty while all is well."""
        faults = self._watch.faults(now_ns)
        return faults if now_ns - self._answered_ns > self._limit_ns else []
