"""The model family: sizes as published, and every member's architecture learns and samples."""

from __future__ import annotations

import pytest

torch = pytest.importorskip('torch', reason='the training extra (torch) is not installed')

from alpamayo_ros.model.diffusion import add_noise  # noqa: E402
from alpamayo_ros.model.scene_inputs import SceneInputs, drop_inputs  # noqa: E402
from alpamayo_ros.model.tiny import tiny  # noqa: E402
from alpamayo_ros.model.vla import VLA  # noqa: E402
from alpamayo_ros.profile import ModelProfile, load_profile, profile_names  # noqa: E402

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


def test_every_profile_but_nano_is_of_the_family() -> None:
    assert set(profile_names()) == {'nano', *MEMBERS}


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


def batch(profile: ModelProfile, size: int = 2) -> dict[str, torch.Tensor]:
    """Made-up tensors of a batch."""
    torch.manual_seed(0)
    t, v = profile.frames.count, len(profile.views)
    words = profile.text.vocab_size
    return {
        'images': torch.randint(0, 256, (size * t, v, *profile.view_size, 3)).byte(),
        'valid': torch.ones(size, t, v),
        'age_s': torch.arange(t).float()[None, :, None].repeat(size, 1, v) * 0.25,
        'speed': torch.tensor([5.0, 9.0])[:size],
        'prefix': torch.randint(0, words, (size, 5)),
        'coc': torch.randint(0, words, (size, 6)),
        'prior': torch.randint(0, words, (size, 4)),
        'history': torch.randn(size, profile.ego_history.count, 3),
        'lines': torch.randn(size, profile.inputs.map_lines, profile.inputs.map_points, 2),
        'plan': torch.randn(size, profile.trajectory.points, 3),
    }


def see(model: VLA, b: dict[str, torch.Tensor]) -> torch.Tensor:
    size, t = b['valid'].shape[:2]
    features = model.encode_timestep(b['images'], b['valid'].flatten(0, 1))
    return model.fuse(features.reshape(size, t, *features.shape[1:]), b['age_s'], b['valid'])


def read(
    model: VLA, b: dict[str, torch.Tensor], more: SceneInputs | None = None, prior: bool = True
) -> torch.Tensor:
    """Hidden states of a sequence with all its parts."""
    if more is None:
        more = SceneInputs(history=b['history'], lines=b['lines'], age_s=b['age_s'])
    said = (b['prior'], torch.ones(b['prior'].shape)) if prior else None
    valid = torch.ones(b['prefix'].shape)
    return model.hidden(b['prefix'], valid, see(model, b), b['speed'], b['coc'], more, said)


def mask(model: VLA, b: dict[str, torch.Tensor]) -> torch.Tensor:
    return model.denoiser_mask(*(torch.ones(b[name].shape) for name in ('prefix', 'coc', 'prior')))


@pytest.fixture(scope='module', params=MEMBERS)
def model(request: pytest.FixtureRequest) -> VLA:
    """A tiny member with random weights everywhere, also where training starts from zero."""
    torch.manual_seed(1)
    net = VLA(tiny(load_profile(request.param))).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.05 * torch.randn(parameter.shape)
    return net


def test_every_weight_learns(model: VLA) -> None:
    """Words and plan together reach every parameter of the member."""
    b = batch(model.profile)
    hidden = read(model, b)
    level = model.alpha_bar[torch.tensor([30, 60])]
    x = add_noise(b['plan'], torch.randn_like(b['plan']), level)
    c = model.denoiser.condition(torch.tensor([0.3, 0.6]), b['speed'])
    hide = ((mask(model, b) - 1) * 1e4)[:, None, None]
    out = model.denoiser(x, c, model.denoiser.context(hidden), hide)
    words = model.backbone.logits(hidden[:, -7:-1]).flatten(0, 1)
    loss = torch.nn.functional.cross_entropy(words, b['coc'].flatten()) + out.square().mean()
    loss.backward()
    still = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    model.zero_grad(set_to_none=True)
    assert set(still) <= {'cross.missing', 'map.missing', 'history.missing'}, still


@torch.no_grad()
def test_it_samples_plans(model: VLA) -> None:
    b = batch(model.profile)
    noise = torch.randn(2, 3, model.profile.trajectory.points, 3)
    plans = model.denoise(read(model, b), mask(model, b), b['speed'], noise)
    assert plans.shape == noise.shape and bool(plans.isfinite().all())
    assert not torch.allclose(plans[:, 0], plans[:, 1])
    alone = model.denoise(read(model, b), mask(model, b), b['speed'], noise[:, 1:2])
    torch.testing.assert_close(alone[:, 0], plans[:, 1], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_words_alone_reach_a_denoiser_that_does_not_see_the_scene(model: VLA) -> None:
    b = batch(model.profile)
    hidden = read(model, b)
    noise = torch.randn(2, 1, model.profile.trajectory.points, 3)
    plans = model.denoise(hidden, mask(model, b), b['speed'], noise)
    at = model.sequence(prefix=5, coc=6, prior=4).scene
    pictures = at.start + torch.from_numpy(model.layout.visual()).nonzero()[:, 0]
    hidden[:, pictures] = torch.randn_like(hidden[:, pictures])
    same = torch.equal(model.denoise(hidden, mask(model, b), b['speed'], noise), plans)
    assert same != model.profile.denoiser.sees_scene


@torch.no_grad()
@pytest.mark.parametrize('part', ['history', 'lines', 'prior'])
def test_each_input_is_read_and_may_be_absent(model: VLA, part: str) -> None:
    """What is absent changes the words, whatever its numbers are, NaN included."""
    b = batch(model.profile)
    whole = read(model, b)[:, -1]
    gone = b | ({} if part == 'prior' else {part: torch.full_like(b[part], torch.nan)})
    valid = {} if part == 'prior' else {f'{part}_valid': torch.zeros(b[part].shape[:2])}
    more = SceneInputs(history=gone['history'], lines=gone['lines'], age_s=b['age_s'], **valid)
    absent = read(model, gone, more, prior=part != 'prior')[:, -1]
    assert bool(absent.isfinite().all()) and not torch.allclose(absent, whole, atol=1e-3)
    if part == 'prior':
        return
    left_out = SceneInputs(
        age_s=b['age_s'], **{k: b[k] for k in ('history', 'lines') if k != part}
    )
    torch.testing.assert_close(read(model, b, left_out)[:, -1], absent)


def test_dropout_takes_whole_inputs_from_some_samples() -> None:
    rates = {'history': 0.5, 'map': 0.25, 'camera': 0.1}
    given = SceneInputs(history=torch.zeros(4000, 16, 3), lines=torch.zeros(4000, 3, 4, 2))
    valid = torch.ones(4000, 3, 6)
    valid[:, 2, 1] = 0
    found, cameras = drop_inputs(given, valid, rates, torch.Generator().manual_seed(2))
    assert found.history_valid is not None and found.lines_valid is not None
    for left, rate in ((found.history_valid, 0.5), (found.lines_valid, 0.25)):
        assert bool((left == left[:, :1]).all()), 'an input goes as a whole'
        assert float(left.mean()) == pytest.approx(1 - rate, abs=0.03)
    assert bool((cameras[:, 0] == cameras[:, 1]).all()), 'a camera goes at all timesteps'
    assert float(cameras[:, 0].mean()) == pytest.approx(0.9, abs=0.02)
    assert not cameras[:, 2, 1].any(), 'what was lost stays lost'
    kept, same = drop_inputs(given, valid, {}, torch.Generator())
    assert bool(kept.history_valid.all()) and torch.equal(same, valid)
    with pytest.raises(ValueError, match='no input'):
        drop_inputs(given, valid, {'maps': 1.0}, torch.Generator())
