"""How far a model with one stage in INT8 is from the float model, and what is too far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from alpamayo_ros.runtime.base import Condition, Features
from alpamayo_ros.runtime.recorded import Recorded
from alpamayo_ros.runtime.staged import StagedRuntime

# The solver's five steps leave waypoints 0.085 m from the solution in the mean and 0.33 m in 95 %
# (docs/speed.md): what is driven already.  A cosine of 0.99 is an error of 14 % of the output's
# size; words are asked for again every cycle, and one in twenty may be another.
COSINE, MEAN_M, END_M, WORDS = 0.99, 0.085, 0.33, 0.95
SCORE = 0.02  # loss of the mean scene score, paired; as for facts in regression_suite.py


@dataclass(frozen=True, slots=True)
class Known:
    """A recorded cycle with what the float model's stages made of it."""

    cycle: Recorded
    features: Features
    condition: Condition
    words: tuple[int, ...]
    plans: Float[np.ndarray, 'K P 3']


@dataclass(frozen=True, slots=True)
class Parity:
    """Beside the float model: cosine of the stage's output; of whole cycles the metres and words.

    ``mean_m``: of all waypoints of all candidates from those of the float model with the same
    noise; ``end_m``: of their end points, 95 %.  ``words``: share of the tokens that are the same.
    """

    cosine: float
    mean_m: float
    end_m: float
    words: float

    def misses(self) -> list[str]:
        """What is beyond its bar, each with figure and bar."""
        found = (
            (self.cosine >= COSINE, f'cosine {self.cosine:.4f}, at least {COSINE}'),
            (self.mean_m <= MEAN_M, f'waypoints {self.mean_m:.3f} m apart, at most {MEAN_M}'),
            (self.end_m <= END_M, f'end points {self.end_m:.3f} m apart (95 %), at most {END_M}'),
            (self.words >= WORDS, f'words {self.words:.3f} the same, at least {WORDS}'),
        )
        return [text for good, text in found if not good]


def known(runtime: StagedRuntime, cycles: Iterable[Recorded]) -> list[Known]:
    """What the float model makes of the cycles."""
    found = []
    for cycle in cycles:
        features = runtime.encode(cycle.frames)
        said = runtime.reason(features, cycle.given)
        plans = runtime.denoise(said.condition, cycle.noise)
        found.append(Known(cycle, features, said.condition, said.token_ids, plans))
    return found


def output(runtime: StagedRuntime, stage: str, one: Known) -> NDArray[np.float32]:
    """One stage on what the float model's stages before it made."""
    if stage == 'encoder':
        frames = one.cycle.frames
        return runtime.stages.encode(frames.images[0], frames.valid[0])
    if stage == 'backbone':
        return runtime.say(one.features, one.cycle.given, one.words).condition.hidden
    return runtime.denoise(one.condition, one.cycle.noise)


def likeness(
    runtime: StagedRuntime, reference: StagedRuntime, stage: str, cycles: Sequence[Known]
) -> tuple[float, float]:
    """Cosine of a stage's outputs over all cycles, and the error by the size of the reference's.

    Of plans what they add to going straight on at the speed of now, in which all are alike.  A
    cosine does not see an output that is too small in all; the error does.
    """
    product = own = wanted = error = 0.0
    dt_s = reference.profile.trajectory.dt_s
    for one in cycles:
        a, b = (output(r, stage, one).astype(np.float64) for r in (runtime, reference))
        if stage == 'denoiser':
            straight = one.cycle.given.ego.speed_mps[0] * dt_s * np.arange(1, a.shape[1] + 1)
            a[..., 0] -= straight
            b[..., 0] -= straight
        product, error = product + float(np.vdot(a, b)), error + float(np.square(a - b).sum())
        own, wanted = own + float(np.vdot(a, a)), wanted + float(np.vdot(b, b))
    if own * wanted <= 0:
        return 0.0, float('inf')
    return product / float(np.sqrt(own * wanted)), float(np.sqrt(error / wanted))


def compare(
    runtime: StagedRuntime, reference: StagedRuntime, stage: str, cycles: Sequence[Known]
) -> Parity:
    """``runtime``, whose ``stage`` is in INT8, beside ``reference`` on cycles that it made."""
    apart, same, words = list[NDArray[np.float32]](), 0, 0
    for one in cycles:
        said = runtime.reason(runtime.encode(one.cycle.frames), one.cycle.given)
        plans = runtime.denoise(said.condition, one.cycle.noise)
        apart.append(np.hypot(*np.moveaxis(plans - one.plans, -1, 0)[:2]))
        same += sum(a == b for a, b in zip(said.token_ids, one.words, strict=False))
        words += max(len(said.token_ids), len(one.words))
    far = np.concatenate(apart)
    end_m = float(np.quantile(far[:, -1], 0.95))
    found, _ = likeness(runtime, reference, stage, cycles)
    return Parity(found, float(far.mean()), end_m, same / max(words, 1))
