"""Every comparison of ``alpamayo bench``, one after the other in one process, as one record."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import cv2
import numpy as np
import torch

from alpamayo_ros.cli.measuring.cycle import against_diffusers, against_transformers
from alpamayo_ros.cli.measuring.cycle.matrix_share import matrix_share
from alpamayo_ros.cli.measuring.cycle.parts import Parts
from alpamayo_ros.cli.measuring.cycle.recorded_cycles import DriveCosts, record_cycles
from alpamayo_ros.cli.measuring.cycle.whole_cycle import WholeCycles, time_cycles, time_stages
from alpamayo_ros.cli.measuring.sync_cost import measure_sync
from alpamayo_ros.simulation.scenario import Scenario

PACKAGES = ('numpy', 'onnxruntime', 'torch', 'transformers', 'diffusers')
SYNC = {'timesteps': 600, 'rate_hz': 10.0, 'drops': 0.02, 'seed': 0}
PHASES = 7
Tell = Callable[[str, float], None]


def one_thread() -> None:
    """All libraries on one thread, so that CPU time is work and not waiting."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def measure(
    parts: Parts, scenario: Scenario, seed: int, cycles: int, keep: int, tell: Tell
) -> dict[str, Any]:
    """The record that ``--json`` writes; ``tell`` hears the comparison and the share of it."""
    one_thread()

    def counted(name: str, count: int) -> Callable[[], None]:
        done = iter(range(1, count + 1))
        tell(name, 0.0)
        return lambda: tell(name, next(done, count) / count)

    fast = parts.fast()
    drive = record_cycles(fast, scenario, seed, cycles, keep, counted('drive', cycles))
    kept = drive.kept
    if len(kept) < 3:
        raise ValueError(f'the drive ended after {len(drive.passes)} cycles; take another seed')
    count = len(kept) - 1
    whole = time_cycles(parts, kept, counted('whole cycles', count))
    words = against_transformers.compare(parts, kept, counted('words', count))
    steps = against_diffusers.compare(parts, kept, counted('denoising', count))
    share = matrix_share(parts, kept, counted('matrix products', len(kept)))
    stages = time_stages(fast, kept)
    tell('synchronisation', 0.0)
    sync = measure_sync(parts.profile, **SYNC)  # type: ignore[arg-type]
    return {
        **_cycle(whole, drive),
        'stage_cpu_ms': {name: round(one.median_ms, 3) for name, one in stages.items()},
        'decode_vs_transformers': round(words.theirs.median_ms / words.ours.median_ms, 3),
        'decode': {
            'ours': words.ours.record(),
            'transformers': words.theirs.record(),
            'same_tokens': words.same,
            'cycles': words.cycles,
            'tokens': words.tokens,
        },
        'ddim_vs_diffusers': round(steps.theirs.median_ms / steps.ours.median_ms, 3),
        'ddim': {
            'ours': steps.ours.record(),
            'diffusers': steps.theirs.record(),
            'waypoints_apart': steps.apart,
        },
        'gemm_share': {name: round(value, 3) for name, value in share.items()},
        'sync_us_per_set': round(sync.set_us_median, 1),
        'drive': {'scenario': scenario.name, 'seed': seed, 'cycles': len(drive.passes)},
        'model': {
            'profile': parts.profile.name,
            'version': parts.identity.version,
            'manifest_sha256': parts.identity.manifest_sha256,
        },
        'machine': machine(),
    }


def _cycle(whole: WholeCycles, drive: DriveCosts) -> dict[str, Any]:
    """Figures of whole cycles and of the drive they come from."""
    fast = whole.spent['fast'].median_ms
    ablation = {
        name: {
            'cpu_ms': round(spent.median_ms, 3),
            'ratio': round(spent.median_ms / fast, 3),
            'same_output': whole.cycles[name].same,
        }
        for name, spent in whole.spent.items()
        if name not in ('fast', 'naive')
    }
    return {
        'cycle_cpu_ms': round(fast, 3),
        'cycle_vs_naive': round(whole.spent['naive'].median_ms / fast, 3),
        'cycle': {name: whole.spent[name].record() for name in ('fast', 'naive')},
        'naive_same_output': whole.cycles['naive'].same,
        'ablation': ablation,
        'passes_per_cycle': round(float(np.mean(drive.passes)), 3),
        'tokens_per_cycle': round(float(np.mean([len(one.words) for one in drive.kept])), 2),
        'near_ties': drive.near_ties,
        'postprocess_cpu_ms': round(statistics.median(drive.decide_cpu_ms), 3),
    }


def machine() -> dict[str, Any]:
    """Processor and versions that the figures depend on."""
    return {
        'processor': _processor(),
        'processors': os.cpu_count(),
        'python': platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def _processor() -> str:
    try:
        with open('/proc/cpuinfo', encoding='utf-8') as file:
            names = [line.partition(':')[2].strip() for line in file if 'model name' in line]
    except OSError:
        names = []
    return names[0] if names else platform.machine()
