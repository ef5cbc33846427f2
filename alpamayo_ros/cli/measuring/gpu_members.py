"""Which members ``alpamayo bench gpu`` measures, and whether the machine can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import typer

from alpamayo_ros.cli.choices import profile_of
from alpamayo_ros.model.windowed import WINDOW, windowed
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.statuses import MachineError

FAMILY = 'alpamayo-0.5b,alpamayo-3b,alpamayo-7b,alpamayo-1.5-10b'
ROOM = 1.3  # memory wanted, of weights and cache: what else a cycle and the naive way need


@dataclass(frozen=True, slots=True)
class Member:
    """A profile, and whether the naive way is measured with it: not again for a variant."""

    profile: ModelProfile
    naive: bool


def members(profiles: str, windows: bool) -> list[Member]:
    """Profiles by name or path, with commas; with ``windows`` their windowed variants too."""
    names = list(dict.fromkeys(filter(None, map(str.strip, profiles.split(',')))))
    chosen = [_member(name) for name in names]
    if not chosen:
        raise typer.BadParameter(f'--profiles names none; expected some of {FAMILY}')
    found = [Member(profile, naive=True) for profile in chosen]
    if windows:
        found += _variants(chosen, profiles)
    named = Counter(member.profile.name for member in found)
    twice = [name for name, count in named.items() if count > 1]
    if twice:
        raise typer.BadParameter(
            f'--profiles {profiles}: two are called {twice[0]}; give one another name'
        )
    return found


def _variants(chosen: Sequence[ModelProfile], profiles: str) -> list[Member]:
    variants = [variant for profile in chosen if (variant := windowed(profile)) is not None]
    if not variants:
        raise typer.BadParameter(
            f'--windows: no member of --profiles {profiles} has patches that windows of '
            f'{WINDOW[0]} x {WINDOW[1]} divide, and none yet; expected one of 1600 x 900 pixels'
        )
    return [Member(variant, naive=False) for variant in variants]


def _member(name: str) -> ModelProfile:
    """A profile that has a fast path."""
    found = profile_of(name)
    if found.vision.trunk != 'vit':
        raise typer.BadParameter(
            f'--profiles: {name} has vision.trunk {found.vision.trunk!r}; expected a member of '
            f"the family, with 'vit': {FAMILY}"
        )
    return found


def check_machine(chosen: Sequence[Member], tiny: bool, fp8: bool) -> None:
    """MachineError where torch, a GPU, its memory or its eight bits are missing."""
    try:
        import torch
    except ImportError as error:
        raise MachineError('torch is missing: pip install -r requirements/train.txt') from error
    from alpamayo_ros.budget.cycle import memory_gb
    from alpamayo_ros.model.fast.eight_bits import refusal

    if tiny:
        return
    if not torch.cuda.is_available():
        raise MachineError(
            'no GPU that torch can use: the real sizes are measured on one; '
            '--tiny runs the same on the CPU'
        )
    why = refusal(torch.device('cuda')) if fp8 else None
    if why is not None:
        raise MachineError(f'--fp8: {why}; leave it out')
    free_gb = torch.cuda.mem_get_info()[0] / 1e9
    for profile in (member.profile for member in chosen):
        wanted_gb = ROOM * memory_gb(profile, 'bf16')
        if free_gb < wanted_gb:
            raise MachineError(
                f'{profile.name} wants {wanted_gb:.0f} GB of GPU memory, {free_gb:.0f} are free; '
                'name smaller members with --profiles'
            )
