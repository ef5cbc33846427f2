"""The vision trunk equals transformers' ViT, at its own size and at others."""

from __future__ import annotations

import pytest

torch = pytest.importorskip('torch')
transformers = pytest.importorskip('transformers')

from alpamayo_ros.layer_shapes import VisionShape  # noqa: E402
from alpamayo_ros.model.vision.trunk import Trunk  # noqa: E402
from alpamayo_ros.model.vision.trunk_views import cell_means  # noqa: E402

LIMIT = 1e-5
WIDTH, HEADS, LAYERS = 64, 4, 3


def pair(patch: int) -> tuple[Trunk, torch.nn.Module]:
    """Ours and theirs with equal random weights."""
    torch.manual_seed(patch)
    config = transformers.ViTConfig(
        hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        intermediate_size=4 * WIDTH, patch_size=patch, image_size=224, layer_norm_eps=1e-6,
        hidden_act='gelu', initializer_range=0.1, attn_implementation='eager',
    )  # fmt: skip
    theirs = transformers.ViTModel(config, add_pooling_layer=False).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter += 0.05 * torch.randn(parameter.shape)
    shape = VisionShape(
        stem='patch', patch=patch, width=WIDTH, layers=LAYERS, heads=HEADS, fusion_layers=1,
        trunk='vit', pool=(2, 2),
    )  # fmt: skip
    ours = Trunk(shape).eval()
    ours.load_state_dict(renamed(theirs.state_dict()))
    return ours, theirs


def renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Their weights under our names; our keys and values are one product."""
    found = {
        'class_token': state['embeddings.cls_token'],
        'position': state['embeddings.position_embeddings'],
    }
    for end in ('weight', 'bias'):
        found[f'stem.{end}'] = state[f'embeddings.patch_embeddings.projection.{end}']
        found[f'norm.{end}'] = state[f'layernorm.{end}']
        for i in range(LAYERS):
            found |= layer(state, i, end)
    return found


def layer(state: dict[str, torch.Tensor], i: int, end: str) -> dict[str, torch.Tensor]:
    theirs = {k: v for k, v in state.items() if f'layer.{i}.' in k or f'layers.{i}.' in k}

    def one(*names: str) -> torch.Tensor:
        (key,) = [k for k in theirs if any(k.endswith(f'{n}.{end}') for n in names)]
        return theirs[key]

    return {
        f'blocks.{i}.norm1.{end}': one('layernorm_before'),
        f'blocks.{i}.norm2.{end}': one('layernorm_after'),
        f'blocks.{i}.attention.q.{end}': one('query', 'q_proj'),
        f'blocks.{i}.attention.kv.{end}': torch.cat(
            [one('key', 'k_proj'), one('value', 'v_proj')]
        ),
        f'blocks.{i}.attention.out.{end}': one('attention.output.dense', 'o_proj'),
        f'blocks.{i}.mlp.up.{end}': one('intermediate.dense', 'fc1'),
        f'blocks.{i}.mlp.down.{end}': one(f'{i}.output.dense', 'fc2'),
    }


@pytest.mark.parametrize('patch', [16, 14])
@pytest.mark.parametrize('rows', [14, 6])
@torch.no_grad()
def test_the_whole_trunk(patch: int, rows: int) -> None:
    """Square as it was trained, and a wide picture whose positions are resampled."""
    ours, theirs = pair(patch)
    side = 224 // patch
    height, width = (224, 224) if rows == 14 else (rows * patch, 25 * patch)
    assert side * patch == 224
    pixels = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(1))
    expected = theirs(pixels, interpolate_pos_encoding=True).last_hidden_state
    found = ours(pixels)
    assert float(expected.std()) > 0.5  # the inputs matter
    assert float((found - expected).abs().max()) <= LIMIT


@pytest.mark.parametrize(('patches', 'cells'), [(57, 8), (100, 8), (32, 16)])
def test_cells_are_averaged_as_adaptive_pooling_does(patches: int, cells: int) -> None:
    x = torch.randn(3, patches, generator=torch.Generator().manual_seed(2))
    expected = torch.nn.functional.adaptive_avg_pool1d(x, cells)
    torch.testing.assert_close(x @ cell_means(patches, cells).T, expected)
