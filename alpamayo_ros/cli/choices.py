"""Options that several commands share, and the refusal of a value that is not among the known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from alpamayo_ros.config_file import nearest
from alpamayo_ros.runtime import registry
from alpamayo_ros.statuses import ConfigError

if TYPE_CHECKING:
    from alpamayo_ros.profile import ModelProfile

RuntimeOption = Annotated[str, typer.Option('--runtime', help=registry.HELP, metavar='<name>')]


WordsEvery = Annotated[
    float, typer.Option(min=0, max=2, help='Seconds that the model keeps its words; 0: none.')
]
WordsConcurrent = Annotated[
    bool,
    typer.Option(
        '--words-concurrent',
        help='New words come after the plan, which goes by older ones.',
    ),
]


def words_option(every_s: float, concurrent: bool) -> str:
    """Which of the two was given, '' for none; typer.BadParameter for both."""
    if every_s and concurrent:
        raise typer.BadParameter('--words-every and --words-concurrent exclude each other')
    return '--words-every' if every_s else '--words-concurrent' if concurrent else ''


def one_of(name: str, value: str, known: Sequence[str]) -> None:
    """typer.BadParameter unless ``value`` is among ``known``; '' there stands for none."""
    if value not in known:
        there = ', '.join(filter(None, known))
        raise typer.BadParameter(f'--{name} {value!r}{nearest(value, known)}; there are {there}')


def profile_of(name: str) -> ModelProfile:
    """A profile of this package's networks, by name or .yaml path.

    typer.BadParameter says which of its keys is wrong, or that the networks are a vendor's.
    """
    from alpamayo_ros.model.layout import token_layout

    found = any_profile_of(name)
    if found.released:
        raise typer.BadParameter(
            f"{name} is a released model, whose networks are the vendor's; expected a profile "
            "with architecture 'own' (alpamayo model show says what a profile is)"
        )
    try:
        token_layout(found)
    except ValueError as error:
        raise typer.BadParameter(f'{name}: its sizes do not go together: {error}') from None
    return found


def any_profile_of(name: str) -> ModelProfile:
    """A profile of any architecture; typer.BadParameter says which of its keys is wrong."""
    from alpamayo_ros.profile import load_profile

    try:
        return load_profile(name)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from None


def runtime_of(name: str) -> str:
    """``name`` where there is such a runtime and its package; typer.BadParameter otherwise."""
    from alpamayo_ros.faults import Fault

    found = registry.find(name)
    if isinstance(found, Fault):
        raise typer.BadParameter(f'--runtime: {found.message}')
    return found.name
