"""Parameters, declared once: type, bounds, unit and a sentence.

Values live in ``config/nodes.param.yaml`` only.

There is no second default in code: a missing or an unknown key, a wrong type, NaN or a value out
of bounds refuses to configure.  ``nodes/common/node.py`` applies this to a node.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

BUILT_IN = ('use_sim_time', 'start_type_description_service')  # declared by rclpy itself


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter.

    ``low`` and ``high`` are inclusive, in ``unit``; ``choices`` closes a text parameter.
    """

    name: str
    kind: type
    unit: str
    text: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """The sentence with its unit, as ``ros2 param describe`` shows it."""
        return f'{self.text} [{self.unit}]' if self.unit else self.text


def problem(param: Param, value: Any) -> str:
    """Why ``value`` does not fit ``param``, or ''."""
    kind = type(value)
    if kind is not param.kind and not (param.kind is float and kind is int):
        return f'{param.name}: expected {param.kind.__name__}, got {kind.__name__} {value!r}'
    if param.choices and value not in param.choices:
        return f'{param.name}: {value!r} is none of {", ".join(param.choices)}'
    if param.kind in (int, float):
        number = float(value)
        inside = math.isfinite(number)
        inside = inside and (param.low is None or number >= param.low)
        inside = inside and (param.high is None or number <= param.high)
        if not inside:
            bounds = f'[{param.low}, {param.high}] {param.unit}'.rstrip()
            return f'{param.name}: {f"{value} {param.unit}".rstrip()} is outside {bounds}'
    return ''


def problems(params: Iterable[Param], values: Mapping[str, Any]) -> list[str]:
    """Every reason to refuse ``values``, missing and unknown keys included."""
    known = {param.name: param for param in params}
    found = [
        f'{name}: missing; add it to config/nodes.param.yaml ({param.description})'
        for name, param in known.items()
        if name not in values
    ]
    for name, value in values.items():
        if name in known:
            found += [text] if (text := problem(known[name], value)) else []
        elif name not in BUILT_IN and not name.startswith('qos_overrides.'):
            found.append(f'{name}: unknown parameter; this node knows {", ".join(sorted(known))}')
    return found
