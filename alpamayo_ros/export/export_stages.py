"""Encoder, fusion and denoiser as ONNX: torch exports the parts, the ten DDIM steps are composed
here.

Exporting ten unrolled steps took torch 138 s; one step exported and inlined ten times takes
seconds and is the same graph (FIELD_NOTES section 6).  The context's keys and values are computed
once, and candidates are folded into the query length, so that they share them.
"""

from __future__ import annotations

import io
import logging
import math
import warnings
from contextlib import redirect_stdout
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import TensorProto
from torch import Tensor, nn
from torch.nn import functional as F

from alpamayo_ros.export.onnx_graph import IR_VERSION, OPSET, GraphBuilder, tensor
from alpamayo_ros.model.attention import merge_heads, split_heads
from alpamayo_ros.model.diffusion import alpha_bar, sample_steps, to_sample
from alpamayo_ros.model.dit import DiT, DiTBlock
from alpamayo_ros.model.vla import MASKED, VLA

F32 = TensorProto.FLOAT
TORCH_OPSET = 20  # attention as plain operators: masks broadcast, older parsers read it too


def torch_export(
    module: nn.Module, inputs: dict[str, Tensor], outputs: list[str], **dynamic: Any
) -> Any:
    """Export a module with named inputs and outputs; ``dynamic`` maps an input to {axis: name}."""
    for talkative in ('torch.onnx', 'onnxscript', 'onnx_ir'):
        logging.getLogger(talkative).setLevel(logging.ERROR)
    shapes = tuple(
        {axis: torch.export.Dim(size) for axis, size in dynamic.get(name, {}).items()}
        for name in inputs
    )
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), torch.no_grad():
        warnings.simplefilter('ignore')
        program = torch.onnx.export(
            module.eval(), tuple(inputs.values()), input_names=list(inputs), output_names=outputs,
            dynamo=True, opset_version=TORCH_OPSET, dynamic_shapes=shapes if dynamic else None,
        )  # fmt: skip
    if program is None:
        raise RuntimeError('torch exported nothing')
    model = program.model_proto
    for opset in model.opset_import:
        opset.version = OPSET if opset.domain == '' else opset.version
    model.ir_version = IR_VERSION
    del model.graph.metadata_props[:], model.metadata_props[:]
    for node in model.graph.node:  # the exporter's notes quote paths of the machine that exported
        del node.metadata_props[:]
        node.doc_string = ''
    return model


class _Encoder(nn.Module):
    def __init__(self, model: VLA) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, valid: Tensor) -> Tensor:
        return self.model.encode_timestep(images[None], valid[None])[0]


class _Fusion(nn.Module):
    def __init__(self, model: VLA) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, features: Tensor, age_s: Tensor, valid: Tensor, speed: Tensor
    ) -> tuple[Tensor, Tensor]:
        visual = self.model.fuse(features[None], age_s[None], valid[None])
        scene = torch.cat([visual, self.model.ego_token(speed)], 1)[0]
        return scene, self.model.spatial_bias * 1.0


def encoder_graph(model: VLA) -> Any:
    """One timestep: images uint8 (V, H, W, 3), valid (V,) -> features (N, width)."""
    p = model.profile
    view = p.views[0]
    images = torch.zeros(len(p.views), view.height, view.width, 3, dtype=torch.uint8)
    return torch_export(
        _Encoder(model), {'images': images, 'valid': torch.ones(len(p.views))}, ['features']
    )


def fusion_graph(model: VLA) -> Any:
    """features (T, N, width), age_s and valid (T, V), speed (1,) -> scene (N + 1, backbone
    width), bias (N + 1, N + 1).
    """
    p = model.profile
    t, v = p.frames.count, len(p.views)
    inputs = {
        'features': torch.zeros(t, p.visual_tokens, p.vision.width),
        'age_s': torch.zeros(t, v),
        'valid': torch.ones(t, v),
        'speed': torch.zeros(1),
    }
    return torch_export(_Fusion(model), inputs, ['scene', 'bias'])


class _Head(nn.Module):
    """Hidden states (1, S, D) and speed (1,) -> ego embedding, keys and values (2 layers, heads,
    S, w).
    """

    def __init__(self, dit: DiT) -> None:
        super().__init__()
        self.dit = dit

    def forward(self, hidden: Tensor, speed: Tensor) -> tuple[Tensor, Tensor]:
        pairs = [part for pair in self.dit.context(hidden) for part in pair]
        return self.dit.ego(speed[:, None] / 10.0), torch.cat(pairs, 0)


class _Step(nn.Module):
    """One DDIM step of K candidates: ``levels`` = sqrt of (a, 1 - a, b, 1 - b)."""

    def __init__(self, model: VLA) -> None:
        super().__init__()
        self.dit = model.dit
        self.kind = model.profile.diffusion.prediction_type

    def _block(
        self, block: DiTBlock, x: Tensor, c: Tensor, k: Tensor, v: Tensor, mask: Tensor
    ) -> Tensor:
        m = block.modulation(c)[:, None].chunk(9, -1)
        y = block.norms[0](x) * (1 + m[0]) + m[1]
        x = x + (1 + m[2]) * block.own(y, y)
        y = block.norms[1](x) * (1 + m[3]) + m[4]
        q = split_heads(block.cross.q(y).reshape(1, -1, y.shape[-1]), block.cross.heads)
        y = merge_heads(F.scaled_dot_product_attention(q, k, v, attn_mask=mask)).reshape(y.shape)
        x = x + (1 + m[5]) * block.cross.out(y)
        y = block.norms[2](x) * (1 + m[6]) + m[7]
        result: Tensor = x + (1 + m[8]) * block.mlp(y)
        return result

    def forward(
        self, x: Tensor, time: Tensor, levels: Tensor, ego: Tensor, context: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        dit = self.dit
        h = dit.inp(x.reshape(x.shape[0], -1, dit.chunk)) + dit.position
        for i, block in enumerate(dit.blocks):
            k, v = context[2 * i : 2 * i + 1], context[2 * i + 1 : 2 * i + 2]
            h = self._block(cast(DiTBlock, block), h, time + ego, k, v, mask)
        out = dit.out(dit.norm(h)).reshape(x.shape)
        x0 = to_sample(out, x, levels[0].square(), self.kind).clamp(-6, 6)
        eps = (x - levels[0] * x0) / levels[1]
        return x0, levels[2] * x0 + levels[3] * eps


class _Tail(nn.Module):
    def __init__(self, dit: DiT) -> None:
        super().__init__()
        self.dit = dit

    def forward(self, x0: Tensor, speed: Tensor) -> Tensor:
        return self.dit.to_metres(x0, speed)


def _parts(model: VLA, tokens: int = 96) -> tuple[Any, Any, Any]:
    """Head, step and tail, each exported once."""
    p = model.profile
    width, heads = p.denoiser.width, p.denoiser.heads
    hidden, speed = torch.zeros(1, tokens, p.backbone.width), torch.zeros(1)
    x = torch.zeros(p.candidates, p.trajectory.points, 3)
    inputs = {
        'x': x,
        'time': torch.zeros(1, width),
        'levels': torch.ones(4),
        'ego': torch.zeros(1, width),
        'context': torch.zeros(2 * p.denoiser.layers, heads, tokens, width // heads),
        'mask': torch.zeros(1, 1, 1, tokens),
    }
    head = torch_export(
        _Head(model.dit), {'hidden': hidden, 'speed': speed}, ['ego', 'context'], hidden={1: 'S'}
    )
    step = torch_export(_Step(model), inputs, ['x0', 'next'], context={2: 'S'}, mask={3: 'S'})
    tail = torch_export(_Tail(model.dit), {'x0': x, 'speed': speed}, ['plans'])
    return head, step, tail


@torch.no_grad()
def denoise_graph(model: VLA) -> Any:
    """hidden (1, S, D), mask (1, S), speed (1,), noise (K, P, 3) -> plans (K, P, 3) in metres and
    radians.
    """
    p = model.profile
    head, step, tail = _parts(model)
    b = GraphBuilder()
    ego, context = b.inline(head, 'head', {'hidden': 'hidden', 'speed': 'speed'}, 'head')
    absent = b.node('Sub', [b.weight('one', np.float32(1)), 'mask'])
    hide = b.node('Mul', [absent, b.weight('masked', np.float32(MASKED))])
    hide = b.node('Unsqueeze', [hide, b.integers(1, 2)])
    x = x0 = 'noise'
    for index, (start, stop) in enumerate(sample_steps(p.diffusion)):
        time, levels = _step_constants(model, start, stop)
        feed = {
            'x': x,
            'time': b.weight(f'time{index}', time),
            'levels': b.weight(f'levels{index}', levels),
            'ego': ego,
            'context': context,
            'mask': hide,
        }
        x0, x = b.inline(step, f'step{index}', feed, 'step')
    (plans,) = b.inline(tail, 'tail', {'x0': x0, 'speed': 'speed'}, 'tail')
    b.node('Identity', [plans], 'plans')
    shape = [p.candidates, p.trajectory.points, 3]
    inputs = [
        tensor('hidden', F32, [1, 'S', p.backbone.width]),
        tensor('mask', F32, [1, 'S']),
        tensor('speed', F32, [1]),
        tensor('noise', F32, shape),
    ]
    return b.model('denoise', inputs, [tensor('plans', F32, shape)])


def _step_constants(model: VLA, start: int, stop: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Embedding of the diffusion time (1, width) and the four signal and noise levels of one
    step.
    """
    power = alpha_bar(model.profile.diffusion)
    a, b = float(power[start]), float(power[stop])
    levels = [math.sqrt(a), math.sqrt(1 - a), math.sqrt(b), math.sqrt(1 - b)]
    t = torch.tensor([start / model.profile.diffusion.train_steps])
    time = model.dit.condition(t, torch.zeros(1)) - model.dit.ego(torch.zeros(1, 1))
    return time.numpy(), np.array(levels, np.float32)
