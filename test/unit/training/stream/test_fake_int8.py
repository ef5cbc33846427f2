"""Rounded layers compute what INT8 arithmetic computes, and learn through the rounding."""

import time
from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from stream_toy import Parts
from torch import nn

from alpamayo_ros.export.int8.graph import quantised
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.stream.clock import Clock
from alpamayo_ros.training.stream.fake_int8 import (
    Int8Linear,
    in_steps,
    quantise_linear,
)
from alpamayo_ros.training.stream.ring import Ring
from alpamayo_ros.training.stream.start import Start
from alpamayo_ros.training.stream.together import Together
from alpamayo_ros.training.stream.trainer import Trainer

WIDE = 64  # narrower ones stay in float


def layer(width: int = WIDE, out: int = WIDE) -> Int8Linear:
    torch.manual_seed(0)
    made = nn.Sequential(nn.Linear(width, out))
    assert quantise_linear(made) == 1
    return made[0]


def wanted_of(made: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """What integers give: 127 codes of the largest input, 63 of each channel's largest weight."""
    step = x.abs().max() / 127
    channel = made.weight.abs().amax(1, keepdim=True) / 63
    whole = (x / step).round().to(torch.int32)
    weights = (made.weight / channel).round().to(torch.int32)
    assert (int(whole.abs().max()), int(weights.abs().max())) == (127, 63)
    return torch.einsum('bni,oi->bno', whole, weights).float() * step * channel[:, 0] + made.bias


def test_a_layer_computes_what_integers_do() -> None:
    made, x = layer(), torch.randn(5, 3, WIDE) * 3
    assert torch.allclose(made(x), wanted_of(made, x), atol=1e-5)
    assert not torch.allclose(made(x), nn.functional.linear(x, made.weight, made.bias), atol=1e-3)


def test_a_layer_computes_what_the_exported_graph_does() -> None:
    """The same matrix and range in a graph, as export writes it."""
    made, x = layer(WIDE, 2 * WIDE), torch.randn(1, 7, WIDE) * 3
    plain = nn.Linear(WIDE, 2 * WIDE)
    plain.load_state_dict(made.state_dict())
    matrix = numpy_helper.from_array(plain.weight.detach().numpy().T.copy(), 'matrix')
    node = helper.make_node('MatMul', ['x', 'matrix'], ['y'])
    given, found = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 7, width])
        for name, width in (('x', WIDE), ('y', 2 * WIDE))
    )
    opset = [helper.make_opsetid('', 21)]
    graph = helper.make_graph([node], 'g', [given], [found], [matrix])
    data = helper.make_model(graph, opset_imports=opset).SerializeToString()
    session = ReferenceEvaluator(
        onnx.load_from_string(quantised(data, {'x': float(x.abs().max())}))
    )
    product = torch.from_numpy(session.run(None, {'x': x.numpy()})[0])
    assert torch.allclose(made(x), product + made.bias, atol=1e-4)


def test_what_export_leaves_in_float_stays_so() -> None:
    kept = nn.Sequential(nn.Linear(WIDE, WIDE - 1), nn.Linear(WIDE - 1, WIDE), nn.Linear(512, 256))
    assert quantise_linear(kept) == 0
    made, x = layer(), torch.randn(5, WIDE)  # one row a sample
    assert torch.equal(made(x), nn.functional.linear(x, made.weight, made.bias))


def test_a_layer_computes_with_the_same_integers_under_autocast() -> None:
    made, x = layer(), torch.randn(2, 32, WIDE) * 3
    with torch.no_grad():
        made.bias.zero_()
        wanted = made(x)
        with torch.autocast('cpu', torch.bfloat16):
            found = made(x)
    assert found.dtype == torch.bfloat16
    assert torch.allclose(found.float(), wanted, rtol=2**-7, atol=0)  # sum and product rounded


def test_the_gradient_passes_the_rounding() -> None:
    made, x = layer(), torch.randn(1, 1, WIDE, requires_grad=True)
    made(x).sum().backward()
    with torch.no_grad():
        x_steps, step = in_steps(x, x.abs().amax(), 127)
        weights, channels = in_steps(made.weight, made.weight.abs().amax(1, keepdim=True), 63)
    assert x.grad is not None and made.weight.grad is not None
    assert torch.allclose(x.grad[0, 0], (weights * channels).sum(0), atol=1e-5)
    assert torch.allclose(made.weight.grad, (x_steps * step)[0].expand(WIDE, WIDE), atol=1e-5)


def test_zeros_and_padding_stay() -> None:
    made = layer()
    assert torch.equal(made(torch.zeros(2, 3, WIDE)), made.bias.expand(2, 3, WIDE))


def test_tuning_wins_back_what_rounding_costs() -> None:
    """Inputs all alike, a large weight a row: roundings add up until other weights make up."""
    made = layer()
    with torch.no_grad():
        made.weight[:, 0] = 3.0
    x = torch.randn(1, 512, 1).expand(1, 512, WIDE)
    wanted = nn.functional.linear(x, made.weight, made.bias).detach()
    optimiser, losses = torch.optim.Adam(made.parameters(), 1e-3), []
    for _ in range(100):
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
