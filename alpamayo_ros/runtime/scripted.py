"""A scripted runtime: a TEST DOUBLE, not a driver.

It looks at no pixel and follows a fixed recipe.

Candidate k drives on at the present speed on an arc of constant curvature, one of K gentle ones
around straight; its text says that it is a script.  ``Script`` injects the runtime faults of
docs/faults.md, rows F33 to F37.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Condition, Features, Identity
from alpamayo_ros.runtime.text import bounded_text, bounded_tokens
from alpamayo_ros.types import Conditioning, FrameStack, Reasoning

TEXT = (
    'perception: this is a script, no image is looked at\n'
    'situation: scripted test double\n'
    'rationale: nothing is known about the road\n'
    'intent: keep speed and drive straight on'
)
SPREAD_1PM = 0.002  # curvature of the outermost candidates: 3.6 m aside after 60 m


@dataclass(frozen=True, slots=True)
class Script:
    """What goes wrong in which cycle; -1 means never.

    Cycles are counted from 0 since the start of the process.  ``raise_from``..``raise_until``:
    cycles that raise.  ``sleep_s`` in every cycle from ``sleep_from``.  ``hang_at``: sleeps for
    ever.  ``exit_at``: the process dies.  ``nan_candidates``: how many of K are NaN.
    ``runaway_tokens``: length of a text with control characters.  ``curvature_1pm``: added to all
    candidates.  ``stop``: brake to standstill at 1.5 m/s2 instead of driving on.  ``speed_mps``:
    reach this speed at 1 m/s2 (negative: keep the present one), so that a car at rest drives off.
    """

    raise_from: int = -1
    raise_until: int = 1 << 62
    sleep_s: float = 0.0
    sleep_from: int = 0
    hang_at: int = -1
    exit_at: int = -1
    nan_candidates: int = 0
    runaway_tokens: int = 0
    curvature_1pm: float = 0.0
    stop: bool = False
    speed_mps: float = -1.0


class ScriptedRuntime:
    """Runtime protocol without a model; labelled ``scripted`` wherever its identity shows."""

    def __init__(self, profile: ModelProfile, script: Script | None = None) -> None:
        self.profile = profile
        self.script = script or Script()
        self.cycle = 0

    @property
    def identity(self) -> Identity:
        """Kind ``scripted``, no manifest."""
        return Identity('scripted', self.profile.name)

    def encode(self, frames: FrameStack) -> Features:
        """Empty features; pixels are not looked at."""
        self._misbehave()
        return Features(
            np.zeros((len(frames.images), 1, 1), np.float32), frames.age_s, frames.valid
        )

    def _misbehave(self) -> None:
        script, cycle = self.script, self.cycle
        self.cycle += 1
        if cycle == script.exit_at:
            raise SystemExit(3)
        if cycle == script.hang_at:
            while True:
                time.sleep(3600.0)
        if script.sleep_s > 0.0 and cycle >= script.sleep_from:
            time.sleep(script.sleep_s)
        if 0 <= script.raise_from <= cycle < script.raise_until:
            raise RuntimeError(f'scripted failure in cycle {cycle}')

    def reason(self, features: Features, given: Conditioning) -> Reasoning:
        """The fixed text; the condition carries what was given."""
        n = self.script.runaway_tokens
        text, cut = bounded_text('\x1b[31m\0 go ' * n if n else TEXT)
        ids, cut_ids = bounded_tokens(tuple(range(n)) if n else ())
        condition = Condition(np.zeros((1, 1), np.float32), given)
        return Reasoning(text, ids, condition, cut or cut_ids)

    def denoise(
        self, condition: Condition, noise: Float[np.ndarray, 'K P 3']
    ) -> Float[np.ndarray, 'K P 3']:
        """Arcs at the present speed; ``noise`` gives only the number of candidates and points."""
        k, points, _ = noise.shape
        t = (np.arange(points) + 1.0) * self.profile.trajectory.dt_s
        v = max(float(condition.given.ego.speed_mps[0]), 0.0)
        brake_s = np.minimum(t, v / 1.5)
        s = v * brake_s - 0.75 * brake_s**2 if self.script.stop else self._drive(v, t)
        bend = self.script.curvature_1pm + np.linspace(-SPREAD_1PM, SPREAD_1PM, k)[:, None]
        heading = bend * s
        half = np.sinc(heading / (2 * np.pi)) * s  # chord; exact, and finite where straight
        x, y = half * np.cos(heading / 2), half * np.sin(heading / 2)
        plans = np.stack([x, y, heading], -1).astype(np.float32)
        plans[: self.script.nan_candidates] = np.nan
        return plans

    def _drive(self, v: float, t: np.ndarray) -> np.ndarray:
        """Distance [m] driven after ``t`` [s] from speed ``v``."""
        wanted = v if self.script.speed_mps < 0 else self.script.speed_mps
        turn = np.minimum(t, abs(wanted - v))
        return np.asarray(v * turn + np.sign(wanted - v) * turn**2 / 2 + wanted * (t - turn))

    def reset(self) -> None:
        """Nothing is cached."""

    def warm_up(self) -> None:
        """Nothing to warm."""

    def close(self) -> None:
        """Nothing to free."""
