"""``alpamayo bench gpu``: a cycle of the model family at its real sizes on a GPU."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alpamayo_ros.cli.common.refusing import whoever_reads
from alpamayo_ros.cli.measuring.cycle.command import progress
from alpamayo_ros.cli.measuring.gpu_members import FAMILY, Member, check_machine, members
from alpamayo_ros.preflight import check_file
from alpamayo_ros.statuses import Status

if TYPE_CHECKING:
    from alpamayo_ros.budget.devices import Device
    from alpamayo_ros.model.fast.speed import Tell, Way
    from alpamayo_ros.profile import ModelProfile

NAIVE_ROUNDS = 2  # of seconds each
TINY_WORDS, TINY_ROUNDS = 10, 1


def gpu_command(
    out: Annotated[Path, typer.Option('--json', help='Write all figures here.')],
    profiles: Annotated[
        str,
        typer.Option(
            help='Members of the family by name or .yaml path, with commas; default: '
            f'{FAMILY.replace(",", ", ")}.',
            show_default=False,
        ),
    ] = FAMILY,
    rounds: Annotated[int, typer.Option(min=1, max=1000, help='Calls of which the median.')] = 20,
    windows: Annotated[
        bool, typer.Option('--windows', help='Also 1600 x 900 in windows of 19 x 20 patches.')
    ] = False,
    fp8: Annotated[
        bool, typer.Option('--fp8', help='Also with large products in fp8, calibrated first.')
    ] = False,
    tiny: Annotated[bool, typer.Option('--tiny', help='Tiny shapes, on the CPU.')] = False,
) -> None:
    """Time a cycle of the family's real sizes on a GPU, with random weights.

    Example: alpamayo bench gpu --json out/gpu.json --windows --fp8

    Encode, prefill, one word, drafted passes, all denoising steps, whole cycles of 72 words as one
    CUDA graph, and the naive way in the same run; shares of what products and memory reach on this
    card.  Before, tiny members run on it and must give the words and plans of their modules in
    single precision, and in fp8 be as near as eight bits allow (else exit 1).  Exit 6 without a
    GPU, or with --fp8 on one before Ada; --tiny runs the same on the CPU.
    """
    chosen = members(profiles, windows)
    check_file(out)  # before minutes on a GPU
    check_machine(chosen, tiny, fp8)
    out.parent.mkdir(parents=True, exist_ok=True)
    with progress() as tell:
        found = _measured(chosen, rounds, tiny, fp8, tell)
    out.write_text(json.dumps(found, indent=1) + '\n')
    from alpamayo_ros.cli.measuring.gpu_table import show

    wrong = list(_wrong(found))
    with whoever_reads():
        show(found)
        typer.echo(f'wrote {out}')
        for sentence in wrong:
            typer.echo(sentence)
    if wrong:
        raise typer.Exit(Status.FAIL)


def _wrong(found: dict[str, Any]) -> Iterator[str]:
    """Of the checks at tiny size."""
    every = found['profiles'].items()
    unlike = [name for name, one in every if not one['check']['ok']]
    if unlike:
        yield f'other words or plans than the modules, at tiny size: {", ".join(unlike)}'
    far = [name for name, one in every if not one.get('check_fp8', {'ok': True})['ok']]
    if far:
        yield f'fp8 is further off than eight bits explain, at tiny size: {", ".join(far)}'


def _measured(
    chosen: Sequence[Member], rounds: int, tiny: bool, fp8: bool, tell: Tell
) -> dict[str, Any]:
    """Machine and figures of every profile."""
    import torch

    from alpamayo_ros.budget import cpu, gpu
    from alpamayo_ros.budget.cycle import WORDS, budget
    from alpamayo_ros.cli.measuring.gpu_table import figures
    from alpamayo_ros.model.fast import speed
    from alpamayo_ros.model.tiny import tiny as tiny_of

    device, precision = (cpu.measure(), 'fp32') if tiny else (gpu.measure(fp8), 'bf16')
    where, dtype = ('cpu', torch.float32) if tiny else ('cuda', torch.bfloat16)
    narrow = 'fp8' if 'fp8' in device.rates else precision
    words = TINY_WORDS if tiny else WORDS
    ways, found = _ways(words), {}
    each, naive = (TINY_ROUNDS, 1) if tiny else (rounds, NAIVE_ROUNDS)
    for member in chosen:
        real = member.profile
        profile = tiny_of(real) if tiny else real
        counts = speed.Rounds(each, naive if member.naive else 0)
        tell(real.name, 0.0)
        checked = _checked(real, where, fp8)
        times = speed.measure(profile, where, dtype, words, ways, counts, fp8, tell)
        own, eight = (budget(profile, device, name) for name in (precision, narrow))
        found[real.name] = figures(times, own, eight, ways) | checked
    return {
        'device': platform.processor() or 'cpu' if tiny else device.title,
        'torch': torch.__version__,
        'shapes': 'tiny' if tiny else 'real',
        'precision': precision,
        'words': words,
        **_reached(device, precision),
        'profiles': found,
    }


def _checked(profile: ModelProfile, where: str, fp8: bool) -> dict[str, Any]:
    """Agreement with the modules at tiny size; in bfloat16 a figure without a bar."""
    import torch

    from alpamayo_ros.model.fast import check, check_fp8

    single = check.agreement(profile, where, torch.float32)
    half = check.agreement(profile, where, torch.bfloat16, varied=False)
    found = {'check': asdict(single) | {'ok': single.ok}, 'check_bf16': asdict(half)}
    if fp8:
        own = torch.float32 if where == 'cpu' else torch.bfloat16
        narrow = check_fp8.distance(profile, where, own)
        found['check_fp8'] = asdict(narrow) | {'ok': narrow.ok}
    return found


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
    rate, narrow = device.rate(precision), device.rate('fp8')
    assert rate is not None
    more = {} if narrow is None else {'fp8_product_tflops': narrow / 1e12}
    return {'product_tflops': rate / 1e12, **more, 'memory_gbps': device.bandwidth_gbps}
