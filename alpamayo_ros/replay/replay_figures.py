"""One table of figures out of many scored cycles: model, baseline, and why a cell is empty."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np

from alpamayo_ros import metrics
from alpamayo_ros.metrics import Definition
from alpamayo_ros.replay.score import Scored
from alpamayo_ros.replay.unplanned import Unplanned

NO_MODEL = 'no model took part'
PLANNED = Definition(
    'planned_share', 'share', 'higher',
    'Share of timesteps, from the first plan on, at which a plan of the model was let out.',
    'this package',
)  # fmt: skip
DEFINITIONS: dict[str, Definition] = {PLANNED.name: PLANNED, **metrics.METRICS}
# What a replay can never say, by how the names begin, and why.
NEVER: tuple[tuple[tuple[str, ...], str], ...] = (
    (('offroad', 'red_light', 'stop_line', 'speed_', 'wrong_way'), 'a recording has no map'),
    (('lane_change',), 'a recording has no map'),
    (('input_age', 'plan_age', 'deadline'), 'time is simulated: alpamayo up replay shows it'),
    (('comfortable',), 'open loop: the recorded driver drove'),
    (('coc_facts',), 'a recording has no truth of what should be said'),
)
LEVEL, FACTS = 'spread_level_at_3s', 0.5


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure over ``n`` cycles; ``value`` None: not evaluable, ``reason`` says why."""

    value: float | None
    n: int
    reason: str = ''


@dataclass(slots=True)
class Mean:
    """A mean that is taken as the values come; None is no value."""

    total: float = 0.0
    n: int = 0

    def add(self, value: float | None) -> None:
        """The next value."""
        if value is not None:
            self.total, self.n = self.total + value, self.n + 1

    @property
    def value(self) -> float | None:
        """The mean; None of nothing."""
        return self.total / self.n if self.n else None


@dataclass(slots=True)
class Figures:
    """Collects scored cycles.

    ``begun``: timesteps at which the safety machine let drive, its inputs having been valid long
    enough; ``waited``: those at which it did not yet, though the model proposed; ``armed``: those
    from the first plan on.
    ``refusals``: first fault of each cycle without a proposal; ``unplanned``: worst fault of each
    armed cycle without a plan; by name.  ``without_plan``: the same with causes and values.
    ``misplaced``: why recorded objects could not be placed.
    """

    with_model: bool
    has_objects: bool = False
    misplaced: str = ''
    has_reference: bool = False
    timesteps: int = 0
    proposals: int = 0
    begun: int = 0
    waited: int = 0
    armed: int = 0
    plans: int = 0
    cycle_ms: list[float] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    unplanned: Counter[str] = field(default_factory=Counter)
    without_plan: Unplanned = field(default_factory=Unplanned)
    model: dict[str, Mean] = field(default_factory=lambda: defaultdict(Mean))
    baseline: dict[str, Mean] = field(default_factory=lambda: defaultdict(Mean))
    shared: dict[str, Mean] = field(default_factory=lambda: defaultdict(Mean))
    levels: list[float] = field(default_factory=list)

    def add(self, scored: Scored) -> None:
        """A cycle whose future is known."""
        model, baseline = scored.model or {}, scored.baseline or {}
        for name, value in model.items():
            self.model[name].add(value)
        for name, value in baseline.items():
            self.baseline[name].add(value)
            if model.get(name) is not None:
                self.shared[name].add(value)
        level = model.get(LEVEL)
        self.levels += [] if level is None else [level]

    def table(self) -> dict[str, tuple[Cell, Cell]]:
        """Model and baseline by the name of the metric.

        The baseline is taken over the same cycles as the model, where the model has any.
        """
        out = {}
        for name in DEFINITIONS:
            never = Cell(None, 0, _never(name))
            out[name] = (
                (never, never) if never.reason else (self._model(name), self._baseline(name))
            )
        return out

    def _model(self, name: str) -> Cell:
        if not self.with_model:
            return Cell(None, 0, NO_MODEL)
        if name == 'planned_share':
            share = self.plans / self.armed if self.armed else None
            return Cell(share, self.armed, '' if self.armed else self._why(name))
        if name.startswith('cycle_ms'):
            return self._cycle(name)
        if name.startswith('spread_'):
            value = _calibration(name, self.levels) if self.levels else None
            return Cell(value, len(self.levels), '' if self.levels else self._why(name))
        known = self.model[name]
        return Cell(known.value, known.n, '' if known.n else self._why(name))

    def _baseline(self, name: str) -> Cell:
        if name in ('agreement', 'coc_rouge_l') or name.startswith('cycle_ms'):
            return Cell(None, 0, 'it says nothing and is not timed')
        if name.startswith(('min_', 'miss_rate_k', 'energy_', 'spread_')):
            return Cell(None, 0, 'it has one path, no candidates')
        if name.startswith(('plan_to_plan', 'planned', 'comfortable', 'lateral_jerk')):
            return Cell(None, 0, 'it is no planner')
        known = self.shared[name] if self.shared[name].n else self.baseline[name]
        return Cell(known.value, known.n, '' if known.n else self._why(name, model=False))

    def _cycle(self, name: str) -> Cell:
        if not self.cycle_ms:
            return Cell(None, 0, self._why(name))
        share = 50 if name.endswith('p50') else 99
        return Cell(float(np.percentile(self.cycle_ms, share)), len(self.cycle_ms))

    def _why(self, name: str, model: bool = True) -> str:
        """Why no cycle has this figure."""
        if model and self.proposals == 0:
            if not self.refusals:
                return 'there is no timestep'
            code, count = self.refusals.most_common(1)[0]
            return f'the model was never asked: {code} in {count} of {self.timesteps} timesteps'
        if name == 'coc_rouge_l':
            return 'the recording holds no reference text'
        of_plans = not name.startswith(('min_', 'miss_rate_k', 'energy', 'spread'))
        if model and self.plans == 0 and of_plans:
            return 'no plan of the model was let out'
        if name.startswith(('collision', 'ttc')):
            lasting = 'ground_truth/objects do not last for long enough after any t0, or pause'
            absent = self.misplaced or 'the recording holds no ground_truth/objects'
            return lasting if self.has_objects else absent
        if name == 'agreement':
            return 'no text announced an intent'
        if name.startswith('plan_to_plan'):
            return 'no two plans follow each other'
        return 'odometry does not go on for long enough after any t0'


def _calibration(name: str, levels: list[float]) -> float | None:
    if name.startswith('spread_coverage'):
        return metrics.coverage(levels, FACTS)
    return metrics.calibration_error(levels)


def _never(name: str) -> str:
    """Why a replay cannot have this figure; '' where it may."""
    if name == 'comfortable_plan':
        return ''
    return next((why for starts, why in NEVER if name.startswith(starts)), '')
