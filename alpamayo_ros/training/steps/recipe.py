"""What a recipe of steps (``config/training/*.yaml``) says; what means nothing is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from alpamayo_ros.config_file import line_of, read_model
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.starts import check_family, refuse_evaluation

NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9_.-]{0,99}')
TAKEN = ('data', 'heads', 'model')  # what the run itself writes
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Step(BaseModel):
    """One step of a recipe; which keys count depends on ``do``."""

    model_config = ConfigDict(extra='forbid', frozen=True)
    name: str
    do: Literal['collect_expert', 'collect_policy', 'encoder', 'driver', 'joint']
    seeds: tuple[int, int] = (0, 0)
    shards: Annotated[int, Field(ge=1)] = 1
    families: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    minutes: Positive = 1.0
    peak: Positive = 1e-3
    regression: bool = False

    @field_validator('name')
    @classmethod
    def _names_files(cls, name: str) -> str:
        if not NAME.fullmatch(name) or name in TAKEN:
            raise ValueError(
                f'{name!r} cannot name files of the run: expected letters, digits, _, - and ., '
                f'the first no sign, and none of {", ".join(TAKEN)}'
            )
        return name

    @field_validator('seeds')
    @classmethod
    def _are_for_training(cls, seeds: tuple[int, int]) -> tuple[int, int]:
        if not 0 <= seeds[0] < seeds[1]:
            raise ValueError(
                f'expected [FIRST, END], the first seed and the one behind the last, got '
                f'{list(seeds)}, which holds none'
            )
        refuse_evaluation(seeds[0])
        return seeds

    @field_validator('families')
    @classmethod
    def _are_known(cls, families: tuple[str, ...]) -> tuple[str, ...]:
        for family in families:
            check_family(family)
        return families

    @property
    def collects(self) -> bool:
        """Whether it makes shards; otherwise it trains on them."""
        return self.do.startswith('collect')

    @model_validator(mode='after')
    def _has_what_it_needs(self) -> Step:
        wanted = {'families': 'families of scenarios', 'seeds': 'seeds: [FIRST, END]'}
        if not self.collects:
            wanted = {'data': 'data: names of collecting steps'}
        does = 'collects' if self.collects else 'trains'
        for key, said in wanted.items():
            if not any(getattr(self, key)):
                raise ValueError(f'step {self.name!r} {does}, so it wants {said}')
        count = self.seeds[1] - self.seeds[0]
        if self.collects and count < self.shards:
            raise ValueError(
                f'step {self.name!r} has {count} seeds for {self.shards} shards: a shard wants at '
                'least one'
            )
        return self


class Recipe(BaseModel):
    """A profile and the steps that train it."""

    model_config = ConfigDict(extra='forbid', frozen=True)
    profile: str
    steps: tuple[Step, ...]

    @field_validator('steps')
    @classmethod
    def _does_something(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        if not steps:
            raise ValueError('a recipe wants at least one step, got none')
        return steps

    @classmethod
    def from_file(cls, path: Path) -> Recipe:
        """Read and check a recipe."""
        recipe = read_model(path, cls)
        _check_names(path, [step.name for step in recipe.steps])
        return recipe


def _check_names(path: Path, names: Sequence[str]) -> None:
    for place, name in enumerate(names):
        if name in names[:place]:
            line = line_of(path, ('steps', place, 'name'))
            raise ConfigError(
                f'{path}:{line}: steps.{place}.name: {name!r} is the name of an earlier step too, '
                'so this one would count as done with it; give it another'
            )
