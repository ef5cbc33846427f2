"""Windows of the vision trunk: who sees whom, which weights, and what it costs on paper."""

from __future__ import annotations

import pytest

torch = pytest.importorskip('torch', reason='the training extra (torch) is not installed')

from torch import Tensor  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from alpamayo_ros.budget import vision as paper  # noqa: E402
from alpamayo_ros.budget.work import Stage  # noqa: E402
from alpamayo_ros.layer_shapes import VisionShape  # noqa: E402
from alpamayo_ros.model.attention import Block  # noqa: E402
from alpamayo_ros.model.summary import summarise  # noqa: E402
from alpamayo_ros.model.tiny import tiny  # noqa: E402
from alpamayo_ros.model.vision.trunk import Trunk  # noqa: E402
from alpamayo_ros.model.vision.windows import apart, in_windows, together  # noqa: E402
from alpamayo_ros.model.vla import VLA  # noqa: E402
from alpamayo_ros.model.windowed import windowed  # noqa: E402
from alpamayo_ros.profile import ModelProfile, load_profile  # noqa: E402

GRID, WINDOW, WIDTH, PATCH = (4, 6), (2, 3), 32, 8


def member(name: str = 'alpamayo-0.5b') -> ModelProfile:
    found = windowed(load_profile(name))
    assert found is not None
    return found


def window_of() -> Tensor:
    """(patches,) the window that each belongs to, row by row of the picture."""
    row, column = torch.meshgrid(*map(torch.arange, GRID), indexing='ij')
    return (row // WINDOW[0] * (GRID[1] // WINDOW[1]) + column // WINDOW[1]).flatten()


def trunk(layers: int, global_layers: int | None) -> Trunk:
    torch.manual_seed(3)
    window = None if global_layers is None else WINDOW
    shape = VisionShape(
        stem='patch', patch=PATCH, width=WIDTH, layers=layers, heads=2, fusion_layers=1,
        trunk='vit', pool=(2, 2), window=window, global_layers=global_layers,
    )  # fmt: skip
    return Trunk(shape).eval()


def test_windows_are_pieces_of_the_picture() -> None:
    numbers = torch.arange(2 * 24.0).view(2, 24, 1)
    pieces = apart(numbers, GRID, WINDOW)
    assert pieces[1, :, 0].tolist() == [3, 4, 5, 9, 10, 11]
    assert torch.equal(together(pieces, GRID, WINDOW), numbers)


@torch.no_grad()
def test_a_patch_sees_its_window_and_the_class_token_rests() -> None:
    """As one block over the whole picture whose mask hides everything else."""
    torch.manual_seed(1)
    block, x = Block(WIDTH, 2, expand=4), torch.randn(2, 25, WIDTH)
    found = in_windows(block, x, GRID, WINDOW)
    mask = torch.full((25, 25), -torch.inf).fill_diagonal_(0.0)
    same = window_of()[:, None] == window_of()
    mask[1:, 1:] = mask[1:, 1:].masked_fill(same, 0.0)
    torch.testing.assert_close(found[:, 1:], block(x, mask=mask)[:, 1:], atol=1e-5, rtol=0)
    assert torch.equal(found[:, 0], x[:, 0])


@torch.no_grad()
def test_layers_that_see_everything_are_the_last_of_equal_parts() -> None:
    """News of one patch stays in its window until then, and is everywhere behind it."""
    net, reached = trunk(6, 2), []
    assert [net.shape.sees_all(i) for i in range(6)] == [False, False, True] * 2
    pixels = torch.randn(1, 3, GRID[0] * PATCH, GRID[1] * PATCH)
    other = pixels.clone()
    other[..., :PATCH, :PATCH] += 1.0  # the first patch of the first window

    def states(picture: Tensor) -> list[Tensor]:
        """Behind each layer; windows give several pictures of a part."""
        kept: list[Tensor] = []
        hooks = [
            block.register_forward_hook(lambda _, __, out: kept.append(out))
            for block in net.blocks
        ]
        net(picture)
        for hook in hooks:
            hook.remove()
        return kept

    for before, after in zip(states(pixels), states(other), strict=True):
        changed = (before - after).abs().amax(-1) > 0
        reached.append((tuple(changed.shape), int(changed.sum())))
    assert reached[:3] == [((4, 6), 6), ((4, 6), 6), ((1, 25), 25)]


@torch.no_grad()
def test_weights_are_those_of_full_attention() -> None:
    """Published ones still fit; the answer is another, and without windows it is the same."""
    whole, parts = trunk(4, None), trunk(4, 2)
    assert list(parts.state_dict()) == list(whole.state_dict())
    parts.load_state_dict(whole.state_dict())
    pixels = torch.randn(1, 3, GRID[0] * PATCH, GRID[1] * PATCH)
    assert not torch.allclose(parts(pixels), whole(pixels), atol=1e-3)
    parts.shape = whole.shape
    assert torch.equal(parts(pixels), whole(pixels))


@pytest.mark.parametrize('name', ['alpamayo-0.5b', 'alpamayo-7b'])
def test_encoder_counts_as_torch_does(name: str) -> None:
    profile = member(name)
    with torch.device('meta'):
        model = VLA(profile)
    height, width = profile.view_size
    images = torch.empty(1, len(profile.views), height, width, 3, device='meta')
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.encode_timestep(images, torch.empty(1, len(profile.views), device='meta'))
    work = Stage('encode', paper.encode(profile))
    assert work.flops == pytest.approx(counter.get_total_flops(), rel=0.02)
    full = Stage('encode', paper.encode(load_profile(name)))
    assert work.flops < 0.75 * full.flops and work.weights == full.weights


def test_variants_are_those_of_wide_pictures() -> None:
    """Pictures of 32 x 32 patches have no windows of 19 x 20; windows are not cut again."""
    assert member().name == 'alpamayo-0.5b-windows'
    assert windowed(load_profile('alpamayo-1.5-10b')) is None
    assert windowed(load_profile('nano')) is None and windowed(member()) is None


def test_show_says_it_and_tiny_keeps_it() -> None:
    vision = summarise(member()).parts[0]
    assert '12 x 384, 6 heads, windows of 19 x 20 patches in 8 layers; means' in vision.layers
    assert 'window' not in summarise(load_profile('alpamayo-0.5b')).parts[0].layers
    assert 'windows of 2 x 4 patches in 1 layers' in summarise(tiny(member())).parts[0].layers
