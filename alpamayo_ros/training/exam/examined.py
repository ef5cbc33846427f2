"""How weights answer the states that a run held out: plans, facts, agreement, by drive.

Truth is the expert's plan and the annotator's text; 95 % intervals are over drives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from alpamayo_ros import metrics
from alpamayo_ros.metrics import FactCounts, Interval
from alpamayo_ros.model.grammar import values
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.exam.held_out import Group
from alpamayo_ros.training.feasibility import inside_limits
from alpamayo_ros.training.reinforcement.answering import Answering
from alpamayo_ros.training.reinforcement.word_table import PAD

HORIZONS_S = (1.0, 3.0, 6.0)
CANDIDATES, BLOCK = 8, 64  # plans a state; states at once
NOBODY = (None, '', 'none')  # values of the slot ``binding`` where no object binds


@dataclass(slots=True)
class Examined:
    """Answers to one drive, a value a state.

    ``ade_m`` of the first candidate by horizon, ``best_m`` and ``mean_m`` of all, over the whole
    plan; ``inside`` is the share of them, as denoised, that exceeds no limit of the car
    (``training/feasibility``); ``facts``: counts by subject, ``agreed`` and ``named`` None where
    nothing can be said.
    """

    name: str
    family: str
    ade_m: dict[str, list[float]] = field(default_factory=dict)
    best_m: list[float] = field(default_factory=list)
    mean_m: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    facts: dict[str, list[FactCounts]] = field(default_factory=dict)
    agreed: list[float | None] = field(default_factory=list)
    named: list[float | None] = field(default_factory=list)


def examined(model: VLA, group: Group, answering: Answering) -> Examined:
    """The answers of a model to the states of one drive."""
    found = Examined(group.name, group.family)
    size = len(group.rows['speed'])
    for number, first in enumerate(range(0, size, BLOCK)):
        b = {name: rows[first : first + BLOCK] for name, rows in group.rows.items()}
        said, plans = answering.answers(model, b, number, CANDIDATES)
        _plans(found, plans.float().cpu().numpy(), b['plan'].cpu().numpy(), model)
        found.inside.extend(_inside(plans.float(), b['speed'], model).tolist())
        _words(found, said, b, plans[:, 0].float().cpu().numpy(), model, answering)
    return found


def _plans(found: Examined, plans: np.ndarray, true: np.ndarray, model: VLA) -> None:
    dt_s = model.profile.trajectory.dt_s
    off = np.linalg.norm((plans - true[:, None])[..., :2], axis=-1)  # (B, K, P)
    for horizon in HORIZONS_S:
        mean = off[:, 0, : round(horizon / dt_s)].mean(1)
        found.ade_m.setdefault(f'{horizon:.0f}', []).extend(map(float, mean))
    whole = off.mean(2)
    found.best_m.extend(map(float, whole.min(1)))
    found.mean_m.extend(map(float, whole.mean(1)))


def _inside(plans: torch.Tensor, speed: torch.Tensor, model: VLA) -> torch.Tensor:
    """(B,) the share of a state's candidates that exceeds no limit."""
    states, each = plans.shape[:2]
    dt_s = model.profile.trajectory.dt_s
    inside = inside_limits(plans.flatten(0, 1), speed.float().repeat_interleave(each), dt_s)
    return inside.float().view(states, each).mean(1)


def _words(
    found: Examined,
    said: Sequence[str],
    b: dict[str, torch.Tensor],
    plans: np.ndarray,
    model: VLA,
    answering: Answering,
) -> None:
    """States without words of the annotator (a hidden cause) say nothing about words."""
    spec, dt_s = answering.grammar.spec, model.profile.trajectory.dt_s
    spoken = (b['coc'][:, 0] != PAD).tolist()
    true = answering.texts(b['coc'])
    for k, text in enumerate(said):
        if not spoken[k]:
            continue
        counts = metrics.facts_by_subject(metrics.coc_facts(text), metrics.coc_facts(true[k]))
        for subject, count in counts.items():
            found.facts.setdefault(subject, []).append(count)
        found.agreed.append(metrics.agreement(text, plans[k], float(b['speed'][k]), dt_s))
        wanted = (values(spec, true[k]) or {}).get('binding')
        told = (values(spec, text) or {}).get('binding')
        found.named.append(None if wanted in NOBODY else float(told == wanted))


def figures(drives: Sequence[Examined]) -> dict[str, Interval | None]:
    """Every figure with its interval over drives; None where no state says anything about it."""
    rows: dict[str, Interval | None] = {
        f'ade_{h}s_m': metrics.mean_ci95({d.name: d.ade_m[h] for d in drives})
        for h in drives[0].ade_m
    }
    rows['min_ade_8_m'] = metrics.mean_ci95({d.name: d.best_m for d in drives})
    rows['mean_ade_8_m'] = metrics.mean_ci95({d.name: d.mean_m for d in drives})
    rows['raw_inside_limits'] = metrics.mean_ci95({d.name: d.inside for d in drives})
    subjects = [s for s in metrics.FACTS if any(s in d.facts for d in drives)]
    rows['facts_f1'] = _f1(drives, subjects)
    rows |= {f'facts_f1_{subject}': _f1(drives, [subject]) for subject in subjects}
    rows['agreement'] = metrics.mean_ci95({d.name: d.agreed for d in drives})
    rows['binding_named'] = metrics.mean_ci95({d.name: d.named for d in drives})
    return rows


def _f1(drives: Sequence[Examined], subjects: Sequence[str]) -> Interval | None:
    return metrics.f1_ci95(
        {d.name: [count for s in subjects for count in d.facts.get(s, [])] for d in drives}
    )


def farther(drives: Sequence[Examined], before: Sequence[Examined]) -> Interval | None:
    """How much farther from the expert than ``before``, state by state, over the whole plan."""
    pairs = zip(drives, before, strict=True)
    horizon = f'{HORIZONS_S[-1]:.0f}'
    return metrics.mean_ci95(
        {a.name: np.subtract(a.ade_m[horizon], b.ade_m[horizon]).tolist() for a, b in pairs}
    )
