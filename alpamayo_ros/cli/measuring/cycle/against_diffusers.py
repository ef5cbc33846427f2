"""Eight candidates beside diffusers' loop with the same solver over the same denoiser in torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import diffusers
import numpy as np
import torch
from numpy.typing import NDArray

from alpamayo_ros.cli.measuring.cycle.parts import Parts
from alpamayo_ros.cli.measuring.cycle.timing import Spent, take_turns
from alpamayo_ros.model.diffusion import CLIP, alpha_bar
from alpamayo_ros.model.layout import MASKED
from alpamayo_ros.model.sampler import Step, sampler
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import Diffusion
from alpamayo_ros.runtime.base import Condition
from alpamayo_ros.runtime.recorded import Recorded


@dataclass(frozen=True, slots=True)
class Steps:
    """Times of both, and how far apart their waypoints are at most."""

    ours: Spent
    theirs: Spent
    apart: float


@dataclass(frozen=True, slots=True)
class Start:
    """What both begin with."""

    condition: Condition
    noise: NDArray[np.float32]


class Theirs:
    """diffusers' scheduler with our noise levels, which end at 1e-4 and not at 0."""

    def __init__(self, model: VLA) -> None:
        d = model.profile.diffusion
        self._model, self._steps = model, sampler(d)
        self._scheduler = Scheduler(d)
        self.plans: list[NDArray[np.float32]] = []

    @torch.no_grad()
    def __call__(self, start: Start) -> None:
        """All steps of scheduler and denoiser."""
        net, d = self._model.denoiser, self._model.profile.diffusion
        hidden = torch.from_numpy(start.condition.hidden)[None]
        context, hide = net.context(hidden), torch.zeros(1, 1, 1, hidden.shape[1]) * MASKED
        x = torch.from_numpy(start.noise)
        speed = torch.tensor(start.condition.given.ego.speed_mps[:1]).float()
        speed = speed.repeat_interleave(len(x))
        self._scheduler.begin(self._steps)
        for step in self._steps:
            t = torch.full((len(x),), step.start / d.train_steps)
            out = net(x, net.condition(t, speed), context, hide)
            x = self._scheduler.step(out, step, x)
        self.plans.append(net.to_metres(x, speed).numpy())


class Scheduler:
    """diffusers' scheduler of the profile's solver, on our noise levels and timesteps.

    Its timestep 0 is our 1: ours counts clean data.
    """

    def __init__(self, d: Diffusion) -> None:
        shared = {'num_train_timesteps': d.train_steps, 'prediction_type': d.prediction_type}
        self._second = d.solver == 'dpmpp_2m'
        found: Any = diffusers
        if self._second:
            self._made = found.DPMSolverMultistepScheduler(final_sigmas_type='zero', **shared)
        else:
            clip = {'clip_sample': True, 'clip_sample_range': CLIP}
            self._made = found.DDIMScheduler(**shared, **clip)
        self._made.alphas_cumprod = alpha_bar(d)[1:]

    def begin(self, steps: Sequence[Step]) -> None:
        """Set the timesteps of a sample."""
        if self._second:
            self._made.set_timesteps(timesteps=[step.start - 1 for step in steps])
        else:
            self._made.set_timesteps(len(steps))

    def step(self, prediction: torch.Tensor, step: Step, x: torch.Tensor) -> torch.Tensor:
        """The less noisy sample; after the last step the clean one.

        The solver of second order clips nothing by itself; what is clipped here is a sample.
        """
        if self._second:
            clipped = prediction.clamp(-CLIP, CLIP)
            return torch.as_tensor(self._made.step(clipped, step.start - 1, x).prev_sample)
        found = self._made.step(prediction, step.start - 1, x, use_clipped_model_output=True)
        return torch.as_tensor(found.prev_sample)


def compare(
    parts: Parts, recorded: Sequence[Recorded], each: Callable[[], None] = lambda: None
) -> Steps:
    """Both draw candidates from the noise of every recorded cycle, taking turns."""
    runtime, plans = parts.fast(), []
    starts = []
    for one in recorded:
        said = runtime.reason(runtime.encode(one.frames), one.given)
        starts.append(Start(said.condition, one.noise.astype(np.float32)))

    def ours(start: Start) -> None:
        plans.append(runtime.denoise(start.condition, start.noise))

    theirs = Theirs(parts.model)
    for call in (ours, theirs):
        call(starts[0])
    spent = take_turns(starts[1:], {'ours': ours, 'theirs': theirs}, each)
    pairs = zip(plans, theirs.plans, strict=True)
    apart = max(float(np.abs(a - b).max()) for a, b in pairs)
    return Steps(spent['ours'], spent['theirs'], apart)
