"""Is a run worse than an earlier one?  A gate for a user's own CI, by tolerances in the open."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from alpamayo_ros.config_file import read_model
from alpamayo_ros.yaml_file import read_yaml


class Tolerance(BaseModel):
    """How much worse a figure may be.

    The larger of ``relative`` (of the earlier) and ``absolute`` (in the figure's unit).
    """

    model_config = ConfigDict(extra='forbid', frozen=True)
    relative: float = Field(default=0.05, ge=0, allow_inf_nan=False)
    absolute: float = Field(default=0.0, ge=0, allow_inf_nan=False)


# The same bag with the same model gives the same figures on one machine; other processors round
# differently, and then a candidate may win that did not before.
DEFAULT = Tolerance(relative=0.05, absolute=0.02)
OF_THE_MACHINE = 'cycle_ms'  # judged only where a person gives a tolerance for it
BUILT_IN: dict[str, Tolerance] = {
    'planned_share': Tolerance(relative=0.0, absolute=0.02),
    'miss_rate_k_2m': Tolerance(relative=0.0, absolute=0.05),
    'collision_up_to_1s': Tolerance(relative=0.0, absolute=0.0),
    'collision_up_to_2s': Tolerance(relative=0.0, absolute=0.0),
    'collision_up_to_3s': Tolerance(relative=0.0, absolute=0.01),
}


@dataclass(frozen=True, slots=True)
class Reference:
    """An earlier summary with the tolerances that hold against it."""

    summary: Mapping[str, Any]
    tolerances: Mapping[str, Tolerance] = field(default_factory=lambda: BUILT_IN)


@dataclass(frozen=True, slots=True)
class Worse:
    """One figure that is worse than allowed; ``now`` None: it can no longer be evaluated."""

    name: str
    before: float | None
    now: float | None
    allowed: float | None
    sentence: str


def read(path: Path, tolerances: Path | None = None) -> Reference:
    """An earlier summary.json; FileNotFoundError or ValueError says what is wrong with it.

    ``tolerances``: a YAML file, metric -> {relative, absolute}; it goes before the built-in ones.
    """
    if not path.is_file():
        raise FileNotFoundError(f'--against {path}: no such file; expected summary.json of a run')
    try:
        summary = json.loads(path.read_text(encoding='utf-8'))
    except (ValueError, RecursionError) as error:
        raise ValueError(f'--against {path}: no JSON: {error}') from error
    if not isinstance(summary, dict) or not isinstance(summary.get('metrics'), dict):
        raise ValueError(f'--against {path}: expected summary.json of alpamayo replay')
    own: dict[str, Tolerance] = {}
    if tolerances is not None:
        found = read_yaml(tolerances) or {}
        if not isinstance(found, dict):
            raise ValueError(f'--tolerances {tolerances}: expected METRIC: with keys and values')
        own = {str(name): read_model(tolerances, Tolerance, (name,)) for name in found}
        unknown = sorted(own.keys() - summary['metrics'].keys())
        if unknown:
            raise ValueError(f'--tolerances {tolerances}: no metric {", ".join(unknown)}')
    return Reference(summary, BUILT_IN | own)


def compare(reference: Reference, now: Mapping[str, Any]) -> list[Worse]:
    """Everything that is worse than allowed: figures, cells that went empty, the bag itself.

    A figure without a better direction is not judged, nor is one that the earlier run lacked.
    """
    before = reference.summary
    out: list[Worse] = []
    bags = [run['identity']['bag']['sha256'] for run in (before, now)]
    if bags[0] != bags[1]:
        text = f'the bags differ: {bags[0][:12] or "unknown"} before, {bags[1][:12] or "unknown"}'
        out.append(Worse('bag', None, None, None, text))
    if before['complete'] and not now['complete']:
        out.append(Worse('complete', 1.0, 0.0, 1.0, 'the earlier run was complete'))
    for name, cell in before['metrics'].items():
        found = _judge(name, cell, now['metrics'].get(name), reference.tolerances)
        out += [found] if found else []
    return out


def _judge(
    name: str,
    before: Mapping[str, Any],
    now: Mapping[str, Any] | None,
    tolerances: Mapping[str, Tolerance],
) -> Worse | None:
    old, better = before.get('model'), before.get('better')
    timed = name.startswith(OF_THE_MACHINE) and name not in tolerances
    if old is None or not better or timed:
        return None
    new = None if now is None else now.get('model')
    if new is None:
        reason = 'no longer there' if now is None else now.get('reason', 'not evaluable')
        return Worse(name, old, None, None, f'{name} was {old:g}; now: {reason}')
    tolerance = tolerances.get(name, DEFAULT)
    room = max(tolerance.relative * abs(old), tolerance.absolute)
    allowed = old + room if better == 'lower' else old - room
    fine = new <= allowed if better == 'lower' else new >= allowed
    if fine:
        return None
    value = f'{new:g} {before.get("unit", "")}'.rstrip()
    text = f'{name} was {old:g}, is {value}; allowed {allowed:g}'
    return Worse(name, old, new, allowed, text)


def words(found: Sequence[Worse], against: Path | None) -> str:
    """What a person reads."""
    if not found:
        return f'Not worse than {against}.'
    lines = '\n  '.join(item.sentence for item in found)
    return f'Worse than {against} in {len(found)}:\n  {lines}'
