"""Rounded layers compute what INT8 arithmetic computes, and learn through the rounding."""

import time
from pathlib import Path

import torch
from stream_toy import Parts
from torch import nn

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.stream.clock import Clock
from alpamayo_ros.training.stream.fake_int8 import (
    Int8Linear,
    in_steps,
    quantise_linear,
    scale_of,
)
from alpamayo_ros.training.stream.ring import Ring
from alpamayo_ros.training.stream.start import Start
from alpamayo_ros.training.stream.together import Together
from alpamayo_ros.training.stream.trainer import Trainer


def layer(width: int = 16, out: int = 8) -> Int8Linear:
    torch.manual_seed(0)
    made = nn.Sequential(nn.Linear(width, out))
    assert quantise_linear(made) == 1
    return made[0]


def test_a_layer_computes_what_integers_do() -> None:
    made, x = layer(), torch.randn(5, 16) * 3
    whole = (x / scale_of(x)).round().to(torch.int32)
    weights = (made.weight / scale_of(made.weight)).round().to(torch.int32)
    assert int(whole.abs().max()) == int(weights.abs().max()) == 127
    sums = torch.einsum('bi,oi->bo', whole, weights).float()
    wanted = sums * scale_of(x) * scale_of(made.weight)[:, 0] + made.bias
    assert torch.allclose(made(x), wanted, atol=1e-5)
    assert not torch.allclose(made(x), nn.functional.linear(x, made.weight, made.bias), atol=1e-4)


def test_a_layer_computes_with_the_same_integers_under_autocast() -> None:
    made, x = layer(), torch.randn(64, 16) * 3
    with torch.no_grad():
        made.bias.zero_()
        wanted = made(x)
        with torch.autocast('cpu', torch.bfloat16):
            found = made(x)
    assert found.dtype == torch.bfloat16
    assert torch.allclose(found.float(), wanted, rtol=2**-7, atol=0)  # sum and product rounded


def test_the_gradient_passes_the_rounding() -> None:
    made, x = layer(3, 2), torch.tensor([[0.3, -1.0, 0.004]], requires_grad=True)
    made(x).sum().backward()
    with torch.no_grad():
        (x_steps, of_x), (weights, of_weights) = in_steps(x), in_steps(made.weight)
    assert x.grad is not None and made.weight.grad is not None
    assert torch.allclose(x.grad, (weights * of_weights).sum(0))
    assert torch.allclose(made.weight.grad, (x_steps * of_x).expand(2, 3))


def test_zeros_and_padding_stay() -> None:
    made = layer(4, 2)
    assert torch.equal(made(torch.zeros(2, 4)), made.bias.expand(2, 2))


def test_tuning_wins_back_what_rounding_costs() -> None:
    """A layer with one large weight a row: rounding ruins the others; tuning finds others."""
    made = layer(6, 1)
    with torch.no_grad():
        made.weight.copy_(torch.tensor([[60.0, 0.2, 0.2, -0.2, 0.2, 0.2]]))
        made.bias.zero_()
    x = torch.randn(512, 6)
    x[:, 0] = 0.02  # as good as constant, so that the large weight can do without
    wanted = nn.functional.linear(x, made.weight, made.bias).detach()
    optimiser, losses = torch.optim.Adam(made.parameters(), 0.5), []
    for _ in range(200):
        loss = (made(x) - wanted).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert min(losses[-20:]) < losses[0] / 3


def test_a_run_trains_rounded_and_publishes_plain_names(
    parts: Parts, model: VLA, ring: Ring, tmp_path: Path
) -> None:
    names = list(model.state_dict())
    settings = parts.settings.model_copy(update={'quantise': 'int8'})
    made = Trainer(Start(model, parts.grammar, settings, Together(), tmp_path, False))
    assert type(made.model.backbone.layers[0].q) is Int8Linear
    made.begin(ring)
    assert made.descend(ring, Clock(settings, 0.0, time.monotonic(), 1e-3), False)
    assert list(made.publish(ring).state_dict()) == names
    VLA(parts.profile).load_state_dict(model.state_dict())
