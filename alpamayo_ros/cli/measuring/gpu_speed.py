"""``alpamayo bench gpu``: a cycle of the model family at its real sizes on a GPU."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alpamayo_ros.cli.choices import profile_of
from alpamayo_ros.cli.measuring.cycle.command import progress
from alpamayo_ros.preflight import check_file
from alpamayo_ros.statuses import MachineError, Status

if TYPE_CHECKING:
    from alpamayo_ros.budget.cycle import Budget
    from alpamayo_ros.budget.devices import Device
    from alpamayo_ros.model.fast.speed import Tell, Times, Way
    from alpamayo_ros.profile import ModelProfile

FAMILY = 'alpamayo-0.5b,alpamayo-3b,alpamayo-7b,alpamayo-1.5-10b'
NAIVE_ROUNDS = 2  # of seconds each
TINY_WORDS, TINY_ROUNDS = 10, 1
ROOM = 1.3  # memory wanted, of weights and cache: what else a cycle and the naive way need


def gpu_command(
    out: Annotated[Path, typer.Option('--json', help='Write all figures here.')],
    profiles: Annotated[str, typer.Option(help='Members of the family, with commas.')] = FAMILY,
    rounds: Annotated[int, typer.Option(min=1, max=1000, help='Calls of which the median.')] = 20,
    tiny: Annotated[bool, typer.Option('--tiny', help='Tiny shapes, on the CPU.')] = False,
) -> None:
    """Time a cycle of the family's real sizes on a GPU, with random weights.

    Example: alpamayo bench gpu --json out/gpu.json

    Encode, prefill, one word, drafted passes, all denoising steps, whole cycles of 72 words as one
    CUDA graph, and the naive way in the same run; shares of what products and memory reach on this
    card.  Before, tiny members run on it and must give the words and plans of their modules in
    single precision (else exit 1).  Exit 6 without a GPU; --tiny runs the same on the CPU.
    """
    names = list(dict.fromkeys(filter(None, map(str.strip, profiles.split(',')))))
    chosen = [_member(name) for name in names]
    if not chosen:
        raise typer.BadParameter(f'--profiles names none; expected some of {FAMILY}')
    check_file(out)  # before minutes on a GPU
    _machine(chosen, tiny)
    out.parent.mkdir(parents=True, exist_ok=True)
    with progress() as tell:
        found = _measured(chosen, rounds, tiny, tell)
    out.write_text(json.dumps(found, indent=1) + '\n')
    _show(found)
    typer.echo(f'wrote {out}')
    wrong = [name for name, one in found['profiles'].items() if not one['check']['ok']]
    if wrong:
        typer.echo(f'other words or plans than the modules, at tiny size: {", ".join(wrong)}')
        raise typer.Exit(Status.FAIL)


def _member(name: str) -> ModelProfile:
    """A profile that has a fast path."""
    found = profile_of(name)
    if found.vision.trunk != 'vit':
        raise typer.BadParameter(
            f'--profiles: {name} has vision.trunk {found.vision.trunk!r}; expected a member of '
            f"the family, with 'vit': {FAMILY}"
        )
    return found


def _machine(chosen: Sequence[ModelProfile], tiny: bool) -> None:
    """MachineError where torch, a GPU or its memory is missing."""
    try:
        import torch
    except ImportError as error:
        raise MachineError('torch is missing: pip install -r requirements/train.txt') from error
    from alpamayo_ros.budget.cycle import memory_gb

    if tiny:
        return
    if not torch.cuda.is_available():
        raise MachineError(
            'no GPU that torch can use: the real sizes are measured on one; '
            '--tiny runs the same on the CPU'
        )
    free_gb = torch.cuda.mem_get_info()[0] / 1e9
    for profile in chosen:
        wanted_gb = ROOM * memory_gb(profile, 'bf16')
        if free_gb < wanted_gb:
            raise MachineError(
                f'{profile.name} wants {wanted_gb:.0f} GB of GPU memory, {free_gb:.0f} are free; '
                'name smaller members with --profiles'
            )


def _measured(
    chosen: Sequence[ModelProfile], rounds: int, tiny: bool, tell: Tell
) -> dict[str, Any]:
    """Machine and figures of every profile."""
    import torch

    from alpamayo_ros.budget import cpu, gpu
    from alpamayo_ros.budget.cycle import WORDS, budget
    from alpamayo_ros.model.fast import speed
    from alpamayo_ros.model.tiny import tiny as tiny_of

    device, precision = (cpu.measure(), 'fp32') if tiny else (gpu.measure(), 'bf16')
    where, dtype = ('cpu', torch.float32) if tiny else ('cuda', torch.bfloat16)
    found = {}
    for real in chosen:
        profile = tiny_of(real) if tiny else real
        words = TINY_WORDS if tiny else WORDS
        ways = _ways(words)
        counts = (TINY_ROUNDS, 1) if tiny else (rounds, NAIVE_ROUNDS)
        tell(real.name, 0.0)
        checked = _checked(real, where)
        times = speed.measure(profile, where, dtype, words, ways, *counts, tell)
        found[real.name] = _figures(times, budget(profile, device, precision), ways) | checked
    return {
        'device': platform.processor() or 'cpu' if tiny else device.title,
        'torch': torch.__version__,
        'shapes': 'tiny' if tiny else 'real',
        'precision': precision,
        'words': words,
        **_reached(device, precision),
        'profiles': found,
    }


def _checked(profile: ModelProfile, where: str) -> dict[str, Any]:
    """Agreement with the modules at tiny size; in bfloat16 a figure without a bar."""
    import torch

    from alpamayo_ros.model.fast.check import agreement

    single = agreement(profile, where, torch.float32)
    half = agreement(profile, where, torch.bfloat16, varied=False)
    return {'check': asdict(single) | {'ok': single.ok}, 'check_bf16': asdict(half)}


def _ways(words: int) -> list[Way]:
    """The drafted ways of the budget, with as many passes as they need."""
    from alpamayo_ros.budget.cycle import DECODINGS
    from alpamayo_ros.model.fast.cycle import Passes
    from alpamayo_ros.model.fast.speed import Way

    return [
        Way(way.name, Passes(way.width, way.passes(words)), way.accepted)
        for way in DECODINGS
        if way.width > 1
    ]


def _reached(device: Device, precision: str) -> dict[str, float]:
    rate = device.rate(precision)
    assert rate is not None
    return {'product_tflops': rate / 1e12, 'memory_gbps': device.bandwidth_gbps}


def _figures(times: Times, paper: Budget, ways: Sequence[Way]) -> dict[str, Any]:
    """One profile: times, shares of the roofline, how many times as fast as the naive way."""
    roofs = {stage.name: stage.roofline_ms for stage in paper.stages}
    roofs |= {name: stage.roofline_ms for name, stage in paper.passes.items()}
    roofs['token'] = roofs.pop('plain')
    shares = {name: roofs[name] / spent for name, spent in times.stages.items()}
    fixed = sum(stage.roofline_ms for stage in paper.stages)
    for way in ways:
        whole = fixed + way.passes.count * roofs[way.name]
        shares[f'cycle {way.name}'] = whole / times.cycles[way.name]
    return {
        'stages_ms': times.stages,
        'cycle_ms': times.cycles,
        'naive_ms': times.naive_ms,
        'times_as_fast': {name: times.naive_ms / spent for name, spent in times.cycles.items()},
        'upload_ms': times.upload_ms,
        'memory_gb': times.memory_gb,
        'share_of_roofline': shares,
        'words_unlike_plain': times.words_unlike_plain,
        'words_unwritten': times.unwritten,
    }


def _show(found: dict[str, Any]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from alpamayo_ros.cli.common import tables

    table = Table('ms (share of roofline)', *found['profiles'], box=SIMPLE_HEAD)
    profiles = list(found['profiles'].values())
    for name in profiles[0]['stages_ms']:
        table.add_row(name, *(_timed(one, 'stages_ms', name, name) for one in profiles))
    for name in profiles[0]['cycle_ms']:
        cells = [_timed(one, 'cycle_ms', name, f'cycle {name}') for one in profiles]
        table.add_row(f'cycle, {name}', *cells)
    table.add_row('naive', *(f'{one["naive_ms"]:.0f}' for one in profiles))
    for name in profiles[0]['cycle_ms']:
        cells = [f'{one["times_as_fast"][name]:.1f}' for one in profiles]
        table.add_row(f'times as fast, {name}', *cells)
    table.add_row('memory, GB', *(_or_none(one['memory_gb']) for one in profiles))
    tables.show(table)


def _timed(one: dict[str, Any], kind: str, name: str, share: str) -> str:
    return f'{one[kind][name]:.2f} ({100 * one["share_of_roofline"][share]:.0f} %)'


def _or_none(value: float | None) -> str:
    return '-' if value is None else f'{value:.1f}'
