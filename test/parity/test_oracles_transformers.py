"""Attention, RoPE, RMSNorm, SwiGLU and whole backbones equal transformers' Qwen2 and Qwen3."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

torch = pytest.importorskip('torch')
transformers = pytest.importorskip('transformers')

from safetensors.torch import load_file, save_file  # noqa: E402
from transformers.models.qwen2 import modeling_qwen2  # noqa: E402
from transformers.models.qwen3 import modeling_qwen3  # noqa: E402

from alpamayo_ros.faults import Code, Fault  # noqa: E402
from alpamayo_ros.layer_shapes import BackboneShape  # noqa: E402
from alpamayo_ros.model.backbone import Backbone  # noqa: E402
from alpamayo_ros.model.layout import MASKED  # noqa: E402
from alpamayo_ros.model.norm import RMSNorm  # noqa: E402
from alpamayo_ros.model.pretrained import load_text_weights  # noqa: E402
from alpamayo_ros.model.rope import rope_tables, rotate  # noqa: E402

VOCAB, LENGTH, LIMIT = 101, 23, 1e-5
SIZES = {
    'hidden_size': 64, 'intermediate_size': 96, 'num_hidden_layers': 3, 'num_attention_heads': 4,
    'num_key_value_heads': 2, 'vocab_size': VOCAB, 'max_position_embeddings': 64,
    'rms_norm_eps': 1e-6, 'attn_implementation': 'eager',
}  # fmt: skip
KINDS = ['qwen2', 'qwen2-tied', 'qwen3', 'qwen3-tied']


def theirs(kind: str) -> transformers.PreTrainedModel:
    """A tiny model of transformers with random weights, also where they start at 0 or 1."""
    name, _, tied = kind.partition('-')
    sizes = {**SIZES, 'tie_word_embeddings': bool(tied), 'rope_theta': 5e5}
    if name == 'qwen2':
        model = modeling_qwen2.Qwen2ForCausalLM(transformers.Qwen2Config(**sizes))
    else:
        config = transformers.Qwen3Config(**sizes, head_dim=16)
        model = modeling_qwen3.Qwen3ForCausalLM(config)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for value in model.parameters():
            shift = 1.0 if value.dim() == 1 else 0.0
            value.copy_(shift + 0.2 * torch.randn(value.shape, generator=generator))
    return model.eval()


def ours(kind: str, **changed: object) -> Backbone:
    """The backbone of the same sizes."""
    name, _, tied = kind.partition('-')
    shape = BackboneShape(
        layers=3, width=64, heads=4, kv_heads=2, ffn=96, rope_theta=5e5, tie_embeddings=bool(tied),
        qkv_bias=name == 'qwen2', qk_norm=name == 'qwen3',
    )  # fmt: skip
    return Backbone(shape.model_copy(update=changed), VOCAB, 64).eval()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def folder(kind: str, tmp_path: Path) -> Path:
    """A checkpoint in several shards, as transformers writes it."""
    theirs(kind).save_pretrained(tmp_path, max_shard_size='100KB')
    assert len(list(tmp_path.glob('*.safetensors'))) > 1
    return tmp_path


def causal() -> torch.Tensor:
    return torch.full((LENGTH, LENGTH), MASKED).triu(1)[None, None]


def forward(backbone: Backbone, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    hidden = backbone(backbone.embed(ids), torch.arange(ids.shape[1]), causal())
    return hidden, backbone.logits(hidden)


def difference(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max())


@torch.no_grad()
def test_the_whole_backbone(kind: str, folder: Path) -> None:
    reference, backbone = theirs(kind), ours(kind)
    assert load_text_weights(backbone, folder) is None
    ids = torch.randint(0, VOCAB, (2, LENGTH), generator=torch.Generator().manual_seed(1))
    hidden, logits = forward(backbone, ids)
    answer = reference(ids, output_hidden_states=True)
    assert float(logits.std()) > 0.1  # the inputs matter
    assert difference(hidden, answer.hidden_states[-1]) <= LIMIT
    assert difference(logits, answer.logits) <= LIMIT


@torch.no_grad()
def test_each_part(kind: str, folder: Path) -> None:
    reference, backbone = theirs(kind), ours(kind)
    assert load_text_weights(backbone, folder) is None
    x = torch.randn(2, LENGTH, 64, generator=torch.Generator().manual_seed(2))
    place = torch.arange(LENGTH)
    tables = reference.model.rotary_emb(x, place[None])
    layer, other = backbone.layers[1], reference.model.layers[1]
    assert difference(layer.norm1(x), other.input_layernorm(x)) <= LIMIT
    assert difference(layer.mlp(x), other.mlp(x)) <= LIMIT
    cos, sin = backbone.cos[place], backbone.sin[place]
    assert difference(torch.cat([cos, cos], 1), tables[0][0]) <= LIMIT
    q = torch.randn(2, 4, LENGTH, 16, generator=torch.Generator().manual_seed(4))
    turned, _ = modeling_qwen2.apply_rotary_pos_emb(q, q, *tables)
    assert difference(rotate(q, cos, sin), turned) <= LIMIT
    whole = other(x, attention_mask=causal(), position_embeddings=tables)
    assert difference(layer(x, cos, sin, causal(), None), whole) <= LIMIT


@pytest.mark.parametrize('theta', [1e4, 5e5, 1e6])
def test_rope_and_rms_norm_over_their_ranges(theta: float) -> None:
    """Far positions (32,768) and small and large numbers, where single precision is short."""
    config = transformers.Qwen3Config(head_dim=128, rope_theta=theta)
    place = torch.tensor([0, 1, 63, 4607, 32767])
    cos, sin = modeling_qwen3.Qwen3RotaryEmbedding(config)(torch.zeros(1), place[None])
    tables = rope_tables(32768, 128, theta)
    near = torch.tensor([0, 1, 2])  # theirs multiplies angles in float32: exact only near 0
    assert difference(tables[0][place[near]], cos[0, near, :64]) <= LIMIT
    assert difference(tables[1][place[near]], sin[0, near, :64]) <= LIMIT
    assert difference(tables[0][place], cos[0, :, :64]) <= 4e-3
    for scale in (1e-4, 1.0, 1e4):
        x = scale * torch.randn(4, 64, generator=torch.Generator().manual_seed(5))
        norm, other = RMSNorm(64), modeling_qwen3.Qwen3RMSNorm(64, 1e-6)
        assert difference(norm(x).detach(), other(x).detach()) <= LIMIT


def change(folder: Path, name: str, tensor: torch.Tensor | None) -> None:
    """Replace a tensor in its shard, or take it out."""
    for path in folder.glob('*.safetensors'):
        state = load_file(path)
        if name in state:
            state.pop(name)
            save_file(state | ({name: tensor} if tensor is not None else {}), path)


@pytest.mark.parametrize(
    ('name', 'tensor', 'said'),
    [
        ('model.layers.1.mlp.up_proj.weight', None, '1 missing: layers.1.mlp.up.weight'),
        ('model.norm.weight', torch.ones(65), r'norm.weight is \[65\], not \[64\]'),
    ],
)
@pytest.mark.parametrize('kind', ['qwen3'])
def test_wrong_tensors_are_named(
    kind: str, folder: Path, name: str, tensor: torch.Tensor | None, said: str
) -> None:
    change(folder, name, tensor)
    backbone = ours(kind)
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    fault = load_text_weights(backbone, folder)
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_FORMAT
    assert re.search(said, fault.message), fault.message
    assert all(torch.equal(value, before[key]) for key, value in backbone.state_dict().items())


@pytest.mark.parametrize(
    ('file', 'key', 'value', 'said'),
    [
        ('config.json', 'rms_norm_eps', 1e-5, 'rms_norm_eps is 1e-05, the profile asks for 1e-06'),
        ('config.json', 'model_type', 'llama', 'model_type is llama, the profile asks for qwen3'),
        ('config.json', 'rope_parameters', {'rope_theta': 1e4}, 'rope_theta is 10000.0'),
        ('config.json', 'tie_word_embeddings', True, 'tie_word_embeddings is True'),
        ('model.safetensors.index.json', 'weight_map', {'a': '../x.safetensors'}, r'\.\./x'),
        ('model.safetensors.index.json', 'weight_map', {'a': 'b.safetensors'}, '1 of 1 shards'),
        ('model.safetensors.index.json', 'weight_map', [], 'names no file'),
    ],
)
@pytest.mark.parametrize('kind', ['qwen3'])
def test_a_checkpoint_of_another_kind_is_refused(
    kind: str, folder: Path, file: str, key: str, value: object, said: str
) -> None:
    content = json.loads((folder / file).read_text())
    (folder / file).write_text(json.dumps({**content, key: value}))
    fault = load_text_weights(ours(kind), folder)
    assert isinstance(fault, Fault) and re.search(said, fault.message), fault


@pytest.mark.parametrize('kind', ['qwen3'])
def test_damage_is_a_sentence(
    kind: str, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    empty = load_text_weights(ours(kind), tmp_path_factory.mktemp('empty'))
    assert isinstance(empty, Fault) and 'no config.json' in empty.message
    extra = ours(kind, layers=2)
    fault = load_text_weights(extra, folder)
    assert isinstance(fault, Fault) and '11 unknown: layers.2.' in fault.message
    shard = next(folder.glob('*.safetensors'))
    shard.write_bytes(shard.read_bytes()[:100])
    cut = load_text_weights(ours(kind), folder)
    assert isinstance(cut, Fault) and cut.code is Code.MODEL_FORMAT
    (folder / 'config.json').write_text('{')
    torn = load_text_weights(ours(kind), folder)
    assert isinstance(torn, Fault) and 'is no JSON' in torn.message
