"""Windows in static shapes give what the modules give; patches lie window by window there."""

from __future__ import annotations

import pytest

torch = pytest.importorskip('torch', reason='the training extra (torch) is not installed')

from support.fast.host_graph import HostGraph  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from alpamayo_ros.budget import cycle as paper  # noqa: E402
from alpamayo_ros.model.fast.check import WORDS, agreement  # noqa: E402
from alpamayo_ros.model.fast.cycle import Cycle, Passes  # noqa: E402
from alpamayo_ros.model.fast.made_up import MadeUpDrive, drawn  # noqa: E402
from alpamayo_ros.model.fast.vision import encoder  # noqa: E402
from alpamayo_ros.model.tiny import tiny  # noqa: E402
from alpamayo_ros.model.vla import VLA  # noqa: E402
from alpamayo_ros.model.windowed import windowed  # noqa: E402
from alpamayo_ros.profile import ModelProfile, load_profile  # noqa: E402

WAY = Passes(3, 2)


def member(name: str = 'alpamayo-0.5b') -> ModelProfile:
    found = windowed(load_profile(name))
    assert found is not None
    steps = found.diffusion.model_copy(update={'sample_steps': 2})
    return found.model_copy(update={'diffusion': steps})


def deep() -> ModelProfile:
    """Tiny, but two parts of three layers."""
    small = tiny(member())
    vision = small.vision.model_copy(update={'layers': 6, 'global_layers': 2})
    return small.model_copy(update={'vision': vision})


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@torch.no_grad()
def test_features_are_those_of_the_modules() -> None:
    """Two layers in windows, one over everything, twice; a camera lost."""
    model = drawn(deep(), 'cpu', torch.float32)
    for parameter in model.views.parameters():
        parameter.add_(0.05 * torch.randn(parameter.shape))
    height, width = model.profile.view_size
    assert height % model.profile.vision.patch, 'the last row of patches is padded'
    images = torch.randint(0, 256, (len(model.profile.views), height, width, 3)).byte()
    cameras = torch.ones(len(images))
    cameras[2] = 0.0
    wanted = model.encode_timestep(images[None], cameras[None])[0]
    found = encoder(model)(images, cameras)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)
    model.views.trunk.shape = model.profile.vision.model_copy(
        update={'window': None, 'global_layers': None}
    )
    full = model.encode_timestep(images[None], cameras[None])[0]
    assert not torch.allclose(found, full, atol=0.01), 'windows change little here'


def test_words_and_plans_are_those_of_the_modules() -> None:
    found = agreement(member(), 'cpu', torch.float32)
    assert found.unlike == 0 and found.plans_m < 1e-4 and found.words > WORDS


def test_a_recording_serves_the_cycles_that_follow() -> None:
    cycle = Cycle(drawn(deep(), 'cpu', torch.float32), 4, [WAY])
    drive = MadeUpDrive(cycle)
    drive.fill()
    with torch.no_grad(), HostGraph() as graph:
        cycle.whole[0]()
    drive.next()
    expected = cycle.run()
    cycle.plans.zero_()
    graph.replay()
    assert torch.equal(cycle.plans, expected.plans)


def test_real_sizes_cost_what_the_budget_says() -> None:
    """Eight layers at real widths, on a device without numbers."""
    real = member('alpamayo-7b')
    vision = real.vision.model_copy(update={'layers': 8})
    two = {'layers': 2}
    profile = real.model_copy(
        update={'vision': vision, 'backbone': real.backbone.model_copy(update=two)}
    )
    with torch.device('meta'):
        model = VLA(profile)
    cycle = Cycle(model, paper.WORDS, [Passes(16, 1)])
    encode = paper.stages(profile)[0]
    with torch.no_grad(), FlopCounterMode(display=False) as counter, HostGraph():
        cycle.encode()
    assert counter.get_total_flops() == pytest.approx(encode.flops, rel=0.02)
