"""Scenarios as data: ``config/scenarios/*.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from alpamayo_ros.profile import share_dir


class _Strict(BaseModel):
    model_config = ConfigDict(extra='forbid', frozen=True)


class Start(_Strict):
    """Where the ego begins: arc along the lane, offset and heading error (left positive),
    speed.
    """

    arc_m: float = Field(default=10.0, ge=0)
    offset_m: float = Field(default=0.0, ge=-2, le=5.5)
    heading_error_rad: float = Field(default=0.0, ge=-1, le=1)
    speed_mps: float = Field(default=5.0, ge=0, le=10)


class Traffic(_Strict):
    """Who else is there.  ``stopped_car_probability``: share of the seeds with a car standing in
    the lane.  ``town``: the map ('' : the seed chooses); ``cars``, ``pedestrians``: in the town.
    """

    oncoming: bool = True
    stopped_car_probability: float = Field(default=0.0, ge=0, le=1)
    stopped_car_arc_m: float | None = Field(default=None, gt=0)
    leader: bool = False
    town: Literal['', 'town_0', 'town_1', 'town_2', 'town_3', 'town_4', 'town_5'] = ''
    cars: int = Field(default=0, ge=0, le=120)
    pedestrians: int = Field(default=0, ge=0, le=120)


class Looks(_Strict):
    """Appearance; what is absent is drawn from the seed."""

    fog_1pm: float | None = Field(default=None, ge=0, le=0.1)


class Scenario(_Strict):
    """One kind of drive; the seed decides the rest.  ``goal_m``: distance along the lane that
    ends it.  ``verdict``: which rule of ``simulation.verdict`` says whether it went right.
    """

    name: str
    description: str
    map: Literal['winding_road', 'town'] = 'winding_road'
    verdict: Literal['reach', 'stop_or_reach', 'follow', 'town'] = 'reach'
    duration_s: float = Field(gt=0, le=600)
    goal_m: float = Field(default=300.0, gt=0, le=400)
    start: Start = Start()
    traffic: Traffic = Traffic()
    looks: Looks = Looks()


def scenario_names() -> list[str]:
    """Names of the scenarios that ship with the package."""
    return sorted(p.stem for p in (share_dir() / 'config' / 'scenarios').glob('*.yaml'))


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Read a scenario by name or .yaml path; pydantic.ValidationError says which key is wrong."""
    path = Path(name_or_path)
    if path.suffix != '.yaml':
        path = share_dir() / 'config' / 'scenarios' / f'{name_or_path}.yaml'
    if not path.is_file():
        raise FileNotFoundError(f'no scenario {str(name_or_path)!r}; there are {scenario_names()}')
    return Scenario.model_validate(yaml.safe_load(path.read_text()))
