"""NVIDIA's own call beside this package's networks: the same shapes, in NVIDIA's process."""

from __future__ import annotations

import gc
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpamayo_ros.statuses import MachineError

if TYPE_CHECKING:
    from alpamayo_ros.profile import ModelProfile
    from alpamayo_ros.runtime.nvidia.child.settings import Settings

DRAWN = 'alpamayo_ros.runtime.nvidia.child.drawn:load'  # the vendor's class with random weights
LIMIT_S = 600.0  # to load, and for all calls


@dataclass(frozen=True, slots=True)
class Beside:
    """NVIDIA's installation: what runs it, the language model's folder, folders of its package."""

    interpreter: Path
    vlm: Path
    source: tuple[Path, ...]
    attention: str


def beside(
    other: Beside, profile: ModelProfile, ours: dict[str, Any], weights: Path | None, rounds: int
) -> dict[str, Any]:
    """Times [ms] of NVIDIA's call, and how many times as fast the cycles of ``ours`` are.

    ``vendor_call_ms`` reads all pictures and the prompt once for every candidate;
    ``vendor_cycle_ms`` is its class as ``model adopt`` drives it.
    """
    from alpamayo_ros.faults import Fault
    from alpamayo_ros.runtime.nvidia.process import VendorProcess

    _free()
    settings = _settings(other, profile, ours, weights)
    process = VendorProcess.start(str(other.interpreter), settings, LIMIT_S)
    if isinstance(process, Fault):
        raise MachineError(str(process))
    try:
        found = process.ask('time', LIMIT_S, rounds=rounds)
    except RuntimeError as error:
        raise MachineError(f"NVIDIA's call failed: {error}") from error
    finally:
        process.close()
    times = {f'vendor_{name}': float(value) for name, value in found.items()}
    return {
        'vendor': process.version,
        'vendor_attention': other.attention,
        **times,
        'times_as_fast': times['vendor_call_ms'] / ours['cycle_ms'],
        'times_as_fast_drafted': times['vendor_call_ms'] / ours['cycle_drafted_ms'],
    }


def _settings(
    other: Beside, profile: ModelProfile, ours: dict[str, Any], weights: Path | None
) -> Settings:
    """What NVIDIA's process is told: the profile's contract, or pictures of the tiny tower."""
    from alpamayo_ros.model.released.sizes import CELL, PATCH_PX, TINY
    from alpamayo_ros.model.released.speed import WORDS
    from alpamayo_ros.runtime.nvidia.adoption import ENGINES, Choices
    from alpamayo_ros.runtime.nvidia.nvidia_runtime import settings_of

    tiny = ours['shapes'] == 'tiny'
    choices = Choices.model_validate(
        {
            'interpreter': str(other.interpreter),
            'vlm': str(other.vlm.resolve()),
            'source': tuple(str(path.resolve()) for path in other.source),
            'device': 'cpu' if tiny else 'cuda',
            'dtype': 'float32' if tiny else 'bfloat16',
            'attention': other.attention,
            'engine': DRAWN if weights is None else ENGINES['vendor'],
        }
    )
    folder = '' if weights is None else str(weights.resolve())
    made = settings_of(profile, folder, choices)
    made = replace(made, candidates=ours['candidates'], max_words=WORDS)
    if not tiny:
        return made
    side, tower = PATCH_PX * CELL, TINY.tower
    return replace(
        made,
        height=tower.rows * side,
        width=tower.columns * side,
        tokens=tower.tokens,
        sizes=asdict(TINY),
    )


def _free() -> None:
    """Give the memory of this process's networks back before another's load."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
