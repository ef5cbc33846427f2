"""A cycle with products in fp8: scales, what is narrowed, how far off it is, that it records."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

torch = pytest.importorskip('torch', reason='the training extra (torch) is not installed')

from support.fast.host_graph import HostGraph  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from alpamayo_ros.budget import cycle as paper  # noqa: E402
from alpamayo_ros.model.fast import eight_bits  # noqa: E402
from alpamayo_ros.model.fast.check_fp8 import Distance, distance  # noqa: E402
from alpamayo_ros.model.fast.cycle import Cycle, Passes  # noqa: E402
from alpamayo_ros.model.fast.eight_bits import LARGEST, MARGIN, EightBits, refusal  # noqa: E402
from alpamayo_ros.model.fast.fp8 import calibrated, narrowable  # noqa: E402
from alpamayo_ros.model.fast.joined import joined  # noqa: E402
from alpamayo_ros.model.fast.made_up import MadeUpDrive, drawn  # noqa: E402
from alpamayo_ros.model.tiny import tiny  # noqa: E402
from alpamayo_ros.model.vla import VLA  # noqa: E402
from alpamayo_ros.profile import ModelProfile, load_profile  # noqa: E402

CONVOLUTIONS, BLOCKS = 'alpamayo-0.5b', 'alpamayo-1.5-10b'
WORDS, WAY = 4, Passes(3, 2)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """And the fp8 product of torch itself: oneDNN compiles one for each shape."""
    torch.set_num_threads(1)
    with torch.backends.mkldnn.flags(enabled=False):
        yield


def one_step(name: str) -> ModelProfile:
    profile = load_profile(name)
    diffusion = profile.diffusion.model_copy(update={'sample_steps': 1})
    return profile.model_copy(update={'diffusion': diffusion})


def made(name: str) -> tuple[Cycle, MadeUpDrive]:
    cycle = Cycle(drawn(tiny(one_step(name)), 'cpu', torch.float32), WORDS, [WAY])
    return cycle, MadeUpDrive(cycle)


def narrowed(inside: int = 64, outside: int = 48, largest: float = 3.0) -> EightBits:
    torch.manual_seed(4)
    weight, bias = torch.randn(outside, inside) / 8, torch.randn(outside)
    return EightBits.of(weight, bias, torch.tensor(largest))


@pytest.mark.parametrize(('dtype', 'limit'), [(torch.float32, 1e-5), (torch.bfloat16, 0.01)])
@pytest.mark.parametrize('shape', [(1,), (16,), (2, 3)])
def test_a_product_is_that_of_what_its_numbers_stand_for(
    shape: tuple[int, ...], dtype: torch.dtype, limit: float
) -> None:
    """Quantised, dequantised and multiplied in single precision; also one row, also two axes."""
    product, x = narrowed(), torch.randn(*shape, 64).to(dtype)
    product = EightBits.of(product.dequantised(), product.bias.to(dtype), torch.tensor(3.0))
    rows = (x * product.inverse).clamp(-448, 448).to(torch.float8_e4m3fn).float()
    wanted = F.linear(rows * product.input_scale, product.dequantised(), product.bias.float())
    found = product(x)
    assert found.dtype == dtype and found.shape == (*shape, 48)
    assert float((found.float() - wanted).norm() / wanted.norm()) < limit


def test_eight_bits_cost_a_few_per_cent() -> None:
    torch.manual_seed(5)
    weight, x = torch.randn(48, 64) / 8, torch.randn(100, 64)
    found, wanted = EightBits.of(weight, None, x.abs().max())(x), x @ weight.T
    assert 0.01 < float((found - wanted).norm() / wanted.norm()) < 0.05


def test_what_is_beyond_is_cut_off_and_nothing_becomes_a_number() -> None:
    """Inputs a hundred times those of calibration, and NaN."""
    eye = EightBits.of(torch.eye(16), None, torch.tensor(2.0))
    x = torch.zeros(3, 16)
    x[0, 0], x[1, 1], x[2, 2] = 200.0, -2.0, torch.nan
    found = eye(x)
    assert float(found[0, 0]) == pytest.approx(2.0 * MARGIN)
    assert float(found[1, 1]) == pytest.approx(-2.0, rel=0.07)
    assert bool(found[2].isnan().all()) and bool(found[:2].isfinite().all())


def test_scales_are_numbers_of_their_own() -> None:
    """On the device, aligned, in memory that nothing else shares: cuBLAS refuses others."""
    product = narrowed()
    scales = [product.weight_scale, product.input_scale, product.inverse]
    assert all(s.dtype == torch.float32 and s.dim() == 0 for s in scales)
    assert all(s.data_ptr() % 16 == 0 and s.untyped_storage().nbytes() <= 16 for s in scales)
    assert len({s.untyped_storage().data_ptr() for s in scales}) == 3
    assert float(product.input_scale) == pytest.approx(MARGIN * 3.0 / LARGEST)
    assert float(product.weight.float().abs().max()) == LARGEST


def test_a_cycle_is_as_near_as_eight_bits_allow() -> None:
    """Of everything that is compared; seen: 0.044, 0.058, 0.063."""
    found = distance(load_profile(BLOCKS), 'cpu', torch.float32)
    assert found.ok, found
    assert found.product < 1e-5 and 0.01 < found.features < 0.06 and 0.01 < found.states < 0.13


def test_scales_that_are_wrong_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A margin that cuts most inputs off; products by themselves are still right."""
    monkeypatch.setattr(eight_bits, 'MARGIN', 0.05)
    found = distance(load_profile(BLOCKS), 'cpu', torch.float32)
    assert not found.ok and found.product < 1e-5 and found.states > 0.3
    assert not Distance(0.0, 0.0, 0.0, torch.nan, 0).ok and not Distance(0.03, 0, 0, 0, 0).ok
    assert Distance(0.0, 0.0, 0.0, 0.0, 9).ok


@pytest.mark.parametrize(('name', 'count'), [(CONVOLUTIONS, 16), (BLOCKS, 29)])
def test_a_recording_serves_the_cycles_that_follow(name: str, count: int) -> None:
    """No host is asked, no scale is a number of Python's; and what is narrowed, once a use."""
    cycle, drive = made(name)
    with calibrated(cycle):
        drive.fill()
        with torch.no_grad(), HostGraph():
            cycle.whole[0]()  # watching, too
    assert sum(p.eight_bits is not None for p in cycle.products) == count
    drive.fill()
    with torch.no_grad(), HostGraph() as graph:
        cycle.whole[0]()
    drive.next()
    cycle.host.noise.normal_()
    expected = cycle.run()
    cycle.plans.zero_()
    graph.replay()
    assert torch.equal(cycle.plans, expected.plans)
    with torch.no_grad(), HostGraph() as again:
        cycle.whole[0]()
    assert again.signatures() == graph.signatures() and again.external() == graph.external()
    uses = sum('_scaled_mm' in str(one.run) for one in graph.operations)
    layers = 4 * cycle.model.profile.backbone.layers
    assert uses == count + layers * WAY.count, 'prefill and every pass'


def test_weights_are_let_go_and_the_rest_stays() -> None:
    cycle, drive = made(BLOCKS)
    with calibrated(cycle):
        drive.fill()
    kept = {name for name, p in cycle.model.named_parameters() if p.numel()}
    assert 'backbone.embed.weight' in kept and 'backbone.head.weight' in kept
    assert 'dit.blocks.0.modulation.weight' in kept and 'cross.blocks.0.mlp.up.weight' in kept
    gone = {'backbone.layers.1.mlp.down.weight', 'views.trunk.blocks.0.attention.kv.weight',
            'dit.blocks.1.cross.kv.weight', 'dit.blocks.0.own.out.weight'}  # fmt: skip
    assert not gone & kept and not narrowable(cycle)
    with pytest.raises(ValueError, match='no product to narrow'), calibrated(cycle):
        pass


def test_a_calibration_that_saw_nothing_changes_nothing() -> None:
    """No cycle, or one that ended in an error: the same plans as before."""
    cycle, drive = made(BLOCKS)
    with pytest.raises(ValueError, match='was 0 in calibration; expected a number above 0'):
        with calibrated(cycle):
            pass
    with pytest.raises(KeyError), calibrated(cycle):
        raise KeyError
    assert all(p.eight_bits is None and p.largest is None for p in cycle.products)
    drive.fill()
    first = cycle.run().plans
    assert torch.equal(cycle.run().plans, first) and bool(first.isfinite().all())


def test_real_sizes_fit_and_stay_on_the_device() -> None:
    """Two layers at real widths, on torch's meta device: as many operations as on paper."""
    real, two = load_profile(BLOCKS), {'layers': 2}
    parts = {'vision': two, 'backbone': two, 'denoiser': two, 'diffusion': {'sample_steps': 1}}
    copies = {part: getattr(real, part).model_copy(update=new) for part, new in parts.items()}
    profile = real.model_copy(update=copies)
    with torch.device('meta'):
        model = VLA(profile)
    cycle = Cycle(model, paper.WORDS, [Passes(16, 1)])
    assert len(narrowable(cycle)) == len(cycle.products) == 29
    for product in cycle.products:
        product.watch(True)
        product.narrow()
    with FlopCounterMode(display=False) as counter, torch.no_grad(), HostGraph() as graph:
        for stage in (cycle.encode, cycle.prefill, cycle.denoise):
            stage()
    wanted = sum(stage.flops for stage in paper.stages(profile))
    assert counter.get_total_flops() == pytest.approx(wanted, rel=0.02)
    assert {x.device.type for one in graph.operations for x in one.tensors()} == {'meta'}


def test_sides_that_are_no_multiple_of_16_stay() -> None:
    cycle, _ = made(CONVOLUTIONS)
    odd = joined(nn.Linear(24, 16))
    cycle.language.products.append(odd)
    assert odd in cycle.products and odd not in narrowable(cycle)


def test_old_gpus_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = torch.device('cuda')
    monkeypatch.setattr(torch.cuda, 'get_device_name', lambda device: 'NVIDIA A100')
    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda device: (8, 0))
    assert refusal(gpu) == (
        'fp8 products want a GPU of compute capability 8.9 or newer (Ada, Hopper, Blackwell); '
        'NVIDIA A100 has 8.0'
    )
    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda device: (8, 9))
    assert refusal(gpu) is None and refusal(torch.device('cpu')) is None
