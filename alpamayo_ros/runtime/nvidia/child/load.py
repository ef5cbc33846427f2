"""Load the vendor's class from a folder: no weight missing, none left over, no connection."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import torch

from alpamayo_ros.runtime.nvidia.child.engine import VendorEngine
from alpamayo_ros.runtime.nvidia.child.names import CONFIG, MODEL
from alpamayo_ros.runtime.nvidia.child.settings import Settings

PROBLEMS = ('missing_keys', 'unexpected_keys', 'mismatched_keys')
SHOWN = 3  # names in a message


def load(settings: Settings) -> VendorEngine:
    """The checkpoint on its device; ValueError where weights and class do not agree."""
    config_kind = importlib.import_module(CONFIG).Alpamayo1_5Config
    kind = importlib.import_module(MODEL).Alpamayo1_5
    config_kind.has_no_defaults_at_init = True  # printing one would ask the hub for a default
    config = config_kind.from_dict(configuration(settings), attn_implementation=settings.attention)
    model, report = kind.from_pretrained(
        settings.folder,
        config=config,
        dtype=getattr(torch, settings.dtype),
        local_files_only=True,
        use_safetensors=True,
        output_loading_info=True,
    )
    refuse(report)
    return VendorEngine(model.to(settings.device).eval(), settings)


def configuration(settings: Settings) -> dict[str, Any]:
    """``config.json`` with the folder of the language model and the numbers that were chosen."""
    data: dict[str, Any] = json.loads((Path(settings.folder) / 'config.json').read_text())
    data['vlm_name_or_path'] = settings.vlm
    data['model_dtype'] = settings.dtype
    return data


def refuse(report: dict[str, Any]) -> None:
    """ValueError that names what the class lacks of the weights, or does not know."""
    for problem in PROBLEMS:
        names = sorted(map(str, report.get(problem, ())))
        if names:
            shown = ', '.join(names[:SHOWN])
            raise ValueError(f'the weights have {len(names)} {problem}: {shown}')
