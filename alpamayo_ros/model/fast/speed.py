"""Times of the stages and of whole cycles, in fp8 too, and the naive way in the same run."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from alpamayo_ros.model.fast.cycle import Cycle, Passes
from alpamayo_ros.model.fast.fp8 import calibrated
from alpamayo_ros.model.fast.made_up import MadeUpDrive, drawn, planted
from alpamayo_ros.model.fast.plain import Plain
from alpamayo_ros.model.released.median_time import median_ms
from alpamayo_ros.profile import ModelProfile

Tell = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Way:
    """A way of writing words: passes, and how many words of a full draft are accepted in each."""

    name: str
    passes: Passes
    accepted: int


@dataclass(frozen=True, slots=True)
class Times:
    """Medians [ms], memory [GB] (None on a CPU), and words that differ from plain greedy ones.

    ``stages``: encode, prefill, token, denoise and, by the name of its way, one drafted pass.
    ``cycles`` and ``words_unlike_plain`` are by way.  ``unwritten``: words that a cycle lacked.
    """

    stages: dict[str, float]
    cycles: dict[str, float]
    memory_gb: float | None
    words_unlike_plain: dict[str, int]
    unwritten: dict[str, int]


@dataclass(frozen=True, slots=True)
class Measured:
    """A cycle in the weights' own type and, where asked for, in fp8; upload and naive way [ms]."""

    own: Times
    upload_ms: float
    naive_ms: float | None
    fp8: Times | None


@dataclass(frozen=True, slots=True)
class Rounds:
    """Calls of which the median is taken; ``naive`` 0: the naive way is not measured."""

    fast: int
    naive: int


@torch.no_grad()
def measure(
    profile: ModelProfile,
    device: str,
    dtype: torch.dtype,
    words: int,
    ways: Sequence[Way],
    rounds: Rounds,
    fp8: bool,
    tell: Tell,
) -> Measured:
    """Everything of one profile with random weights; ``tell`` hears the share that is done."""
    _free(device)
    cycle = Cycle(drawn(profile, device, dtype), words, [way.passes for way in ways])
    drive = MadeUpDrive(cycle)
    seen = drive.fill()
    tell(profile.name, 0.2)
    own = _times(cycle, ways, rounds.fast)
    tell(profile.name, 0.5)
    where = cycle.model.device
    upload = median_ms(lambda: cycle.given.copy_(cycle.host), rounds.fast, where)
    naive = None
    if rounds.naive:
        modules, there = Plain(cycle.model, cycle.given, words), seen.to(device)
        naive = median_ms(
            lambda: modules(there.images, there.cameras, cycle.given), rounds.naive, where
        )
    tell(profile.name, 0.7)
    narrow = None
    if fp8:
        with calibrated(cycle):
            drive.fill()
        _free(device)
        drive.fill()
        narrow = _times(cycle, ways, rounds.fast)
    tell(profile.name, 1.0)
    return Measured(own, upload, naive, narrow)


def _free(device: str) -> None:
    """Memory of what was measured before; its peak counts from here."""
    if device == 'cuda':
        gc.collect()  # a cycle holds itself by its graphs: the member before would stay
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def _times(cycle: Cycle, ways: Sequence[Way], rounds: int) -> Times:
    """Of stages and whole cycles, behind full pages."""
    greedy, where = _greedy(cycle), cycle.model.device
    stages = {name: median_ms(run, rounds, where) for name, run in _stages(cycle, ways).items()}
    cycles, unlike, unwritten = {}, {}, {}
    for i, way in enumerate(ways):
        draft = cycle.host.draft
        draft.copy_(planted(greedy, way.accepted, len(draft), cycle.model.profile))
        found = cycle.run(i)
        unlike[way.name] = int((found.ids != greedy)[: found.count].sum())
        unwritten[way.name] = cycle.limit - found.count
        cycles[way.name] = median_ms(cycle.whole[i], rounds, where)
    memory = torch.cuda.max_memory_reserved() / 1e9 if where.type == 'cuda' else None
    return Times(stages, cycles, memory, unlike, unwritten)


def _stages(cycle: Cycle, ways: Sequence[Way]) -> dict[str, Callable[[], object]]:
    drafted = {way.name: cycle.drafted[i] for i, way in enumerate(ways)}
    first: dict[str, Callable[[], object]] = {'encode': cycle.encode, 'prefill': cycle.prefill}
    return {**first, 'token': cycle.token, **drafted, 'denoise': cycle.denoise}


def _greedy(cycle: Cycle) -> Tensor:
    """The words of the newest cycle, one a pass."""
    cycle.begin()
    for _ in range(cycle.limit):
        cycle.token()
    return cycle.words.ids[: cycle.limit].cpu()
