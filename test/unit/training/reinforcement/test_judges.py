"""The discriminator tells agreeing from swapped pairs, the critic learns how drives end."""

import torch

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.reinforcement.judges import (
    Discriminator,
    Judges,
    discriminator_loss,
    swapped,
)

POINTS, STEPS = 4, 80


def pairs(count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Words of four kinds among others that say nothing, plans that do what the kind says."""
    kind = torch.randint(0, 4, (count,))
    tokens = torch.randint(6, 30, (count, 5))
    tokens[:, 2] = 2 + kind
    plan = torch.randn(count, POINTS, 3) * 0.3
    plan[..., 0] += torch.tensor([-1.0, -1.0, 1.0, 1.0])[kind][:, None]
    plan[..., 1] += torch.tensor([-1.0, 1.0, -1.0, 1.0])[kind][:, None]
    return tokens, plan, torch.rand(count) * 10


def test_agreeing_pairs_are_told_from_swapped_ones() -> None:
    torch.manual_seed(0)
    judge = Discriminator(30, 5, POINTS)
    optimiser = torch.optim.Adam(judge.parameters(), 4e-3)
    for _ in range(STEPS):
        loss, _ = discriminator_loss(judge, *pairs(64))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    tokens, plan, speed = pairs(800)
    wrong = (tokens[:, 2] - 1) % 4
    swap = torch.stack([(tokens[:, 2] == 2 + k).nonzero()[0, 0] for k in range(4)])[wrong]
    with torch.no_grad():
        true, false = judge(tokens, plan, speed) > 0, judge(tokens, plan[swap], speed[swap]) > 0
    share = (true.float().mean() + (~false).float().mean()) / 2
    assert share > 0.9, share


def test_swaps_are_near_in_speed_and_never_with_oneself() -> None:
    speed = torch.tensor([9.0, 1.0, 5.0, 2.0, 8.0, 4.0, 3.0, 7.0, 6.0])
    for _ in range(20):
        other = swapped(speed)
        assert sorted(other.tolist()) == list(range(9)) and bool((other != torch.arange(9)).all())
        assert (speed[other] - speed).abs().median() <= 4


def test_pairs_with_equal_words_or_none_do_not_count() -> None:
    judge = Discriminator(30, 5, POINTS)
    tokens, plan, speed = pairs(8)
    loss, right = discriminator_loss(judge, tokens[:1].repeat(8, 1), plan, speed)
    assert loss == 0 and right == 0
    loss, _ = discriminator_loss(judge, torch.zeros_like(tokens), plan, speed)
    assert loss == 0


def test_padding_says_nothing() -> None:
    judge = Discriminator(30, 8, POINTS)
    tokens, plan, speed = pairs(4)
    longer = torch.cat([tokens, torch.zeros(4, 3, dtype=torch.long)], 1)
    assert torch.allclose(judge(tokens, plan, speed), judge(longer, plan, speed), atol=1e-5)


def test_the_critic_learns_how_drives_end(model: VLA) -> None:
    judges = Judges(model, 40)
    torch.manual_seed(0)
    states = torch.randn(64, model.profile.backbone.width)
    ends = (states[:, 0] > 0).float()
    optimiser = torch.optim.Adam(judges.critic.parameters(), 1e-2)
    for _ in range(60):
        loss = (judges.score(states) - ends).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.05
