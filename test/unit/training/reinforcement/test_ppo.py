"""Advantages, the clipped loss and the distance to a reference, by hand."""

import math

import pytest
import torch

from alpamayo_ros.training.reinforcement.ppo import (
    advantages,
    categorical_kl,
    clipped,
    outside,
    weighted,
)


def test_an_answer_is_better_by_what_the_others_have_less() -> None:
    found = advantages(torch.tensor([[1.0, 2.0, 6.0], [0.0, 0.0, 0.0]]))
    plain = torch.tensor([1.0 - 4.0, 2.0 - 3.5, 6.0 - 1.5])  # against the mean of the other two
    spread = math.sqrt(float(plain.square().sum()) / 6)
    assert torch.allclose(found[0], plain / spread) and not found[1].any()


def test_equal_answers_teach_nothing() -> None:
    assert not advantages(torch.full((4, 3), 7.0)).any()


def test_the_clipped_loss_by_hand() -> None:
    before = torch.zeros(4)
    now = torch.log(torch.tensor([1.5, 1.5, 0.5, 0.5]))
    worth = torch.tensor([2.0, -2.0, 2.0, -2.0])
    # good and likelier: 1.2 * 2; bad and likelier: 1.5 * -2; good and rarer: 0.5 * 2; 0.8 * -2
    wanted = -(2.4 - 3.0 + 1.0 - 1.6) / 4
    assert float(clipped(now, before, worth, 0.2)) == pytest.approx(wanted)
    counts = torch.tensor([1.0, 0.0, 1.0, 0.0])
    assert float(clipped(now, before, worth, 0.2, counts)) == pytest.approx(-(2.4 + 1.0) / 2)
    assert float(outside(now, before, 0.2)) == 1.0 and float(outside(now, before, 0.6)) == 0.0


def test_the_gradient_ends_where_the_clip_binds() -> None:
    now = torch.log(torch.tensor([1.5, 1.1])).requires_grad_()
    clipped(now, torch.zeros(2), torch.ones(2), 0.2).backward()
    assert now.grad is not None and now.grad[0] == 0 and now.grad[1] < 0


def test_distance_is_that_of_torch_and_0_at_the_start() -> None:
    refused = torch.tensor([False, True, False])
    now, other = (
        torch.tensor(x).masked_fill(refused, -torch.inf).log_softmax(-1)
        for x in ([0.2, 9.0, 1.0], [1.4, 9.0, -0.3])
    )
    wanted = torch.distributions.kl_divergence(
        torch.distributions.Categorical(logits=now[~refused]),
        torch.distributions.Categorical(logits=other[~refused]),
    )
    assert float(categorical_kl(now, other)) == pytest.approx(float(wanted), rel=1e-5)
    assert float(categorical_kl(now, now)) == 0.0


def test_a_mean_over_nothing_is_0() -> None:
    assert float(weighted(torch.ones(3), torch.zeros(3))) == 0.0
