"""Cameras of mixed rates, losses and jitter, and what a synchroniser makes of their frames."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import ceil
from statistics import median

from alpamayo_ros.cli.measuring.stock_filter import StockFilter
from alpamayo_ros.faults import Code
from alpamayo_ros.limits import Limits
from alpamayo_ros.sensing.synchronisation.sync import CameraSync
from alpamayo_ros.sensing.synchronisation.synced_set import SyncCamera, SyncedSet
from alpamayo_ros.units import MS, NS

CAMERAS = ('front', 'front_left', 'front_right', 'rear_left', 'rear', 'rear_right')
REFERENCE, DYING = CAMERAS[0], CAMERAS[-1]
RATES_HZ = (10.0, 12.0, 15.0, 20.0, 25.0, 30.0)
DROPS = (0.0, 0.02, 0.05)
JITTERS_MS = (0.0, 5.0)
TRANSPORT_NS, SPREAD_NS = 30 * MS, 5 * MS  # a frame is 30 to 35 ms under way
POLL_NS = 25 * MS  # as the node's timer
QUEUE = 10  # of the stock filter, as its tutorials have it
Frame = tuple[int, str, int]  # arrival [ns], camera, stamp [ns]


@dataclass(frozen=True, slots=True)
class Mixture:
    """The reference camera at one rate, five others at another, all triggered together once."""

    reference_hz: float
    others_hz: float
    drops: float  # share of frames lost
    jitter_ms: float  # of the stamps, to both sides
    dying: bool  # whether the last camera ends in the middle

    def frames(self, seconds: float, seed: int) -> list[Frame]:
        """All frames, in the order of arrival."""
        rng = random.Random(f'{self} {seed}')
        found = []
        for name in CAMERAS:
            rate_hz = self.reference_hz if name == REFERENCE else self.others_hz
            lasts_s = seconds / 2 if self.dying and name == DYING else seconds
            for k in range(round(lasts_s * rate_hz)):
                due_ns = NS + round(k * NS / rate_hz)
                stamp_ns = due_ns + round(rng.uniform(-self.jitter_ms, self.jitter_ms) * MS)
                arrival_ns = due_ns + round(self.jitter_ms * MS) + TRANSPORT_NS
                if rng.random() >= self.drops:
                    found.append((arrival_ns + rng.randrange(SPREAD_NS), name, stamp_ns))
        return sorted(found)

    def cameras(self) -> list[SyncCamera]:
        """As the synchronisation is told of them; the reference may not be masked."""
        rates = [self.reference_hz if n == REFERENCE else self.others_hz for n in CAMERAS]
        pairs = zip(CAMERAS, rates, strict=True)
        return [SyncCamera(n, round(NS / hz), 'hold', n == REFERENCE) for n, hz in pairs]


@dataclass(frozen=True, slots=True)
class MixtureReport:
    """``refused``: timesteps without a set because the reference was silent for too long, named.

    ``lost``: timesteps without a set and without a name.  ``skew_ms`` is the largest spread of
    frames of one timestep, ``held_ms`` the largest age of a held one; ``stock_share`` is the share
    of the timesteps for which the stock filter gives a set.
    """

    mixture: Mixture
    timesteps: int
    sets: int
    refused: int
    lost: int
    skew_ms: float
    held_ms: float
    set_us: float
    stock_share: float


def all_mixtures() -> Iterator[Mixture]:
    """Every rate beside every rate, with each share of losses, jitter, and a camera that dies."""
    for values in product(RATES_HZ, RATES_HZ, DROPS, JITTERS_MS, (False, True)):
        yield Mixture(*values)


def measure(mixture: Mixture, seconds: float, seed: int, limits: Limits) -> MixtureReport:
    """Run one mixture through the synchronisation and through the stock filter."""
    frames = mixture.frames(seconds, seed)
    sync = CameraSync(mixture.cameras(), limits)
    start_ns = time.process_time_ns()
    sets, refused = _run(sync, frames)
    spent_ns = time.process_time_ns() - start_ns
    timesteps = ceil(seconds * NS / sync.period_ns - 0.01)  # periods are whole nanoseconds
    ages = [s.largest_skew_ns for s in sets if any(s.held)]
    stock = _stock(mixture, frames, sync.period_ns, round(limits.skew_s * NS))
    return MixtureReport(
        mixture,
        timesteps,
        len(sets),
        refused,
        max(0, timesteps - len(sets) - refused),
        max((s.skew_ns for s in sets), default=0) / MS,
        max(ages, default=0) / MS,
        spent_ns / 1e3 / max(len(sets), 1),
        stock / timesteps,
    )


def _run(sync: CameraSync, frames: list[Frame]) -> tuple[list[SyncedSet], int]:
    """The sets, and how many timesteps were refused by name."""
    found = []
    now_ns = frames[0][0]
    for arrival_ns, name, stamp_ns in frames:
        while now_ns + POLL_NS < arrival_ns:
            now_ns += POLL_NS
            found += sync.poll(now_ns)
        now_ns = arrival_ns
        found += sync.push(name, stamp_ns, None, now_ns)
    for _ in range(20):
        now_ns += POLL_NS
        found += sync.poll(now_ns)
    sets = [s for s in found if isinstance(s, SyncedSet)]
    refused = [f for f in found if not isinstance(f, SyncedSet) and f.code is Code.SET_INCOMPLETE]
    return sets, len(refused)


def _stock(mixture: Mixture, frames: list[Frame], period_ns: int, slop_ns: int) -> int:
    """Timesteps for which the stock filter gives a set of all cameras."""
    stock = StockFilter(CAMERAS, QUEUE, slop_ns)
    sets = [s for _, name, stamp in frames if (s := stock.push(name, stamp)) is not None]
    return len({round((stamps[0] - NS) / period_ns) for stamps in sets})


def median_us(reports: list[MixtureReport]) -> float:
    """Median CPU time of a set [us] over mixtures."""
    return median(report.set_us for report in reports)
