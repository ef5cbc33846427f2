"""Noise schedules, DDIM and DDPM steps equal diffusers' schedulers."""

from __future__ import annotations

import pytest

torch = pytest.importorskip('torch')
diffusers = pytest.importorskip('diffusers')

from alpamayo_ros.model.diffusion import (  # noqa: E402
    add_noise,
    alpha_bar,
    denoise_step,
    levels,
    sample_steps,
    stochastic_step,
)
from alpamayo_ros.profile import Diffusion  # noqa: E402

LIMIT = 1e-5
KINDS = ['epsilon', 'sample', 'v_prediction']
SCHEDULES = ['squaredcos_cap_v2', 'linear']


def diffusion(kind: str = 'sample', schedule: str = 'squaredcos_cap_v2') -> Diffusion:
    return Diffusion(train_steps=100, sample_steps=10, prediction_type=kind, schedule=schedule)  # type: ignore[arg-type]


def scheduler(name: str, d: Diffusion, **more: object) -> diffusers.SchedulerMixin:
    """diffusers' scheduler on our noise levels, which end at 1e-4 and not at 0."""
    found = getattr(diffusers, name)(
        num_train_timesteps=d.train_steps, prediction_type=d.prediction_type,
        beta_schedule=d.schedule, clip_sample=True, clip_sample_range=6.0, **more,
    )  # fmt: skip
    found.alphas_cumprod = alpha_bar(d)[1:]
    previous = alpha_bar(d)[:-1]
    found.alphas = found.alphas_cumprod / previous
    found.betas = 1 - found.alphas
    return found


def draw(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A noisy plan and a prediction."""
    generator = torch.Generator().manual_seed(seed)
    x, prediction = torch.randn(2, 3, 60, 3, generator=generator)
    return x, prediction


@pytest.mark.parametrize('schedule', SCHEDULES)
def test_the_noise_levels(schedule: str) -> None:
    d = diffusion(schedule=schedule)
    ends = {'beta_start': 1e-3, 'beta_end': 0.2} if schedule == 'linear' else {}
    theirs = diffusers.DDPMScheduler(
        num_train_timesteps=100, beta_schedule=schedule, **ends
    ).alphas_cumprod
    ours = alpha_bar(d)
    assert ours[0] == 1
    torch.testing.assert_close(ours[1:], theirs.clamp(min=1e-4), atol=LIMIT, rtol=0)
    clean, noise = draw(0)
    at = torch.tensor([0, 50, 98])
    level = ours[at + 1]
    expected = scheduler('DDPMScheduler', d).add_noise(clean, noise, at)
    torch.testing.assert_close(add_noise(clean, noise, level), expected, atol=LIMIT, rtol=0)


@pytest.mark.parametrize('schedule', SCHEDULES)
@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('eta', [0.0, 0.3, 1.0])
def test_ddim(kind: str, schedule: str, eta: float) -> None:
    d = diffusion(kind, schedule)
    theirs = scheduler('DDIMScheduler', d)
    theirs.set_timesteps(d.sample_steps)
    noise, power = draw(9)[0], alpha_bar(d)
    for start, stop in sample_steps(d):
        x, prediction = draw(start)
        step = levels(float(power[start]), float(power[stop]))
        expected = theirs.step(
            prediction, start - 1, x, eta=eta, use_clipped_model_output=True, variance_noise=noise
        )
        clean, following = stochastic_step(prediction, x, step, kind, noise, eta)
        torch.testing.assert_close(clean, expected.pred_original_sample, atol=LIMIT, rtol=0)
        torch.testing.assert_close(following, expected.prev_sample, atol=LIMIT, rtol=LIMIT)
        if not eta:
            plain = denoise_step(prediction, x, step, kind)[1]
            torch.testing.assert_close(plain, expected.prev_sample, atol=LIMIT, rtol=LIMIT)


@pytest.mark.parametrize('schedule', SCHEDULES)
@pytest.mark.parametrize('kind', KINDS)
def test_ddpm(kind: str, schedule: str) -> None:
    """DDPM's ancestral step is the stochastic one between neighbouring levels, with eta 1."""
    d = diffusion(kind, schedule)
    theirs, power = scheduler('DDPMScheduler', d), alpha_bar(d)
    for start in (100, 99, 60, 20, 2, 1):
        x, prediction = draw(start)
        step = levels(float(power[start]), float(power[start - 1]))
        expected = theirs.step(
            prediction, start - 1, x, generator=torch.Generator().manual_seed(start)
        )
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(start))
        clean, following = stochastic_step(prediction, x, step, kind, noise, 1.0)
        torch.testing.assert_close(clean, expected.pred_original_sample, atol=LIMIT, rtol=0)
        torch.testing.assert_close(following, expected.prev_sample, atol=LIMIT, rtol=LIMIT)
