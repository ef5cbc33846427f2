"""Planners of other people: ``module:Class``, or a name that an installed package registers.

A package registers one under the entry point group ``alpamayo.planners``.  The class is made with
the profile and has one method, ``plan(frames, given)``, which answers with candidates (K, P, 3) or
one path (P, 3), alone or beside its words.  A class with the calls of ``runtime.base.Runtime`` is
taken as it is; its group is ``alpamayo.runtimes``.  docs/api.md has an example.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Condition, Features, Identity, Runtime
from alpamayo_ros.types import Conditioning, FrameStack, Reasoning

PLANNERS, RUNTIMES = 'alpamayo.planners', 'alpamayo.runtimes'
FORM = 'module:Class'
CALLS = tuple(name for name in vars(Runtime) if not name.startswith('_'))


class PlannerError(Exception):
    """Somebody else's planner raised, or answered something else; the text names it and why."""


def registered() -> dict[str, EntryPoint]:
    """Names that installed packages offer."""
    return {
        point.name: point for group in (RUNTIMES, PLANNERS) for point in entry_points(group=group)
    }


def named(name: str) -> bool:
    """Whether ``name`` means a planner of somebody else."""
    return ':' in name or name in registered()


def absent(name: str) -> Fault | None:
    """What is wrong with a name whose module cannot be found; nothing is imported."""
    module = name.partition(':')[0].partition('.')[0]
    if name in registered() or not module:
        return None  # load says what is wrong with those
    _look_here()
    there = module in sys.modules or find_spec(module) is not None
    return None if there else _no_module(name, module)


def load(name: str, profile: ModelProfile) -> Runtime | Fault:
    """The planner, made; a fault says what could not be found or what it raised."""
    kind = _find(name)
    if isinstance(kind, Fault):
        return kind
    try:
        made = kind(profile)
    except Exception as error:  # noqa: BLE001  (somebody else's code raises what it likes)
        return _fault(f'{name} could not be made: {_said(error)}')
    if isinstance(made, Runtime):
        return made
    if name in registered() and registered()[name].group == RUNTIMES:
        lacks = ', '.join(call for call in CALLS if not hasattr(made, call))
        return _fault(f'{name} is registered under {RUNTIMES} and lacks {lacks}')
    if not callable(getattr(made, 'plan', None)):
        return _fault(f'{name} has no method plan(frames, given), and is no Runtime either')
    return ForeignRuntime(name, made, profile)


def _fault(text: str) -> Fault:
    return Fault(Code.MODEL_PROVIDER, text if text.endswith('?') else f'{text}.')


def _said(error: Exception) -> str:
    """An exception, with the line of code where it was raised."""
    at, last = error.__traceback__, ''
    while at is not None:
        last = f' ({Path(at.tb_frame.f_code.co_filename).name}, line {at.tb_lineno})'
        at = at.tb_next
    return f'{type(error).__name__}: {error}{last}'


def _look_here() -> None:
    """A console script looks for modules beside itself, not where it was typed."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())


def _no_module(name: str, module: str) -> Fault:
    where = 'call from the folder that holds it, install it, or set PYTHONPATH'
    return _fault(f'no runtime {name!r}: no module {module!r} in {os.getcwd()}; {where}')


def _find(name: str) -> Any:
    """The class, or a fault that says which part of the name is wrong."""
    offers = [p for group in (PLANNERS, RUNTIMES) for p in entry_points(group=group, name=name)]
    values = list(dict.fromkeys(point.value for point in offers))
    if len(values) > 1:
        return _fault(f'{name} is offered more than once, as {" and as ".join(values)}; name one')
    text = values[0] if values else name
    module_name, _, kind_name = text.partition(':')
    if not module_name or not kind_name:
        return _fault(f'expected {FORM}, for example my_planner:Follow, got {name!r}')
    _look_here()
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        return _no_module(name, str(error.name))
    except Exception as error:  # noqa: BLE001  (as above)
        return _fault(f'{module_name} could not be imported: {_said(error)}')
    kind = getattr(module, kind_name, None)
    if not callable(kind):
        classes = [name for name in dir(module) if callable(getattr(module, name, None))]
        like = get_close_matches(kind_name, classes, n=1)
        also = f'; did you mean {module_name}:{like[0]}?' if like else ''
        return _fault(
            f'{getattr(module, "__file__", module_name)} holds no class {kind_name}{also}'
        )
    return kind


class ForeignRuntime:
    """``plan`` behind the three calls: it answers in ``reason``, where all inputs are known."""

    def __init__(self, name: str, inner: Any, profile: ModelProfile) -> None:
        self._inner, self.profile, self._name = inner, profile, name
        self._frames: FrameStack | None = None
        self._plans: Float[np.ndarray, 'K P 3'] | None = None
        self.blind = bool(getattr(inner, 'blind', False))
        self._sha256 = _source_hash(type(inner))

    @property
    def identity(self) -> Identity:
        """Its name, and the hash of its source file, so that edited code is another planner."""
        version = str(getattr(self._inner, 'version', ''))
        return Identity(self._name, self.profile.name, self._sha256, version)

    def encode(self, frames: FrameStack) -> Features:
        """Keep the pictures for ``plan``; features of its own are its own affair."""
        self._frames = frames
        return Features(
            np.zeros((len(frames.images), 1, 1), np.float32), frames.age_s, frames.valid
        )

    def reason(self, features: Features, given: Conditioning) -> Reasoning:
        """Ask it; PlannerError with what it raised, or where its answer has another shape."""
        assert self._frames is not None  # ``encode`` comes first
        try:
            answer = self._inner.plan(self._frames, given)
            plans, text = answer if isinstance(answer, tuple) else (answer, '')
            found = np.asarray(plans, np.float32)
        except Exception as error:  # somebody else's code raises what it likes
            raise PlannerError(f'{self._name}.plan: {_said(error)}') from error
        self._plans = self._shaped(found)
        return Reasoning(str(text), (), Condition(np.zeros((1, 1), np.float32), given))

    def _shaped(self, plans: np.ndarray) -> Float[np.ndarray, 'K P 3']:
        many, points = self.profile.candidates, self.profile.trajectory.points
        if plans.shape == (points, 3):
            return np.repeat(plans[None], many, axis=0)
        if plans.shape != (many, points, 3):
            raise PlannerError(
                f'{self._name}.plan: expected ({many}, {points}, 3) or ({points}, 3), x, y [m], '
                f'heading [rad] in base_link at t0; got {plans.shape}'
            )
        return plans

    def denoise(
        self, condition: Condition, noise: Float[np.ndarray, 'K P 3']
    ) -> Float[np.ndarray, 'K P 3']:
        """What it answered; the noise is not used."""
        assert self._plans is not None  # ``reason`` comes first
        return self._plans

    def reset(self) -> None:
        """A new drive; ``reset`` of the planner is called where it has one."""
        self._frames = self._plans = None
        getattr(self._inner, 'reset', lambda: None)()

    def warm_up(self) -> None:
        """Nothing is known that could be asked."""

    def close(self) -> None:
        """``close`` of the planner is called where it has one."""
        getattr(self._inner, 'close', lambda: None)()


def _source_hash(kind: type) -> str:
    """SHA-256 of the file that holds a class; '' where there is none."""
    try:
        return hashlib.sha256(Path(inspect.getfile(kind)).read_bytes()).hexdigest()
    except (OSError, TypeError):
        return ''
