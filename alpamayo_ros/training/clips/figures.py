"""What can be measured of a clip's annotation: words against truth, words against motion."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from alpamayo_ros import metrics
from alpamayo_ros.metrics.agreement import fits
from alpamayo_ros.model.grammar import GrammarSpec, choices, values
from alpamayo_ros.simulation.drive import facts
from alpamayo_ros.training.annotation import score
from alpamayo_ros.training.annotation.binding import Binding, Cause
from alpamayo_ros.training.annotation.chain import Annotation
from alpamayo_ros.training.clips.clip import SPACING_NS, Note
from alpamayo_ros.training.clips.motion import STEP_S
from alpamayo_ros.training.truth import COLUMN
from alpamayo_ros.units import NS

Figures = dict[str, float | None]
CURVATURES = [index for name, index in COLUMN.items() if name.startswith('curvature')]


def figures(notes: Sequence[Note], instants: int, spec: GrammarSpec | None) -> Figures:
    """All figures of a clip; None where nothing can be judged.

    ``spec``: the grammar of the words, None where they are free.
    """
    worded = [note for note in notes if note.words]
    agreed = [f for note in worded if (f := fitting(note))]
    counts = [c for note in worded if (c := fact_counts(note)) is not None]
    found: Figures = {
        'covered': len(notes) / instants,
        'form_valid': _form(worded, spec),
        'agreement': _mean(sum(f.values()) / len(f) for f in agreed),
        'contradicted': _mean(float(min(f.values()) == 0.0) for f in agreed),
        'facts_f1': metrics.f1(counts),
        'acceleration_mps2': _largest_acceleration(notes),
    }
    return found | _slots(worded, spec)


def path(note: Note) -> Float[np.ndarray, 'P 3']:
    """What the words are about: the plan, else what was driven; empty where it is cut off."""
    rows = (note.plan or note.trajectory)[: facts.HORIZON]
    return np.array(rows if len(rows) == facts.HORIZON else (), float).reshape(-1, 3)


def fitting(note: Note) -> dict[str, float]:
    """How far the path does each thing that the words announce."""
    return fits(note.words, path(note), note.speed_mps, STEP_S)


def fact_counts(note: Note) -> metrics.FactCounts | None:
    """Claims of the words against the truth; None where there is no truth."""
    true = true_facts(note)
    if true is None:
        return None
    return metrics.facts_f1(metrics.coc_facts(note.words), true, note.hidden)


def true_facts(note: Note) -> dict[str, set[str]] | None:
    """The truth by subject, the manoeuvre of the path among it where it is long enough."""
    if note.facts is None:
        return None
    true: dict[str, set[str]] = {name: set(said) for name, said in note.facts.items()}
    done = done_by(note)
    return true if done is None else true | {'manoeuvre': done}


def wrong_facts(note: Note) -> tuple[list[str], list[str]]:
    """What the words claim and is not so, seen or hidden, and what is seen and they leave out."""
    true, said = true_facts(note) or {}, metrics.coc_facts(note.words)
    hidden = note.hidden or {}
    false = [f'{k} {v}' for k in true for v in sorted(said[k] - true[k] - {*hidden.get(k, ())})]
    return false, [f'{k} {v}' for k in true for v in sorted(true[k] - said[k])]


def done_by(note: Note) -> set[str] | None:
    """What the path does, in the words of an intent; None where it is cut off."""
    poses = path(note)
    if not len(poses):
        return None
    steps = np.hypot(*np.diff(poses[:, :2], axis=0, prepend=np.zeros((1, 2))).T) / STEP_S
    speeds = np.concatenate([[note.speed_mps], steps])
    bend = 0.0 if note.dense is None else max(abs(note.dense[k]) for k in CURVATURES)
    poses = np.vstack([np.zeros(3), poses])
    return facts.manoeuvre(poses, speeds, STEP_S, note.instruction, bend)


def _largest_acceleration(notes: Sequence[Note]) -> float | None:
    """Of notes half a second apart, 0.1 s more or less; None where no two of them are."""
    stamps = np.array([note.t0_ns for note in notes], np.int64)
    speeds = np.array([note.speed_mps for note in notes])
    later = np.searchsorted(stamps, stamps + NS // 2 - SPACING_NS // 2)
    first = np.flatnonzero(later < len(stamps))
    later = later[first]
    apart_ns = stamps[later] - stamps[first]
    near = np.abs(apart_ns - NS // 2) <= SPACING_NS
    changes = np.abs(speeds[later] - speeds[first])[near] / (apart_ns[near] / NS)
    return float(changes.max()) if len(changes) else None


def _form(worded: Sequence[Note], spec: GrammarSpec | None) -> float | None:
    if spec is None:
        return None
    return _mean(float(choices(spec, note.words) is not None) for note in worded)


def _slots(worded: Sequence[Note], spec: GrammarSpec | None) -> Figures:
    """F1 of the objects and the share of causes that are named, where the truth has slots."""
    if spec is None or spec.version < 2:
        return {}
    found = score.summary(score.score(said, true) for said, true in _chains(worded, spec))
    return {'objects_f1': found['objects'], 'binding_named': found['binding_named']}


def _chains(
    worded: Sequence[Note], spec: GrammarSpec
) -> Iterator[tuple[dict[str, str], Annotation]]:
    for note in worded:
        said = values(spec, note.words)
        if said is not None and note.values is not None and note.cause is not None:
            yield said, chain_of(note.values, note)


def chain_of(true: Mapping[str, str], note: Note) -> Annotation:
    """The annotator's chain as far as a note keeps it."""
    cause = note.cause
    assert cause is not None
    ids = frozenset({0}) if cause.things else frozenset()
    return Annotation(
        dict(true), Binding(Cause(cause.name, ids), cause.effect_m, cause.hidden), ()
    )


def _mean(numbers: Iterator[float]) -> float | None:
    """None of nothing."""
    found = list(numbers)
    return math.fsum(found) / len(found) if found else None
