"""Tables of a report: metrics in groups with their definitions, faults in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from alpamayo_ros.faults import Code
from alpamayo_ros.metrics import Definition
from alpamayo_ros.reports.pages import NOTHING, figure

# Heading of a group and how the names of its metrics begin; what fits nowhere comes last.
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ('Distance to the driven path', ('l2_', 'ade', 'fde', 'min_', 'miss_', 'heading_')),
    (
        'Safety and rules',
        ('collision', 'ttc', 'offroad', 'red_light', 'stop_line', 'speed_', 'wrong_', 'lane_'),
    ),
    ('Plans', ('planned', 'comfort', 'lateral_jerk', 'plan_to_plan')),
    ('Candidates', ('energy', 'spread')),
    ('Words', ('coc_', 'agreement')),
    ('Times', ('input_age', 'plan_age', 'cycle_', 'deadline')),
    ('More', ('',)),
)
SHARE = 'share'
NOT_EVALUABLE = 'not evaluable'
SAME = 0.005  # of the baseline: a difference smaller than this is none


@dataclass(frozen=True, slots=True)
class Row:
    """One metric as it is shown.

    ``adds``: what the model adds to the baseline, in words; ``why``: why a figure of the model or
    of the baseline is not evaluable, '' where it is.
    """

    name: str
    label: str
    model: str
    baseline: str
    adds: str
    colour: str
    n: str
    unit: str
    why: tuple[str, str]
    sentence: str
    source: str

    @property
    def empty(self) -> bool:
        """Whether there is no figure at all."""
        return all(self.why)


@dataclass(frozen=True, slots=True)
class Group:
    """Metrics that belong together; ``rows`` have a figure, ``empty`` ones have none."""

    title: str
    rows: list[Row]
    empty: list[Row]


def grouped(
    metrics: Mapping[str, Mapping[str, Any]], known: Mapping[str, Definition]
) -> list[Group]:
    """Cells of summary.json by group.

    Each has ``model``, ``baseline``, ``n``, ``unit``, ``reason``, ``baseline_reason``; ``known``
    holds the definitions.
    """
    out: list[Group] = []
    left = dict(metrics)
    for title, starts in GROUPS:
        names = [name for name in left if name.startswith(starts)]
        rows = [row(name, left.pop(name), known.get(name)) for name in names]
        if rows:
            out.append(
                Group(title, [r for r in rows if not r.empty], [r for r in rows if r.empty])
            )
    return out


def missing(groups: Iterable[Group]) -> list[tuple[str, list[str]]]:
    """Why figures are not evaluable, and which.

    Those of the model come first, then those of the baseline beside a model that has them.
    """
    rows = [r for group in groups for r in (*group.rows, *group.empty)]
    out: dict[str, list[str]] = {}
    for r in rows:
        if r.why[0]:
            out.setdefault(r.why[0], []).append(r.label)
    for r in rows:
        if r.why[1] and not r.why[0]:
            out.setdefault(f'Of the baseline: {r.why[1]}', []).append(r.label)
    return list(out.items())


def row(name: str, cell: Mapping[str, Any], definition: Definition | None) -> Row:
    """One metric; where there is neither a figure nor a reason it says so."""
    model, baseline = cell.get('model'), cell.get('baseline')
    unit = str(cell.get('unit', definition.unit if definition else ''))
    better = str(cell.get('better', definition.better if definition else ''))
    adds, colour = difference(model, baseline, better, unit)
    return Row(
        name=name,
        label=label(name),
        model=shown(model, unit),
        baseline=shown(baseline, unit),
        adds=adds,
        colour=colour,
        n=figure(cell.get('n')),
        unit=unit,
        why=(_why(model, cell.get('reason')), _why(baseline, cell.get('baseline_reason'))),
        sentence=definition.sentence if definition else '',
        source=definition.source if definition else '',
    )


def _why(value: float | None, reason: str | None) -> str:
    """Why there is no value, as a sentence without its first words."""
    if value is not None:
        return ''
    text = str(reason or '').removeprefix(NOT_EVALUABLE).lstrip(': ')
    return text[:1].upper() + text[1:] if text else 'No reason was given'


def label(name: str) -> str:
    """A name as it is read: underscores are blanks."""
    return name.replace('_', ' ')


def shown(value: float | None, unit: str) -> str:
    """A figure; shares as percent."""
    if value is None:
        return NOTHING
    return f'{100 * value:.1f}\u00a0%' if unit == SHARE else figure(value)


def difference(
    model: float | None, baseline: float | None, better: str, unit: str
) -> tuple[str, str]:
    """What the model adds, and the class of its colour; ('', '') where that is not known."""
    if model is None or baseline is None or not better:
        return '', ''
    change = model - baseline
    if abs(change) <= SAME * abs(baseline):
        return 'the same', ''
    good = (change < 0) == (better == 'lower')
    word = 'better' if good else 'worse'
    points = f'{100 * abs(change):.1f} percentage points'
    return f'{points if unit == SHARE else shown(abs(change), unit)} {word}', word


def faults(counts: Mapping[str, int]) -> list[tuple[str, int, str, str]]:
    """Name, count, sentence and what to do of each fault, the most frequent first."""
    known = {code.name: (code.sentence, code.remedy) for code in Code}
    return [
        (name, count, *known.get(name, ('Not a fault of this version.', '')))
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def flat(facts: Mapping[str, Any], name: str = '') -> list[tuple[str, str]]:
    """Nested facts as lines of name and value; what is empty is left out."""
    out: list[tuple[str, str]] = []
    for key, value in facts.items():
        full = f'{name} {label(key)}'.strip()
        if isinstance(value, Mapping):
            out += flat(value, full)
        elif value not in (None, '', [], {}):
            values = value if isinstance(value, list) else [value]
            out.append((full, ', '.join(map(_plain, values))))
    return out


def _plain(value: Any) -> str:
    """As a person writes it: yes and no."""
    return {True: 'yes', False: 'no'}[value] if isinstance(value, bool) else str(value)
