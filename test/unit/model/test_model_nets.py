"""The networks: caches change time, never values; masks hide; sizes are as designed."""

import pytest

torch = pytest.importorskip('torch', reason='the training extra (torch) is not installed')

from alpamayo_ros.model.attention import attention  # noqa: E402
from alpamayo_ros.model.diffusion import (  # noqa: E402
    add_noise,
    alpha_bar,
    denoise_step,
    levels,
    sample_steps,
    to_sample,
)
from alpamayo_ros.model.vla import VLA  # noqa: E402
from alpamayo_ros.profile import load_profile  # noqa: E402

PROFILE = load_profile('nano')


@pytest.fixture(scope='module')
def model() -> VLA:
    torch.manual_seed(0)
    net = VLA(PROFILE).eval()
    with torch.no_grad():
        net.dit.out.weight.normal_(std=0.05)
        net.cross.missing.normal_()
    return net


def test_size_is_nano(model: VLA) -> None:
    count = sum(p.numel() for p in model.parameters())
    assert count == pytest.approx(5.39e6, rel=0.01)


@torch.no_grad()
def test_static_cache_equals_full_pass(model: VLA) -> None:
    prefix, coc = torch.randint(13, 500, (1, 7)), torch.randint(13, 500, (1, 9))
    visual, speed = (
        torch.randn(1, PROFILE.visual_tokens, PROFILE.backbone.width),
        torch.tensor([5.0]),
    )
    full = model.hidden(prefix, torch.ones(1, 7), visual, speed, coc)
    n = full.shape[1] - 9
    cache = model.backbone.new_cache(1, 80)
    positions, mask = model.positions(7, 9), model.attention_mask(torch.ones(1, 7), 9)
    wide = torch.full((1, 1, n + 9, 80), -1e4)
    wide[..., : n + 9] = mask
    x = torch.cat(
        [model.backbone.embed(prefix), model.scene(visual, speed), model.backbone.embed(coc)],
        1,
    )
    parts = [(0, 7), (7, n), (n, n + 4), (n + 4, n + 5), (n + 5, n + 9)]
    out = [model.backbone(x[:, a:b], positions[a:b], wide[:, :, a:b], cache, a) for a, b in parts]
    torch.testing.assert_close(torch.cat(out, 1), full, atol=2e-5, rtol=1e-4)


@torch.no_grad()
def test_prefix_padding_changes_nothing(model: VLA) -> None:
    prefix, coc = torch.randint(13, 500, (1, 6)), torch.randint(13, 500, (1, 4))
    visual, speed = (
        torch.randn(1, PROFILE.visual_tokens, PROFILE.backbone.width),
        torch.tensor([3.0]),
    )
    plain = model.hidden(prefix, torch.ones(1, 6), visual, speed, coc)
    padded = torch.cat([prefix, torch.zeros(1, 5, dtype=torch.long)], 1)
    valid = torch.tensor([[1.0] * 6 + [0.0] * 5])
    wide = model.hidden(padded, valid, visual, speed, coc)
    torch.testing.assert_close(wide[:, 11:], plain[:, 6:], atol=2e-5, rtol=1e-4)


@torch.no_grad()
def test_lost_view_is_not_looked_at(model: VLA) -> None:
    images = torch.randint(0, 256, (1, 7, 64, 112, 3), dtype=torch.uint8)
    other = images.clone()
    other[:, 4] = torch.randint(0, 256, other[:, 4].shape, dtype=torch.uint8)
    valid = torch.ones(1, 7)
    valid[:, 4] = 0
    torch.testing.assert_close(
        model.encode_timestep(images, valid), model.encode_timestep(other, valid)
    )
    assert not torch.allclose(
        model.encode_timestep(images, torch.ones(1, 7)),
        model.encode_timestep(other, torch.ones(1, 7)),
    )


@torch.no_grad()
def test_old_timesteps_count_only_where_valid(model: VLA) -> None:
    f = torch.randn(1, 4, PROFILE.visual_tokens, PROFILE.vision.width)
    g = f.clone()
    g[:, 2] = torch.randn_like(g[:, 2])
    age, valid = (
        torch.tensor([[0.0, 0.3, 0.5, 0.8]])[..., None].repeat(1, 1, 7),
        torch.ones(1, 4, 7),
    )
    assert not torch.allclose(model.fuse(f, age, valid), model.fuse(g, age, valid))
    valid[:, 2] = 0
    torch.testing.assert_close(model.fuse(f, age, valid), model.fuse(g, age, valid))


def test_ddim_with_perfect_prediction_returns_the_sample() -> None:
    power = alpha_bar(PROFILE.diffusion)
    clean, x = torch.randn(3, 60, 3), torch.randn(3, 60, 3)
    for a, b in sample_steps(PROFILE.diffusion):
        _, x = denoise_step(clean, x, levels(float(power[a]), float(power[b])), 'sample')
    torch.testing.assert_close(x, clean, atol=1e-5, rtol=0)


@pytest.mark.parametrize('kind', ['sample', 'epsilon', 'v_prediction'])
def test_prediction_types_agree(kind: str) -> None:
    clean, noise, a = torch.randn(2, 60, 3), torch.randn(2, 60, 3), torch.tensor(0.37)
    x = add_noise(clean, noise, a.expand(2))
    prediction = {
        'sample': clean,
        'epsilon': noise,
        'v_prediction': a.sqrt() * noise - (1 - a).sqrt() * clean,
    }[kind]
    torch.testing.assert_close(
        to_sample(prediction, x, a.sqrt(), (1 - a).sqrt(), kind), clean, atol=1e-5, rtol=1e-4
    )


@torch.no_grad()
def test_denoise_is_deterministic_and_candidates_are_independent(model: VLA) -> None:
    hidden, mask, speed = torch.randn(1, 40, 192), torch.ones(1, 40), torch.tensor([6.0])
    noise = torch.randn(1, 8, 60, 3)
    first = model.denoise(hidden, mask, speed, noise)
    assert first.shape == (1, 8, 60, 3)
    assert torch.equal(first, model.denoise(hidden, mask, speed, noise))
    torch.testing.assert_close(
        model.denoise(hidden, mask, speed, noise[:, 3:4])[:, 0], first[:, 3], atol=1e-4, rtol=1e-3
    )


@pytest.mark.parametrize('masked', [False, True])
def test_attention_by_plain_products_is_attention(
    monkeypatch: pytest.MonkeyPatch, masked: bool
) -> None:
    torch.manual_seed(0)
    inputs = [torch.randn(2, 3, n, 8, requires_grad=True) for n in (5, 7, 7)]
    mask = torch.where(torch.rand(2, 1, 5, 7) < 0.4, -1e4, 0.0) if masked else None
    weight = torch.randn(2, 3, 5, 8)
    found = []
    for plain in (False, True):
        monkeypatch.setattr(torch, 'is_autocast_enabled', lambda device, on=plain: on)
        out = attention(*inputs, mask)
        found.append([out, *torch.autograd.grad((out * weight).sum(), inputs)])
        with torch.no_grad():
            assert torch.allclose(attention(*inputs, mask), out, atol=1e-6)
    for fused, plain in zip(*found, strict=True):
        assert torch.allclose(fused, plain, atol=1e-5)
    assert not torch.equal(found[0][1], found[1][1])  # two ways, or this compares nothing
