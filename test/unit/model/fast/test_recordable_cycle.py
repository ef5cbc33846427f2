"""A cycle can be recorded as a CUDA graph: shown without a GPU, by what breaks on one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

torch = pytest.importorskip('torch', reason='the training extra (torch) is not installed')

from support.fast.host_graph import HostGraph  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from alpamayo_ros.budget import cycle as paper  # noqa: E402
from alpamayo_ros.model.fast.cycle import Cycle, Passes  # noqa: E402
from alpamayo_ros.model.fast.made_up import MadeUpDrive, drawn  # noqa: E402
from alpamayo_ros.model.tiny import tiny  # noqa: E402
from alpamayo_ros.model.vla import VLA  # noqa: E402
from alpamayo_ros.profile import ModelProfile, load_profile  # noqa: E402

MEMBERS = ['alpamayo-0.5b', 'alpamayo-3b', 'alpamayo-7b', 'alpamayo-1.5-10b']
WORDS, WAY = 4, Passes(3, 2)


def recorded(run: Callable[[], object]) -> HostGraph:
    with torch.no_grad(), HostGraph() as graph:
        run()
    return graph


def few_steps(name: str) -> ModelProfile:
    """Tiny, and two steps of denoising."""
    profile = tiny(load_profile(name))
    diffusion = profile.diffusion.model_copy(update={'sample_steps': 2})
    return profile.model_copy(update={'diffusion': diffusion})


@pytest.mark.parametrize('name', ['alpamayo-0.5b', 'alpamayo-1.5-10b'])
def test_a_recording_serves_the_cycles_that_follow(name: str) -> None:
    """Replayed without its Python, it gives what a later cycle gives: nothing was baked in."""
    torch.set_num_threads(1)
    cycle = Cycle(drawn(few_steps(name), 'cpu', torch.float32), WORDS, [WAY])
    drive = MadeUpDrive(cycle)
    drive.fill()
    graph = recorded(cycle.whole[0])
    for _ in range(2):
        drive.next()
        cycle.host.noise.normal_()
        cycle.host.speed_mps.add_(1.0)
        cycle.host.draft.random_(0, 900)
    expected = cycle.run()
    state = [x.clone() for x in (cycle.scene.hidden, cycle.language.keys)]
    cycle.plans.zero_()
    cycle.words.ids.zero_()
    graph.replay()
    assert torch.equal(cycle.plans, expected.plans)
    assert torch.equal(cycle.words.ids[:WORDS], expected.ids)
    assert torch.equal(cycle.scene.hidden, state[0])
    assert torch.equal(cycle.language.keys, state[1])
    again = recorded(cycle.whole[0])
    assert again.signatures() == graph.signatures(), 'a kernel or a shape depends on numbers'
    assert again.external() == graph.external(), 'memory of the host, new in every cycle'


def short(name: str) -> ModelProfile:
    """Real widths and lengths, two layers, two steps."""
    real, two = load_profile(name), {'layers': 2}
    parts = {'vision': two, 'backbone': two, 'denoiser': two, 'diffusion': {'sample_steps': 2}}
    copies = {part: getattr(real, part).model_copy(update=new) for part, new in parts.items()}
    return real.model_copy(update=copies)


@pytest.mark.parametrize('name', MEMBERS)
def test_real_sizes_stay_on_the_device_and_cost_what_the_budget_says(name: str) -> None:
    """On torch's meta device, which has no numbers that a host could ask for."""
    profile = short(name)
    with torch.device('meta'):
        model = VLA(profile)
    cycle = Cycle(model, paper.WORDS, [Passes(16, 1)])
    passes = {d.name: d for d in paper.DECODINGS}
    stages = {stage.name: stage.flops for stage in paper.stages(profile)}
    stages['drafted'] = paper.pass_of(profile, passes['drafts 16']).flops
    runs = {name: getattr(cycle, name) for name in ('encode', 'prefill', 'denoise')}
    for stage, run in {**runs, 'drafted': cycle.drafted[0]}.items():
        with FlopCounterMode(display=False) as counter:
            graph = recorded(run)
        assert {x.device.type for one in graph.operations for x in one.tensors()} == {'meta'}
        assert counter.get_total_flops() == pytest.approx(stages[stage], rel=0.02), stage


def asks(x: torch.Tensor) -> object:
    return x.sum().item()


def branches(x: torch.Tensor) -> object:
    return x * 2 if bool(x[0] > 0) else x


def selects(x: torch.Tensor) -> object:
    return x[x > 0]


@pytest.mark.parametrize('wrong', [asks, branches, selects])
def test_what_waits_for_the_device_is_noticed(wrong: Callable[[torch.Tensor], object]) -> None:
    x = torch.ones(3)
    with pytest.raises(AssertionError, match='the host would wait for the device'):
        recorded(lambda: wrong(x))


def test_what_comes_from_the_host_is_noticed() -> None:
    """A list that becomes a tensor in every cycle; memory of the host; a number, baked in."""
    x, host = torch.ones(3), [1.0]
    with pytest.raises(AssertionError, match='lift_fresh'):
        recorded(lambda: x.mul_(torch.tensor(host * 3)))
    outside = [torch.ones(3), torch.ones(3)]
    first, second = (recorded(partial(x.mul_, y)) for y in outside)
    assert first.external() != second.external()
    baked = recorded(lambda: x.fill_(host[0]))
    host[0] = 2.0
    baked.replay()
    assert float(x[0]) == 1.0
    meta = torch.ones(3, device='meta')
    with pytest.raises(AssertionError, match='between cpu and meta'):
        recorded(lambda: meta.copy_(x))
