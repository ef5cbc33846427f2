"""``alpamayo budget``: which profile holds 10 Hz on which device, on paper."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alpamayo_ros.cli.choices import one_of, profile_of

if TYPE_CHECKING:
    from alpamayo_ros.budget.cycle import Budget, StageTime
    from alpamayo_ros.budget.devices import Device
    from alpamayo_ros.profile import ModelProfile

HERE = 'cpu'

WordsOption = Annotated[
    int, typer.Option(min=0, max=4096, help='Tokens of the chain of causation.')
]


def budget(
    profile: Annotated[
        str, typer.Option(help='A profile by name, or a .yaml path; default: each of ours.')
    ] = '',
    device: Annotated[
        str,
        typer.Option(
            help='a100, h100, rtx-pro-6000, thor, orin; cpu: one core of this machine, measured.'
        ),
    ] = '',
    words: WordsOption = 72,
    as_json: Annotated[bool, typer.Option('--json', help='The figures as JSON.')] = False,
) -> None:
    """Bytes, operations and time of a cycle from the shapes of a profile; nothing is loaded.

    With --device every stage in every precision, otherwise which mode holds 10 Hz where.

    Example: alpamayo budget --profile alpamayo-7b --device h100
    """
    from alpamayo_ros.budget.answer import counted_profiles

    profiles = [profile_of(name) for name in ([profile] if profile else counted_profiles())]
    devices = _devices(device)
    if as_json:
        found = [_record(p, d, words) for p in profiles for d in devices]
        typer.echo(json.dumps(found, indent=1))
    elif device:
        for one in profiles:
            _print_stages(one, devices[0], words)
    else:
        _print_matrix(profiles, devices, words)


def _devices(name: str) -> list[Device]:
    from alpamayo_ros.budget.cpu import measure
    from alpamayo_ros.budget.devices import DEVICES

    known = {device.name: device for device in DEVICES}
    one_of('device', name, ('', *known, HERE))
    if name == HERE:
        return [measure()]
    return [known[name]] if name else [*DEVICES, measure()]


def _record(profile: ModelProfile, device: Device, words: int) -> dict[str, Any]:
    """Everything of a profile on a device as plain data."""
    from alpamayo_ros.budget.answer import answer, modes

    chosen = answer(profile, device, words)
    rows = [
        {
            'precision': mode.budget.precision,
            'decoding': mode.decoding.name,
            'cycle_ms': mode.cycle_ms,
            'holds_10_hz': mode.holds,
            'longest_words': mode.budget.longest(mode.decoding),
            'memory_gb': mode.budget.memory_gb,
            'stages': [
                _stage(s) for s in (*mode.budget.stages, mode.budget.passes[mode.decoding.name])
            ],
        }
        for mode in modes(profile, device, words)
    ]
    best = {'precision': chosen.budget.precision, 'decoding': chosen.decoding.name}
    head = {'profile': profile.name, 'device': device.name, 'source': device.source}
    return {**head, 'words': words, 'holds_10_hz': chosen.holds, **best, 'modes': rows}


def _stage(stage: StageTime) -> dict[str, Any]:
    return {
        'name': stage.name,
        'flops': stage.flops,
        'bytes': stage.bytes_moved,
        'roofline_ms': stage.roofline_ms,
        'expected_ms': stage.expected_ms,
    }


def _print_matrix(profiles: list[ModelProfile], devices: list[Device], words: int) -> None:
    from rich.table import Column, Table

    from alpamayo_ros.budget.answer import answer
    from alpamayo_ros.cli.common import tables

    table = Table(
        Column('profile', no_wrap=True), title=f'10 Hz with {words} words: mode and expected cycle'
    )
    for device in devices:
        table.add_column(device.name)
    for profile in profiles:
        table.add_row(profile.name, *(str(answer(profile, device, words)) for device in devices))
    tables.show(table)
    typer.echo('Expected, not measured: docs/budget.md says what the figures rest on.')


def _print_stages(profile: ModelProfile, device: Device, words: int) -> None:
    from alpamayo_ros.budget.answer import answer
    from alpamayo_ros.budget.cycle import budget as of
    from alpamayo_ros.budget.cycle import precisions

    typer.echo(f'{profile.name} on {device.title} ({device.source}); {words} words')
    for precision in precisions(device):
        _print_precision(of(profile, device, precision), words)
    typer.echo(f'10 Hz: {answer(profile, device, words)}')


def _print_precision(found: Budget, words: int) -> None:
    from rich.table import Table

    from alpamayo_ros.budget.cycle import DECODINGS
    from alpamayo_ros.cli.common import tables

    memory = '' if found.fits else f', more than the {found.device.memory_gb:.0f} GB it has'
    table = Table('stage', title=f'{found.precision}, {found.memory_gb:.1f} GB{memory}')
    for name in ('GFLOP', 'MB', 'roofline ms', 'expected ms'):
        table.add_column(name, justify='right')
    for stage in (*found.stages, *found.passes.values()):
        name = f'a pass, {stage.name}' if stage.name in found.passes else stage.name
        numbers = (stage.flops / 1e9, stage.bytes_moved / 1e6, stage.roofline_ms)
        table.add_row(name, *(f'{n:,.2f}' for n in (*numbers, stage.expected_ms)))
    tables.show(table)
    for decoding in DECODINGS:
        longest = found.longest(decoding)
        room = f'{longest} words' if longest >= 0 else 'nothing'
        typer.echo(
            f'  {decoding.name}: cycle {found.cycle_ms(decoding, words):.1f} ms; {room} in 100 ms'
        )


app = budget
