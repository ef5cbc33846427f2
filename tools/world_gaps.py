"""What training never meets: ``python tools/world_gaps.py --split val``.

Draws random worlds as a training does and compares them with a split's templates, number by
number: who is there, how fast, where, on which map, in which light.  A line names what lies
outside the worlds or at their very edge; a model is asked there what nobody taught it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import typer
from pydantic import BaseModel

from alpamayo_ros.simulation.batch.suite import SuiteError, templates
from alpamayo_ros.simulation.scenario import Scenario
from alpamayo_ros.training.random_worlds.worlds import random_world

Place = tuple[str, str]  # of what, the name of the number
RARE = 0.02  # share of the worlds beyond a number, or with a word, below which it is a gap


@dataclass(slots=True)
class Met:
    """What the worlds had at one place."""

    numbers: list[float] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def lacks(self, value: float | str) -> str:
        """Why a value is a gap; '' where the worlds have it."""
        if isinstance(value, str):
            seen = self.words.count(value)
            often = seen >= RARE * max(len(self.words), 1)
            return '' if often or not value else f'in {seen} of {len(self.words)}'
        met = np.array(self.numbers)
        if not len(met):
            return 'never'
        beyond = min((met < value).mean(), (met > value).mean())
        if beyond >= RARE or (met == value).mean() >= RARE:
            return ''
        low, high = np.quantile(met, [RARE, 1 - RARE])
        return f'mostly {low:.4g} to {high:.4g}, of {len(met)}'


def parts(world: Scenario) -> Iterator[tuple[str, BaseModel]]:
    """The models a world consists of, by what they describe."""
    for actor in world.actors:
        who = getattr(actor, 'who', '') or getattr(actor, 'what', '')
        yield f'{actor.kind} {who}'.strip(), actor
    for name in ('road', 'traffic', 'looks', 'start'):
        yield f'{name} of {world.map}', getattr(world, name)


def values(world: Scenario) -> Iterator[tuple[Place, float | str]]:
    """Every number and word of a world; of a pair, both ends."""
    for what, part in parts(world):
        for name, value in part:
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, int | float):
                    yield (what, name), float(one)
                elif isinstance(one, str):
                    yield (what, name), one


def main(
    split: str = 'val',
    worlds: Annotated[int, typer.Option(min=1)] = 4000,
    seed: Annotated[int, typer.Option(min=0)] = 40000,
) -> None:
    """Print what of ``split`` lies outside ``worlds`` random worlds."""
    try:
        asked = templates(split)
    except SuiteError as error:
        raise typer.BadParameter(str(error)) from None
    met: dict[Place, Met] = {}
    for k in range(worlds):
        for place, value in values(random_world(np.random.default_rng(seed + k), towns=True)):
            found = met.setdefault(place, Met())
            (found.words if isinstance(value, str) else found.numbers).append(value)  # type: ignore[arg-type]
    for template in asked:
        for place, value in values(template):
            if said := met.get(place, Met()).lacks(value):
                shown = value if isinstance(value, str) else f'{value:.4g}'
                typer.echo(f'{template.name}: {place[0]}: {place[1]} {shown}: {said}')


if __name__ == '__main__':
    typer.run(main)
