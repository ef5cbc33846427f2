"""Noise schedules, DDIM, DDPM and DPM-Solver++ steps equal diffusers' schedulers."""

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
from alpamayo_ros.model.sampler import advance, log_snr_steps, sampler  # noqa: E402
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


@pytest.mark.parametrize('schedule', SCHEDULES)
@pytest.mark.parametrize('kind', KINDS)
def test_the_samplers_rows_are_ddims_steps(kind: str, schedule: str) -> None:
    d = diffusion(kind, schedule)
    power = alpha_bar(d)
    x, last = draw(1)
    for step, (start, stop) in zip(sampler(d), sample_steps(d), strict=True):
        prediction = draw(start)[1]
        four = levels(float(power[start]), float(power[stop]))
        expected = denoise_step(prediction, x, four, kind)
        found = advance(prediction, x, last, step.numbers, kind)
        torch.testing.assert_close(found, expected, atol=LIMIT, rtol=LIMIT)
        last, x = found
    torch.testing.assert_close(x, last)  # it ends at the clean sample


@pytest.mark.parametrize('schedule', SCHEDULES)
@pytest.mark.parametrize('kind', ['sample', 'epsilon', 'v_prediction'])
@pytest.mark.parametrize('count', [2, 4, 5, 8])
def test_dpm_solver_of_second_order(kind: str, schedule: str, count: int) -> None:
    d = diffusion(kind, schedule).model_copy(update={'solver': 'dpmpp_2m', 'sample_steps': count})
    theirs = diffusers.DPMSolverMultistepScheduler(
        num_train_timesteps=d.train_steps, prediction_type=kind, final_sigmas_type='zero'
    )
    theirs.alphas_cumprod = alpha_bar(d)[1:]
    steps = sampler(d)
    theirs.set_timesteps(timesteps=[step.start - 1 for step in steps])
    x, last = draw(2)
    expected = x
    for step in steps:
        clean = draw(step.start)[1].clamp(-5.0, 5.0)  # nothing is clipped, which theirs cannot
        prediction = {
            'sample': clean,
            'epsilon': (x - step.signal * clean) / step.noise,
            'v_prediction': (step.signal * x - clean) / step.noise,
        }[kind]
        last, x = advance(prediction, x, last, step.numbers, kind)
        expected = theirs.step(prediction, step.start - 1, expected).prev_sample
        torch.testing.assert_close(x, expected, atol=2e-4, rtol=2e-4)


def test_even_in_log_snr() -> None:
    d = diffusion()
    assert log_snr_steps(d, 5) == [(100, 95), (95, 64), (64, 12), (12, 1), (1, 0)]
    for count in (1, 2, 50, 100):
        pairs = log_snr_steps(d, count)
        assert len(pairs) == count and pairs[0][0] == 100 and pairs[-1][1] == 0
        assert all(a > b for a, b in pairs)


def test_five_of_second_order_are_nearer_to_the_exact_solution_than_ten_of_ddim() -> None:
    """A denoiser that knows its data, a normal distribution per number: the solution is exact."""
    d = diffusion()
    power = alpha_bar(d).double()
    mean, spread = 0.7, 0.3

    def solve(plan: Diffusion) -> torch.Tensor:
        x, last = draw(4)
        x, last = x.double(), last.double()
        for step in sampler(plan):
            a = power[step.start]
            gain = a.sqrt() * spread**2 / (a * spread**2 + 1 - a)
            clean = mean + gain * (x - a.sqrt() * mean)
            last, x = advance(clean, x, last, step.numbers, 'sample')
        return x

    exact = solve(d.model_copy(update={'sample_steps': 100}))
    ten = (solve(d) - exact).abs().mean()
    second = d.model_copy(update={'solver': 'dpmpp_2m', 'sample_steps': 5})
    assert (solve(second) - exact).abs().mean() < 0.7 * ten
