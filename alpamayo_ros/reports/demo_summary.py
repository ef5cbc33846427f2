"""summary.json of a demo: what was driven, how old the plans were, where the time went.

Scores come from the simulator's own bookkeeping; ages and times from the messages of the graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from alpamayo_ros import metrics
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports.notable_events import notable_words
from alpamayo_ros.reports.word_truth import WordTruth

DROPPED = 2  # CandidateArray.DROPPED: the cycle overran, its result was thrown away
CUT_SHORT = ('time', 'duration')  # ends of a drive that its time ended
MODEL = 0  # PlannedTrajectory.MODEL


class _Record(BaseModel):
    model_config = ConfigDict(extra='ignore', frozen=True)


class ScenarioRow(_Record):
    """One drive.

    ``score`` is AlpaSim's: 0 after an at-fault collision or off the road, else min(progress / 0.8,
    1). None where its time ended a drive on its way: how far that came says how long it was let.
    """

    name: str
    seed: int
    mode: Literal['lockstep', 'free']
    duration_s: float
    distance_m: float
    collisions_at_fault: int
    offroad_s: float
    progress: float
    score: float | None

    @model_validator(mode='before')
    @classmethod
    def _cut_short_is_not_scored(cls, row: dict[str, Any]) -> dict[str, Any]:
        cut = row.get('end') in CUT_SHORT and 0.0 < (row.get('score') or 0.0) < 1.0
        return {**row, 'score': None} if cut else row


class Percentiles(_Record):
    """Median and 99th percentile in milliseconds; None where nothing was measured."""

    p50: float | None
    p99: float | None


class Example(_Record):
    """A chain of causation as it was published, and when.

    ``counterfactual``: what would have been done otherwise, which no drive bears out; '' where
    the grammar has none.
    """

    scenario: str
    time_s: float
    perception: str
    situation: str
    rationale: str
    intent: str
    counterfactual: str = ''


class Model(_Record):
    """Who planned.  ``manifest_hash`` is '' for the scripted test double."""

    profile: str
    runtime: str
    manifest_hash: str


class Summary(_Record):
    """Everything summary.json holds.  Times and ages are of the free-running segment."""

    scenarios: list[ScenarioRow]
    plans: int = Field(description='plans of the model that were let out, all drives')
    real_time_factor: float | None
    cycle_ms: Percentiles
    plan_age_ms: Percentiles
    deadline_misses: int
    stage_ms: dict[str, float]
    coc: list[Example]
    model: Model

    def write(self, path: Path) -> None:
        """As indented JSON."""
        path.write_text(self.model_dump_json(indent=2) + '\n')


def summarise(
    rows: Sequence[ScenarioRow],
    recordings: Sequence[Recording],
    real_time_factor: float | None,
) -> Summary:
    """The summary of drives and their recordings, in the same order; no file is written."""
    free = [r for r in recordings if r.info.mode == 'free']
    timings = [t for r in free for t in r.all(events.Timing)]
    return Summary(
        scenarios=list(rows),
        plans=sum(plans_of_model(r) for r in recordings),
        real_time_factor=real_time_factor,
        cycle_ms=percentiles(t.wall_ms for t in timings),
        plan_age_ms=percentiles(age for r in free for age in plan_ages_ms(r)),
        deadline_misses=sum(misses(r) for r in free),
        stage_ms=stage_medians(timings),
        coc=examples(recordings),
        model=model(recordings),
    )


def percentiles(values: Iterable[float]) -> Percentiles:
    """p50 and p99 of ``values``."""
    found = [v for v in values if np.isfinite(v)]
    if not found:
        return Percentiles(p50=None, p99=None)
    p50, p99 = np.percentile(found, [50, 99])
    return Percentiles(p50=round(float(p50), 2), p99=round(float(p99), 2))


def plan_ages_ms(recording: Recording) -> list[float]:
    """Age of the model's plan at every reference: stamp minus t0 of its pictures."""
    return [
        (p.stamp_ns - p.source_t0_ns) / 1e6
        for p in recording.all(events.Plan)
        if p.topic == 'reference' and p.source == MODEL
    ]


def plans_of_model(recording: Recording) -> int:
    """Plans of the model that were let out."""
    return sum(p.topic == 'trajectory' and p.source == MODEL for p in recording.all(events.Plan))


def misses(recording: Recording) -> int:
    """Cycles that took longer than their period, those whose result was dropped included."""
    late = sum(t.missed for t in recording.all(events.Timing))
    return late + sum(c.status == DROPPED for c in recording.all(events.Candidates))


def stage_medians(timings: Sequence[events.Timing]) -> dict[str, float]:
    """Median duration of each stage [ms], in the order they run."""
    values: dict[str, list[float]] = {}
    for timing in timings:
        for name, duration in timing.stages.items():
            values.setdefault(name, []).append(duration)
    return {name: round(float(np.median(found)), 2) for name, found in values.items()}


def examples(recordings: Sequence[Recording], count: int = 3) -> list[Example]:
    """One chain of causation of each drive, of few drives up to ``count``; no two the same.

    Of the most telling events first; only such as the simulator's truth bears out.
    """
    count = max(count, len(recordings))
    found_of = [notable_words(r, count, WordTruth(r).holds) for r in recordings]
    out: list[Example] = []
    seen: set[tuple[str, ...]] = set()
    for rank in range(count):
        for recording, found in zip(recordings, found_of, strict=True):
            if rank >= len(found) or len(out) == count:
                continue
            words = found[rank]
            parts = tuple(getattr(words, name) for name in metrics.PARTS)
            if parts not in seen:
                seen.add(parts)
                start_ns = recording.times_ns[0] if recording.times_ns else words.t0_ns
                time_s = round((words.t0_ns - start_ns) / 1e9, 1)
                said = dict(zip(metrics.PARTS, parts, strict=True))
                said['counterfactual'] = words.counterfactual
                out.append(Example(scenario=recording.info.scenario, time_s=time_s, **said))
    return out


def model(recordings: Sequence[Recording]) -> Model:
    """Who planned, as the planner's own messages name it."""
    for recording in recordings:
        for c in recording.all(events.Candidates):
            if c.profile:
                return Model(profile=c.profile, runtime=c.runtime, manifest_hash=c.manifest_hash)
    return Model(profile='', runtime='', manifest_hash='')
