"""A plan as a walk: likelihoods and distances are those of torch's own Gaussians."""

import copy

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from alpamayo_ros.model.diffusion import denoise_step
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.reinforcement.ddpo import Asked, Steps, Walk, log_likelihood
from alpamayo_ros.training.reinforcement.ppo import advantages, clipped
from alpamayo_ros.training.reinforcement.rollout import asked
from alpamayo_ros.training.reinforcement.speech import Seen, hidden_states, say
from alpamayo_ros.training.reinforcement.word_table import WordTable

COUNT = 4
GROUP, LESSONS = 96, 7


@pytest.fixture
def question(model: VLA, table: WordTable, seen: Seen) -> Asked:
    """What the denoiser is asked after some words."""
    with torch.no_grad():
        said = say(model.eval(), table, seen)
        return asked(model, seen, hidden_states(model, seen, said.tokens), said.tokens)


def gaussians(steps: Steps, means: torch.Tensor) -> Independent:
    amplitudes = means.new_tensor(steps.amplitudes)[None, :, None, None]
    return Independent(Normal(means, amplitudes.expand_as(means)), 2)


def test_likelihoods_of_a_walk_are_those_of_its_gaussians(model: VLA, question: Asked) -> None:
    steps = Steps(model, COUNT)
    walk = steps.walk(question, torch.Generator().manual_seed(1))
    assert walk.points.shape[1] == COUNT + 1 and walk.likelihood.shape == (3, COUNT)
    means = steps.means(question, walk.points)
    wanted = gaussians(steps, means).log_prob(walk.points[:, 1:])
    assert torch.allclose(steps.likelihood(walk.points, means), wanted, rtol=1e-5)
    assert torch.allclose(walk.likelihood, wanted, rtol=1e-4)


def test_the_noise_of_a_walk_is_of_the_size_that_its_likelihood_says(
    model: VLA, question: Asked
) -> None:
    steps = Steps(model, COUNT)
    walk = steps.walk(question, torch.Generator().manual_seed(1))
    off = (walk.points[:, 1:] - steps.means(question, walk.points)).detach()
    for k, amplitude in enumerate(steps.amplitudes):
        assert float(off[:, k].std()) == pytest.approx(amplitude, rel=0.15)


def test_a_walk_ends_next_to_the_plan_as_predicted(model: VLA, question: Asked) -> None:
    steps = Steps(model, COUNT)
    walk = steps.walk(question, torch.Generator().manual_seed(1))
    time = torch.full((3,), steps.pairs[-1][0] / model.profile.diffusion.train_steps)
    hide = ((1 - question.mask) * -1e4)[:, None, None]
    net, last = model.denoiser, walk.points[:, -2]
    with torch.no_grad():
        condition, context = net.condition(time, question.speed), net.context(question.hidden)
        clean, _ = denoise_step(
            net(last, condition, context, hide), last, steps.levels[-1], 'sample'
        )
    assert 0 < steps.amplitudes[-1] < 0.03
    off = walk.points[:, -1] - clean
    assert 0 < float(off.abs().max()) < 0.2 and float(off.std()) < 0.06


def test_the_distance_is_0_at_the_start_and_grows_with_a_step(model: VLA, question: Asked) -> None:
    steps, reference = Steps(model, COUNT), copy.deepcopy(model)
    walk = steps.walk(question, torch.Generator().manual_seed(1))
    theirs = steps.means(question, walk.points, reference).detach()
    ours = steps.means(question, walk.points)
    assert not steps.distance(ours, theirs).any()
    optimiser = torch.optim.SGD(model.denoiser.parameters(), 1e-2)
    (-steps.likelihood(walk.points, ours).mean() / 100).backward()
    optimiser.step()
    ours = steps.means(question, walk.points).detach()
    found = steps.distance(ours, theirs)
    assert bool((found > 0).all())
    wanted = kl_divergence(gaussians(steps, ours), gaussians(steps, theirs))
    assert torch.allclose(found, wanted, rtol=1e-3)


def test_a_walk_of_more_steps_than_levels_allow_is_refused(model: VLA) -> None:
    with pytest.raises(ConfigError, match='rl.steps is 90: .* at most 66'):
        Steps(model, 90)
    assert min(Steps(model, 66).amplitudes) > 0


def test_likelihood_of_one_number_by_hand() -> None:
    found = log_likelihood(torch.tensor([[3.0]]), torch.tensor([[1.0]]), 2.0)
    assert float(found) == pytest.approx(-0.5 - 0.6931472 - 0.9189385)


def test_rewarded_walks_become_likelier(model: VLA, question: Asked) -> None:
    many = Asked(*(part.repeat_interleave(GROUP, 0) for part in question))
    steps = Steps(model, 3)

    def walked(seed: int) -> tuple[Walk, torch.Tensor]:
        walk = steps.walk(many, torch.Generator().manual_seed(seed))
        return walk, -(walk.points[:, -1] - 0.5).square().mean((1, 2))

    before = walked(0)[1].mean()
    optimiser = torch.optim.Adam(model.denoiser.parameters(), 3e-4)
    for seed in range(1, LESSONS):
        walk, reward = walked(seed)
        worth = advantages(reward.reshape(-1, GROUP)).reshape(-1, 1)
        numbers = walk.points[0, 0].numel()
        now = steps.likelihood(walk.points, steps.means(many, walk.points)) / numbers
        loss = clipped(
            now,
            walk.likelihood / numbers,
            worth.expand_as(now),
            0.02,
            steps.weights.expand_as(now),
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    after = walked(0)[1].mean()  # the same noise
    assert after > before + 0.02 * before.abs(), (before, after)
