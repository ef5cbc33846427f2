"""Encoder, fusion and denoiser as ONNX: torch exports parts, the steps of the solver are composed.

Exporting ten unrolled steps took torch 138 s; one step exported and inlined ten times takes
seconds and is the same graph (docs/design.md, "Runtimes").  The context's keys and values are
computed once, and candidates are folded into the query length, so that they share them.
"""

from __future__ import annotations

import io
import logging
import warnings
from contextlib import redirect_stdout
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import TensorProto
from torch import Tensor, nn

from alpamayo_ros.export.onnx_graph import IR_VERSION, OPSET, GraphBuilder, tensor
from alpamayo_ros.model.denoiser.denoiser import Denoiser
from alpamayo_ros.model.layout import MASKED
from alpamayo_ros.model.sampler import Step, advance, sampler
from alpamayo_ros.model.scene_inputs import SceneInputs
from alpamayo_ros.model.vla import VLA

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
        self, features: Tensor, age_s: Tensor, valid: Tensor, speed: Tensor, *history: Tensor
    ) -> tuple[Tensor, Tensor]:
        visual = self.model.fuse(features[None], age_s[None], valid[None])
        more = SceneInputs(age_s=age_s[None])
        if history:
            rows, known = history
            more = replace(more, history=rows[None], history_valid=known[None])
        return self.model.scene(visual, speed, more)[0], self.model.scene_bias() * 1.0


def encoder_graph(model: VLA) -> Any:
    """One timestep: images uint8 (V, H, W, 3), valid (V,) -> features (N, width)."""
    p = model.profile
    images = torch.zeros(len(p.views), *p.view_size, 3, dtype=torch.uint8)
    return torch_export(
        _Encoder(model), {'images': images, 'valid': torch.ones(len(p.views))}, ['features']
    )


def fusion_graph(model: VLA) -> Any:
    """Features of the timesteps -> scene and attention bias.

    features (T, N, width), age_s and valid (T, V), speed (1,) -> scene (M, backbone width), bias
    (M, M).  A model with history tokens also takes history (H, 3) and history_valid (H,).
    """
    p = model.profile
    t, v = p.frames.count, len(p.views)
    inputs = {
        'features': torch.zeros(t, p.visual_tokens, p.vision.width),
        'age_s': torch.zeros(t, v),
        'valid': torch.ones(t, v),
        'speed': torch.zeros(1),
    }
    if p.inputs.ego_history:
        count = p.ego_history.count
        inputs |= {'history': torch.zeros(count, 3), 'history_valid': torch.ones(count)}
    return torch_export(_Fusion(model), inputs, ['scene', 'bias'])


class _Head(nn.Module):
    """Hidden states (1, S, D) and speed (1,) -> ego embedding, keys and values.

    Keys and values are (2 layers, heads, S, w).
    """

    def __init__(self, denoiser: Denoiser) -> None:
        super().__init__()
        self.denoiser = denoiser

    def forward(self, hidden: Tensor, speed: Tensor) -> tuple[Tensor, Tensor]:
        pairs = [part for pair in self.denoiser.context(hidden) for part in pair]
        return self.denoiser.ego(speed), torch.cat(pairs, 0)


class _Step(nn.Module):
    """One step of K candidates: ``numbers`` of a :class:`Step`, ``last`` clean sample before."""

    def __init__(self, model: VLA) -> None:
        super().__init__()
        self.denoiser = model.denoiser
        self.kind = model.profile.diffusion.prediction_type

    def forward(
        self,
        x: Tensor,
        last: Tensor,
        time: Tensor,
        numbers: Tensor,
        ego: Tensor,
        context: Tensor,
        mask: Tensor,
    ) -> tuple[Tensor, Tensor]:
        parts = context.split(1)
        out = self.denoiser(x, time + ego, list(zip(parts[::2], parts[1::2], strict=True)), mask)
        return advance(out, x, last, numbers, self.kind)


class _Tail(nn.Module):
    def __init__(self, denoiser: Denoiser) -> None:
        super().__init__()
        self.denoiser = denoiser

    def forward(self, x0: Tensor, speed: Tensor) -> Tensor:
        return self.denoiser.to_metres(x0, speed)


def denoise_parts(model: VLA, tokens: int = 96) -> tuple[Any, Any, Any]:
    """Head, step and tail of the denoiser, each exported once."""
    p = model.profile
    hidden, speed = torch.zeros(1, tokens, p.backbone.width), torch.zeros(1)
    with torch.no_grad():
        context = model.denoiser.context(hidden)
    pairs, shape = len(context), context[0][0].shape
    x = torch.zeros(p.candidates, p.trajectory.points, 3)
    inputs = {
        'x': x,
        'last': torch.zeros_like(x),  # a tensor of its own: torch.export merges equal ones
        'time': torch.zeros(1, p.denoiser.width),
        'numbers': torch.ones(5),
        'ego': torch.zeros(1, p.denoiser.width),
        'context': torch.zeros(2 * pairs, *shape[1:]),
        'mask': torch.zeros(1, 1, 1, tokens),
    }
    head = torch_export(
        _Head(model.denoiser),
        {'hidden': hidden, 'speed': speed},
        ['ego', 'context'],
        hidden={1: 'S'},
    )
    step = torch_export(_Step(model), inputs, ['x0', 'next'], context={2: 'S'}, mask={3: 'S'})
    tail = torch_export(_Tail(model.denoiser), {'x0': x, 'speed': speed}, ['plans'])
    return head, step, tail


@torch.no_grad()
def denoise_graph(model: VLA) -> Any:
    """hidden (1, S, D), mask (1, S), speed (1,), noise (K, P, 3) -> plans (K, P, 3).

    Plans are in metres and radians.
    """
    p = model.profile
    head, step, tail = denoise_parts(model)
    b = GraphBuilder()
    ego, context = b.inline(head, 'head', {'hidden': 'hidden', 'speed': 'speed'}, 'head')
    absent = b.node('Sub', [b.weight('one', np.float32(1)), 'mask'])
    hide = b.node('Mul', [absent, b.weight('masked', np.float32(MASKED))])
    hide = b.node('Unsqueeze', [hide, b.integers(1, 2)])
    x = x0 = 'noise'
    for index, found in enumerate(sampler(p.diffusion)):
        time, numbers = step_constants(model, found)
        feed = {
            'x': x,
            'last': x0,
            'time': b.weight(f'time{index}', time),
            'numbers': b.weight(f'numbers{index}', numbers),
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


def step_constants(model: VLA, step: Step) -> tuple[NDArray[Any], NDArray[Any]]:
    """Embedding of the diffusion time (1, width) and the step's numbers (5,)."""
    t = torch.tensor([step.start / model.profile.diffusion.train_steps])
    return model.denoiser.time_embedding(t).numpy(), np.array(step.numbers, np.float32)
