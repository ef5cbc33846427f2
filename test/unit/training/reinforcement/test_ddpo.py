"""A plan as a walk: likelihoods and distances are those of torch's own Gaussians."""

import copy

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from alpamayo_ros.model.diffusion import denoise_step
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.reinforcement.ddpo import Asked, Steps, log_likelihood
from alpamayo_ros.training.reinforcement.rollout import asked
from alpamayo_ros.training.reinforcement.speech import Seen, hidden_states, say
from alpamayo_ros.training.reinforcement.word_table import WordTable

COUNT = 4


@pytest.fixture
def question(model: VLA, table: WordTable, seen: Seen) -> Asked:
    """What the denoiser is asked after some words."""
    with torch.no_grad():
        said = say(model.eval(), table, seen)
        return asked(model, seen, hidden_states(model, seen, said.tokens), said.tokens)


def gaussians(steps: Steps, means: torch.Tensor) -> Independent:
    amplitudes = means.new_tensor(steps.amplitudes[:-1])[None, :, None, None]
    return Independent(Normal(means, amplitudes.expand_as(means)), 2)


def test_likelihoods_of_a_walk_are_those_of_its_gaussians(model: VLA, question: Asked) -> None:
    steps = Steps(model, COUNT)
    walk = steps.walk(question, torch.Generator().manual_seed(1))
    assert walk.points.shape[1] == COUNT + 1 and walk.likelihood.shape == (3, COUNT - 1)
    means = steps.means(question, walk.points)
    wanted = gaussians(steps, means).log_prob(walk.points[:, 1:-1])
    assert torch.allclose(steps.likelihood(walk.points, means), wanted, rtol=1e-5)
    assert torch.allclose(walk.likelihood, wanted, rtol=1e-4)


def test_the_noise_of_a_walk_is_of_the_size_that_its_likelihood_says(
    model: VLA, question: Asked
) -> None:
    steps = Steps(model, COUNT)
    walk = steps.walk(question, torch.Generator().manual_seed(1))
    off = (walk.points[:, 1:-1] - steps.means(question, walk.points)).detach()
    for k, amplitude in enumerate(steps.amplitudes[:-1]):
        assert float(off[:, k].std()) == pytest.approx(amplitude, rel=0.15)
    assert steps.amplitudes[-1] == 0.0


def test_the_last_step_is_the_plan_as_predicted(model: VLA, question: Asked) -> None:
    steps = Steps(model, COUNT)
    walk = steps.walk(question, torch.Generator().manual_seed(1))
    time = torch.full((3,), steps.pairs[-1][0] / model.profile.diffusion.train_steps)
    hide = ((1 - question.mask) * -1e4)[:, None, None]
    net = model.denoiser
    with torch.no_grad():
        out = net(
            walk.points[:, -2],
            net.condition(time, question.speed),
            net.context(question.hidden),
            hide,
        )
    clean, _ = denoise_step(out, walk.points[:, -2], steps.levels[-1], 'sample')
    assert torch.allclose(walk.points[:, -1], clean, atol=1e-5)


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


def test_likelihood_of_one_number_by_hand() -> None:
    found = log_likelihood(torch.tensor([[3.0]]), torch.tensor([[1.0]]), 2.0)
    assert float(found) == pytest.approx(-0.5 - 0.6931472 - 0.9189385)
