"""The kinds of record that enter and leave ``decide``, and whether a value is one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from pydantic import BaseModel

from alpamayo_ros import types
from alpamayo_ros.faults import Code, Fault, Reaction
from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.cost import Weights
from alpamayo_ros.motion.fallback import Stop
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.decision import Health
from alpamayo_ros.safety.scene import Scene
from alpamayo_ros.safety.state import Mode, SafetyState
from alpamayo_ros.sensing.rig import Vehicle

RECORDS: dict[str, Callable[..., Any]] = {
    kind.__name__: kind
    for kind in (
        types.EgoState, types.Proposal, types.TrackedObject, types.Trajectory, Fault, Weights,
        Stop, Plan, PlanConfig, Health, Scene, SafetyState,
    )
}  # fmt: skip
MODELS: dict[str, type[BaseModel]] = {k.__name__: k for k in (ModelProfile, Limits, Vehicle)}
ENUMERATIONS: dict[str, Any] = {'Mode': Mode, 'Code': Code, 'Reaction': Reaction}
PLAIN: dict[str, Any] = {
    'int': (int, np.integer), 'float': (int, float, np.floating), 'str': str,
    'bool': (bool, np.bool_), 'Source': str, 'None': type(None), 'dict': Mapping,
    'Mapping': Mapping, 'Float': np.ndarray, 'Int': np.ndarray,
    **RECORDS, **MODELS, **ENUMERATIONS,
}  # fmt: skip
LARGEST = 2**63  # nanoseconds and counts of messages are below


def misfit(value: Any) -> str:
    """The field of a record that holds no value of its declared type, '' where all do.

    Nobody else checks at run time what a file says.
    """
    for field in fields(value):
        if not _fits(getattr(value, field.name), str(field.type)):
            return f'{type(value).__name__}.{field.name}'
    return ''


def _fits(value: Any, declared: str) -> bool:
    """Whether a value is of a type, written as in the source."""
    if isinstance(value, int) and not -LARGEST <= value < LARGEST:
        return False
    if declared.startswith('tuple['):
        inner = declared.removeprefix('tuple[').partition(',')[0]
        return (value is None and declared.endswith('| None')) or (
            isinstance(value, tuple) and all(_fits(item, inner) for item in value)
        )
    names = [name.strip().partition('[')[0] for name in declared.split(' | ')]
    return any(isinstance(value, PLAIN[name]) for name in names)
