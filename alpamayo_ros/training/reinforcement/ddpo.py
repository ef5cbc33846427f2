"""A plan as a walk of random steps from noise, each with a likelihood of its own.

With eta = 1 a step of the sampler draws from a Gaussian around what the denoiser predicts, so the
walk is a policy of several decisions (Black et al. 2024, DDPO).  It ends at the least noisy level
instead of the clean plan, for a step that draws nothing would move the plan without being judged.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from alpamayo_ros.model.diffusion import fresh_amplitude, levels, sample_steps, stochastic_step
from alpamayo_ros.model.layout import MASKED
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import Diffusion
from alpamayo_ros.statuses import ConfigError

ETA = 1.0
LAST = 1  # timestep at which a walk ends


class Asked(NamedTuple):
    """What the denoiser is asked about: hidden states (B, S, width), what it sees, speed."""

    hidden: Tensor
    mask: Tensor
    speed: Tensor


class Walk(NamedTuple):
    """Samples (B, K + 1, P, 3) from noise to the plan in network units, and K log-likelihoods."""

    points: Tensor
    likelihood: Tensor


class Steps:
    """The K steps of a walk of a model."""

    def __init__(self, model: VLA, count: int) -> None:
        """ConfigError where a step would add no noise, so that it has no likelihood."""
        diffusion = model.profile.diffusion
        signal = model.alpha_bar.double().tolist()
        self.pairs = _pairs(diffusion, count)
        self.levels = [levels(signal[a], signal[b]) for a, b in self.pairs]
        self.amplitudes = [fresh_amplitude(step, ETA) for step in self.levels]
        if min(self.amplitudes) <= 0:
            fits = (n for n in range(count, 0, -1) if all(a > b for a, b in _pairs(diffusion, n)))
            raise ConfigError(
                f'rl.steps is {count}: a step of so fine a walk adds no noise; '
                f'{diffusion.train_steps} levels of noise allow at most {next(fits, 0)}'
            )
        power = torch.tensor(self.amplitudes, device=model.device).square()
        self.weights = power / power.sum()  # natural gradient: quiet steps are not noise alone
        self._model, self._diffusion = model, diffusion

    def __len__(self) -> int:
        return len(self.pairs)

    def means(self, asked: Asked, points: Tensor, model: VLA | None = None) -> Tensor:
        """(B, K, P, 3) where each step of a walk would lead without its noise.

        ``model``: another one than the walk's own.
        """
        made = _Denoiser(self._model if model is None else model, asked)
        return torch.stack([self._mean(made, points[:, k], k) for k in range(len(self))], 1)

    def _mean(self, made: _Denoiser, x: Tensor, k: int) -> Tensor:
        out = made.ask(x, self.pairs[k][0] / self._diffusion.train_steps)
        silent, kind = torch.zeros_like(x), self._diffusion.prediction_type
        return stochastic_step(out, x, self.levels[k], kind, silent, ETA)[1]

    @torch.no_grad()
    def walk(self, asked: Asked, generator: torch.Generator) -> Walk:
        """Draw a plan for every row of ``asked``."""
        made, profile = _Denoiser(self._model, asked), self._model.profile
        shape = (len(asked.speed), profile.trajectory.points, 3)

        def noise() -> Tensor:
            return torch.randn(shape, generator=generator, device=asked.speed.device)

        points, found = [noise()], []
        for k, amplitude in enumerate(self.amplitudes):
            mean = self._mean(made, points[-1], k)
            points.append(mean + amplitude * noise())
            found.append(log_likelihood(points[-1], mean, amplitude))
        return Walk(torch.stack(points, 1), torch.stack(found, 1))

    def likelihood(self, points: Tensor, means: Tensor) -> Tensor:
        """(B, K) log-likelihood of the steps of a walk around ``means``."""
        found = [
            log_likelihood(points[:, k + 1], means[:, k], amplitude)
            for k, amplitude in enumerate(self.amplitudes)
        ]
        return torch.stack(found, 1)

    def distance(self, means: Tensor, reference: Tensor) -> Tensor:
        """(B, K) KL of each step from the one of a reference with the same amplitude."""
        spread = means.new_tensor(self.amplitudes)
        return (means - reference).square().flatten(2).sum(2) / (2 * spread**2)

    def metres(self, walk: Walk, speed: Tensor) -> Tensor:
        """Plans (B, P, 3) in metres and radians."""
        return self._model.denoiser.to_metres(walk.points[:, -1], speed)


def _pairs(diffusion: Diffusion, count: int) -> list[tuple[int, int]]:
    """Timesteps (from, to) of a walk."""
    return [(a, max(b, LAST)) for a, b in sample_steps(diffusion, count)]


class _Denoiser:
    """Keys and values of a context, computed once for all steps."""

    def __init__(self, model: VLA, asked: Asked) -> None:
        self._net, self._speed = model.denoiser, asked.speed
        self._context = self._net.context(asked.hidden)
        self._hide = ((1.0 - asked.mask) * MASKED)[:, None, None]

    def ask(self, x: Tensor, time: float) -> Tensor:
        """What is predicted of ``x`` at diffusion time 0..1."""
        t = torch.full((len(x),), time, device=x.device)
        return self._net(x, self._net.condition(t, self._speed), self._context, self._hide)


def log_likelihood(x: Tensor, mean: Tensor, amplitude: float) -> Tensor:
    """(B,) log-density of ``x`` (B, ...) under independent Gaussians around ``mean``."""
    off = ((x - mean) / amplitude).square().flatten(1)
    each = math.log(amplitude) + 0.5 * math.log(2 * math.pi)
    return -0.5 * off.sum(1) - each * off.shape[1]
