"""From noise to a plan at run time: which timesteps the denoiser is asked at, and what follows.

Every solver is a row of numbers a step, so that torch, ONNX and engines share one step:
next = keep x + clean x0 + before x0', with x0' the clean sample of the step before.
Sources: Song et al. 2021 (DDIM); Lu et al. 2022 (DPM-Solver++, algorithm 2, data prediction).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor

from alpamayo_ros.model.diffusion import CLIP, Scalar, alpha_bar, sample_steps, to_sample
from alpamayo_ros.profile import Diffusion


class Step(NamedTuple):
    """One call of the denoiser at timestep ``start`` with the amplitudes ``signal``, ``noise``."""

    start: int
    signal: float
    noise: float
    keep: float
    clean: float
    before: float

    @property
    def numbers(self) -> tuple[float, float, float, float, float]:
        """What :func:`advance` reads."""
        return self.signal, self.noise, self.keep, self.clean, self.before


def sampler(diffusion: Diffusion, steps: int | None = None) -> tuple[Step, ...]:
    """The steps of the profile's solver, from pure noise to the clean sample."""
    count = steps or diffusion.sample_steps
    second_order = diffusion.solver == 'dpmpp_2m'
    pairs = log_snr_steps(diffusion, count) if second_order else sample_steps(diffusion, count)
    power = alpha_bar(diffusion).double().tolist()
    found: list[Step] = []
    last: float | None = None  # log-SNR of the step before
    for start, stop in pairs:
        signal, noise = math.sqrt(power[start]), math.sqrt(1 - power[start])
        next_signal, next_noise = math.sqrt(power[stop]), math.sqrt(1 - power[stop])
        keep = next_noise / noise
        clean, before, here = next_signal - signal * keep, 0.0, log_snr(power[start])
        if second_order and last is not None and stop:
            back = clean * (log_snr(power[stop]) - here) / (2 * (here - last))
            clean, before = clean + back, -back
        found.append(Step(start, signal, noise, keep, clean, before))
        last = here
    return tuple(found)


def log_snr(power: float) -> float:
    """Half the logarithm of signal power over noise power, lambda of the DPM solvers."""
    return 0.5 * math.log(power / (1 - power))


def log_snr_steps(diffusion: Diffusion, steps: int) -> list[tuple[int, int]]:
    """Pairs (from, to) of timesteps, evenly in log-SNR from ``train_steps`` to 1, then 0."""
    levels = [log_snr(p) for p in alpha_bar(diffusion).double().tolist()[1:]]
    points = [diffusion.train_steps]
    for i in range(1, steps):
        wanted = levels[-1] + (levels[0] - levels[-1]) * i / (steps - 1)
        free = range(steps - i, points[-1])  # so that one is left for each step to come
        points.append(min(free, key=lambda t: abs(levels[t - 1] - wanted)))
    return list(zip(points, [*points[1:], 0], strict=True))


def advance(
    prediction: Tensor, x: Tensor, last: Tensor, numbers: tuple[Scalar, ...] | Tensor, kind: str
) -> tuple[Tensor, Tensor]:
    """The clean sample that the denoiser predicts, and the less noisy one.

    ``last``: the clean sample of the step before, anything in the first.  A clean sample, in
    units of its spread, is kept within 6.
    """
    x0 = to_sample(prediction, x, numbers[0], numbers[1], kind).clamp(-CLIP, CLIP)
    return x0, numbers[2] * x + numbers[3] * x0 + numbers[4] * last
