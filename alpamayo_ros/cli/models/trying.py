"""``alpamayo model try``: what became of an architecture on made-up numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from alpamayo_ros.cli.common.refusing import whoever_reads

if TYPE_CHECKING:
    from alpamayo_ros.model.trial import Trial
    from alpamayo_ros.profile import ModelProfile

ROUNDED = 0.5  # hidden states are of order 1 and carry some 1 % of rounding
LEARNT = 0.7  # of the first loss: one batch, seen again and again, is learnt by heart


def report(profile: ModelProfile, steps: int, seed: int) -> bool:
    """Try ``profile`` at test size and print each finding; whether all are good."""
    from alpamayo_ros.model.tiny import tiny
    from alpamayo_ros.model.trial import trial

    found = trial(tiny(profile), steps, seed)
    rows = list(findings(found, steps))
    with whoever_reads():
        typer.echo(f'{profile.name} at test size, {found.parameters:,} parameters:')
        for good, text in rows:
            typer.echo(f'  {"ok  " if good else "FAIL"}  {text}')
    return all(good for good, _ in rows)


def findings(found: Trial, steps: int) -> Iterator[tuple[bool, str]]:
    """Whether it is good, and a sentence."""
    learnt = found.last_loss < LEARNT * found.first_loss
    yield learnt, f'loss {found.first_loss:.2f} -> {found.last_loss:.2f} in {steps} steps'
    names = ', '.join(found.unreached[:3]) or 'every weight had a gradient'
    yield not found.unreached, f'never reached: {names}' if found.unreached else names
    spread = f'candidates are {found.apart_m:.2f} m apart'
    yield found.finite, spread if found.finite else 'sampled plans are not finite'
    rounded = f'in bfloat16 hidden states move by {found.bfloat16:.2f}'
    yield found.bfloat16 < ROUNDED, rounded
    for name, moved in found.differences.items():
        good = math.isfinite(moved) and moved > 0.0
        yield good, f'without {name} the last hidden state moves by {moved:.2f}'
