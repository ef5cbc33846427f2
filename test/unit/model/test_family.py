"""The model family: sizes as published, and every member's architecture learns and samples."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

torch = pytest.importorskip('torch', reason='the training extra (torch) is not installed')

from alpamayo_ros.model.drop_inputs import Rates, drop_inputs  # noqa: E402
from alpamayo_ros.model.narrow import narrow  # noqa: E402
from alpamayo_ros.model.scene_inputs import SceneInputs  # noqa: E402
from alpamayo_ros.model.tiny import tiny  # noqa: E402
from alpamayo_ros.model.trial import TEXT_TOKENS, Samples, learn, made_up, read, seen  # noqa: E402
from alpamayo_ros.model.vla import VLA  # noqa: E402
from alpamayo_ros.profile import load_profile, profile_names  # noqa: E402

MEMBERS = ['alpamayo-0.5b', 'alpamayo-3b', 'alpamayo-7b', 'alpamayo-1.5-10b']
# Trunks without head: Dosovitskiy et al. 2021 at 224 pixels, as timm 1.0 counts them.  Backbones:
# Qwen2.5-0.5B, -3B, -7B and Qwen3-8B as published.  The DiT: 24 blocks of 2048 (see the profile).
TRUNK = {
    'alpamayo-0.5b': 21_665_664, 'alpamayo-3b': 85_798_656, 'alpamayo-7b': 303_301_632,
    'alpamayo-1.5-10b': 630_764_800,
}  # fmt: skip
BACKBONE = {
    'alpamayo-0.5b': 494_032_768, 'alpamayo-3b': 3_085_938_688, 'alpamayo-7b': 7_615_616_512,
    'alpamayo-1.5-10b': 8_190_735_360,
}  # fmt: skip


def parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_every_own_profile_but_nano_is_of_the_family() -> None:
    own = {name for name in profile_names() if not load_profile(name).released}
    assert own == {'nano', *MEMBERS}


@pytest.mark.parametrize('name', MEMBERS)
def test_parts_have_the_published_sizes(name: str) -> None:
    with torch.device('meta'):
        model = VLA(load_profile(name))
    assert parameters(model.views.trunk) == TRUNK[name]
    assert parameters(model.backbone) == BACKBONE[name]
    if name == 'alpamayo-1.5-10b':
        assert parameters(model.denoiser) == pytest.approx(2_328_840_195, rel=0.01)


def test_the_largest_member_reads_4608_visual_tokens_in_a_context_of_32k() -> None:
    profile = load_profile('alpamayo-1.5-10b')
    with torch.device('meta'):
        model = VLA(profile)
    assert int(model.layout.visual().sum()) == 4608
    assert len(model.backbone.cos) == 32768 > model.layout.max_sequence


# At this size 0.5b and 3b are equal, and 7b differs from them in untied embeddings, which 1.5-10b
# has too: half a minute each, so they learn by night.
BY_NIGHT = ('alpamayo-3b', 'alpamayo-7b')
TRIED = [
    pytest.param(name, marks=pytest.mark.nightly) if name in BY_NIGHT else name for name in MEMBERS
]


@pytest.fixture(scope='module', params=TRIED)
def model(request: pytest.FixtureRequest) -> VLA:
    """A tiny member with random weights everywhere, also where training starts from zero."""
    torch.manual_seed(1)
    net = VLA(tiny(load_profile(request.param))).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.05 * torch.randn(parameter.shape)
    return net


@pytest.fixture
def b(model: VLA) -> Samples:
    return made_up(model.profile, torch.Generator().manual_seed(4))


def test_it_learns_and_every_weight_takes_part(model: VLA, b: Samples) -> None:
    """Words and plan, inputs lost at random, reach every parameter of the member."""
    net = VLA(model.profile).train()
    losses, unreached = learn(net, b, 12, torch.Generator().manual_seed(6))
    assert losses[-1] < 0.7 * losses[0] and not unreached


@torch.no_grad()
def test_it_samples_plans(model: VLA, b: Samples) -> None:
    """A candidate does not depend on which others are sampled with it."""
    noise = torch.randn(len(b.plan), 3, model.profile.trajectory.points, 3)
    plans = model.denoise(read(model, b), seen(model, b), b.speed_mps, noise)
    assert plans.shape == noise.shape and bool(plans.isfinite().all())
    assert not torch.allclose(plans[:, 0], plans[:, 1])
    alone = model.denoise(read(model, b), seen(model, b), b.speed_mps, noise[:, 1:2])
    torch.testing.assert_close(alone[:, 0], plans[:, 1], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_words_alone_reach_a_denoiser_that_does_not_see_the_scene(model: VLA, b: Samples) -> None:
    hidden, noise = read(model, b), torch.randn(len(b.plan), 1, model.profile.trajectory.points, 3)
    plans = model.denoise(hidden, seen(model, b), b.speed_mps, noise)
    at = model.sequence(TEXT_TOKENS, TEXT_TOKENS, TEXT_TOKENS).scene
    pictures = at.start + torch.from_numpy(model.layout.visual()).nonzero()[:, 0]
    hidden[:, pictures] = torch.randn_like(hidden[:, pictures])
    same = torch.equal(model.denoise(hidden, seen(model, b), b.speed_mps, noise), plans)
    assert same != model.profile.denoiser.sees_scene


@torch.no_grad()
@pytest.mark.parametrize('part', ['history', 'lines'])
def test_what_is_absent_is_not_read(model: VLA, b: Samples, part: str) -> None:
    """An absent token is the same whatever its numbers are, NaN included, and as if left out."""
    whole = read(model, b)[:, -1]
    rows = getattr(b.given, part)
    nothing = {
        part: torch.full_like(rows, torch.nan),
        f'{part}_valid': torch.zeros(rows.shape[:2]),
    }
    absent = read(model, replace(b, given=replace(b.given, **nothing)))[:, -1]
    assert bool(absent.isfinite().all()) and not torch.allclose(absent, whole, atol=1e-3)
    left_out = replace(b, given=replace(b.given, **{part: None, f'{part}_valid': None}))
    torch.testing.assert_close(read(model, left_out)[:, -1], absent)


@torch.no_grad()
def test_last_words_that_are_padding_are_not_read(model: VLA, b: Samples) -> None:
    some = b.prior_valid.clone()
    some[:, 2:] = 0
    others = torch.where(some > 0, b.prior, (b.prior + 7) % model.profile.text.vocab_size)
    first = read(model, replace(b, prior_valid=some))[:, -1]
    torch.testing.assert_close(
        read(model, replace(b, prior=others, prior_valid=some))[:, -1], first
    )
    assert not torch.allclose(read(model, b)[:, -1], first, atol=1e-3)


@torch.no_grad()
def test_tables_stay_in_single_precision(b: Samples, model: VLA) -> None:
    net = copy.deepcopy(model)
    whole, tables = read(net, b), {name: value.clone() for name, value in net.named_buffers()}
    narrow(net, torch.bfloat16)
    assert {p.dtype for p in net.parameters()} == {torch.bfloat16}
    assert all(torch.equal(value, tables[name]) for name, value in net.named_buffers())
    noise = torch.randn(len(b.plan), 2, net.profile.trajectory.points, 3)
    hidden = read(net, b)
    plans = net.denoise(hidden, seen(net, b), b.speed_mps, noise)
    assert hidden.dtype == torch.bfloat16 and plans.dtype == torch.float32
    assert bool(plans.isfinite().all()) and float((hidden.float() - whole).abs().max()) < 0.2


def test_dropout_takes_whole_inputs_from_some_samples() -> None:
    given = SceneInputs(history=torch.zeros(4000, 16, 3), lines=torch.zeros(4000, 3, 4, 2))
    cameras, prior = torch.ones(4000, 3, 6), torch.ones(4000, 5)
    cameras[:, 2, 1] = 0
    rates = Rates(camera=0.1, history=0.5, map=0.25, prior=0.75)
    found, pictures, words = drop_inputs(given, cameras, prior, rates, generator())
    assert found.history_valid is not None and found.lines_valid is not None
    parts = ((found.history_valid, 0.5), (found.lines_valid, 0.25), (words, 0.75))
    for left, rate in parts:
        assert bool((left == left[:, :1]).all()), 'an input goes as a whole'
        assert float(left.mean()) == pytest.approx(1 - rate, abs=0.03)
    assert bool((pictures[:, 0] == pictures[:, 1]).all()), 'a camera goes at all timesteps'
    assert float(pictures[:, 0].mean()) == pytest.approx(0.9, abs=0.02)
    assert not pictures[:, 2, 1].any(), 'what was lost stays lost'
    kept, same, all_words = drop_inputs(given, cameras, prior, Rates(), generator())
    assert kept.history_valid is not None and bool(kept.history_valid.all())
    assert torch.equal(same, cameras) and torch.equal(all_words, prior)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(2)
