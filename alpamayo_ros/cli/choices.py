"""Options that several commands share, and the refusal of a value that is not among the known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from alpamayo_ros.runtime import registry
from alpamayo_ros.runtime.foreign import FORM

METAVAR = '|'.join((*registry.NAMES, FORM))
RuntimeOption = Annotated[
    str, typer.Option('--runtime', help=registry.HELP, metavar=f'[{METAVAR}]')
]


def one_of(name: str, value: str, known: Sequence[str]) -> None:
    """typer.BadParameter unless ``value`` is among ``known``; '' there stands for none."""
    if value not in known:
        raise typer.BadParameter(f'--{name} {value!r}; there are {", ".join(filter(None, known))}')


def runtime_of(name: str) -> str:
    """``name`` where there is such a runtime and its package; typer.BadParameter otherwise."""
    from alpamayo_ros.faults import Fault

    found = registry.find(name)
    if isinstance(found, Fault):
        raise typer.BadParameter(f'--runtime: {found.message}')
    return found.name
