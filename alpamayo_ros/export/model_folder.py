"""Write a model folder: weights, text files, four ONNX graphs, golden answer, manifest.

Needs torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from alpamayo_ros.export.export_decode import decode_graph
from alpamayo_ros.export.export_stages import denoise_graph, encoder_graph, fusion_graph
from alpamayo_ros.export.onnx_graph import store_half
from alpamayo_ros.export.outside import write
from alpamayo_ros.export.sealing import seal
from alpamayo_ros.faults import Fault
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.manifest import Manifest
from alpamayo_ros.runtime.registry import GRAPHS, TEXT_FILES, WEIGHTS


@torch.no_grad()
def round_to_half(model: VLA) -> VLA:
    """Round every matrix and kernel to what float16 holds, in place; vectors and statistics stay.

    Weights and graphs are written from the rounded model: all runtimes run the same numbers.
    """
    for parameter in model.parameters():
        if parameter.dim() >= 2:
            parameter.copy_(parameter.half().float())
    return model


def save_half(model: VLA, path: Path) -> None:
    """Write the weights, float16 where that loses nothing."""
    state = {}
    for name, value in model.state_dict().items():
        half = value.half() if value.dtype == torch.float32 and value.dim() >= 2 else value
        lossless = bool(torch.equal(half.to(value.dtype), value))
        state[name] = (half if lossless else value).contiguous()
    path.write_bytes(save(state))  # save_file would make it readable by its owner alone


def export_model(
    model: VLA, folder: Path, version: str, release: int, training: Mapping[str, Any],
    progress: Callable[[str], None] = print,
) -> Manifest | Fault:  # fmt: skip
    """Write the folder of ``model``; tokenizer.json and grammar.json must be there already."""
    profile: ModelProfile = model.profile
    round_to_half(model.float().cpu().eval())
    progress(WEIGHTS)
    save_half(model, folder / WEIGHTS)
    makers: dict[str, Callable[[], Any]] = {
        'encoder.onnx': lambda: encoder_graph(model),
        'fusion.onnx': lambda: fusion_graph(model),
        'decode.onnx': lambda: decode_graph(model.backbone, model.layout.max_sequence),
        'denoise.onnx': lambda: denoise_graph(model),
    }
    written = [WEIGHTS]
    for name in GRAPHS:
        progress(name)
        written += write(store_half(makers[name]()), folder, name)
    dtypes = dict.fromkeys(written, 'float16') | dict.fromkeys(TEXT_FILES, '')
    return seal(folder, profile, version, release, training, dtypes, progress)
