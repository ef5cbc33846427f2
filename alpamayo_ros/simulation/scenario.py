"""Scenarios as data: ``config/scenarios/*.yaml``, and in folders by family for the suite."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from alpamayo_ros.config_file import described, find, line_of, read_model
from alpamayo_ros.profile import share_dir
from alpamayo_ros.simulation import fault_rows, inject
from alpamayo_ros.simulation.actor_models import AnyActor
from alpamayo_ros.simulation.inject import ALL
from alpamayo_ros.simulation.road import ROAD_M
from alpamayo_ros.simulation.scenario_uses import check_uses
from alpamayo_ros.simulation.sim_rig import sim_cameras
from alpamayo_ros.simulation.town_names import MAP_NAMES, TRAINING_MAPS
from alpamayo_ros.statuses import ConfigError

Map = Literal['winding_road', 'town', 'motorway', 'roundabout', 'log']
Verdict = Literal['reach', 'stop_or_reach', 'follow', 'town', 'safe']
MOST_ACTORS = 100
ACROSS_M = 2.0  # from this shift on a way lies in the other lane
Width = Annotated[float, Field(gt=0, le=20)]
Split = Literal['', 'train', 'val', 'test', 'logs']


def _known(town: str) -> str:
    if town and town not in MAP_NAMES + TRAINING_MAPS:
        raise ValueError(f'there are {MAP_NAMES[0]} to {TRAINING_MAPS[-1]}, and no {town!r}')
    return town


Town = Annotated[str, AfterValidator(_known)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra='forbid', frozen=True)


class Start(_Strict):
    """Where the ego begins.

    Arc along the lane, offset and heading error (left positive), speed.
    """

    arc_m: float = Field(default=10.0, ge=0, le=1500)
    offset_m: float = Field(default=0.0, ge=-2, le=5.5)
    heading_error_rad: float = Field(default=0.0, ge=-1, le=1)
    speed_mps: float = Field(default=5.0, ge=0, le=40)


class Traffic(_Strict):
    """Who else is there.

    ``stopped_car_probability``: share of the seeds with a car standing in the lane.  ``town``: the
    map ('' : the seed chooses); ``cars``, ``pedestrians``: in the town, cars also elsewhere.
    ``log``: path (beside the scenario's file too) or name of a recorded scene whose agents are
    replayed; ``rear_immunity``: one that runs into the ego from behind, because it cannot react,
    leaves the scene instead; ``lead_in_s``: so long the expert drives, until a planner has its
    frame history (0.8 s) and is armed (1 s).
    """

    oncoming: bool = True
    stopped_car_probability: float = Field(default=0.0, ge=0, le=1)
    stopped_car_arc_m: float | None = Field(default=None, gt=0, le=1500)
    leader: bool = False
    town: Town = ''
    cars: int = Field(default=0, ge=0, le=120)
    pedestrians: int = Field(default=0, ge=0, le=120)
    log: str = ''
    rear_immunity: bool = True
    lead_in_s: float = Field(default=1.8, ge=0, le=10)


class Closure(_Strict):
    """Road works from ``from_m`` to ``to_m``; the way on lies ``shift_m`` left of the lane.

    ``construction``: cones on both sides, ``width_m`` apart at severity 0 and 1.
    ``lane_closure``: barriers across the lane after a taper of cones; ``shift_m`` 0: the whole
    road is closed.
    """

    from_m: float = Field(gt=0, le=1500)
    to_m: float = Field(gt=0, le=1500)
    kind: Literal['construction', 'lane_closure'] = 'construction'
    shift_m: float = Field(default=0.0, ge=-6, le=6)
    taper_m: float = Field(default=20.0, gt=0, le=80)
    width_m: tuple[Width, Width] = (3.4, 2.8)

    @model_validator(mode='after')
    def _forwards(self) -> Closure:
        if self.to_m <= self.from_m:
            raise ValueError(f'expected to_m beyond from_m, got {self.from_m} to {self.to_m}')
        return self


class RoadShape(_Strict):
    """The road.

    ``straight``, ``length_m``, ``curvature_scale`` (of the seed's): winding road; ``turns``: the
    first junctions of a town, as in 'lsr', '' : the seed's; ``signal``: what the first junction's
    shows at the start (``turns_red``: it is green until the ego is near), '' : whatever is there;
    ``lanes``, ``ramp``: motorway; ``exit``: the one to take of a roundabout, 0: the seed's.
    """

    straight: bool = False
    length_m: float = Field(default=ROAD_M, ge=100, le=5000)
    curvature_scale: float = Field(default=1.0, ge=0, le=1.5)
    closures: tuple[Closure, ...] = Field(default=(), max_length=MOST_ACTORS)
    turns: str = Field(default='', pattern='^[lsr]*$', max_length=100)
    signal: Literal['', 'any', 'red', 'green', 'turns_red'] = ''
    lanes: int = Field(default=2, ge=1, le=4)
    ramp: Literal['', 'merge', 'exit'] = ''
    exit: int = Field(default=0, ge=0, le=4)


class Looks(_Strict):
    """Appearance; what is absent is drawn from the seed.  ``rain``: 0 dry to 1 heavy."""

    fog_1pm: float | None = Field(default=None, ge=0, le=0.1)
    rain: float = Field(default=0.0, ge=0, le=1)
    light: Literal['day', 'dusk', 'night'] = 'day'


class Scenario(_Strict):
    """One kind of drive; the seed decides the rest.

    ``goal_m``: distance along the lane that ends it.  ``verdict``: which rule of
    ``simulation.drive.verdict`` says whether it went right.

    ``family``, ``split``: its place in the suite.  ``severity``: 0 easy to 1 hard, for its actors.
    ``speed_limit_mps``: what signs say, None where there are none.  ``faults``: sensor faults in
    the words of ``simulation.fault_rows``; sources: cameras, ``odometry``, ``model`` or ``*``.
    """

    name: str
    description: str
    family: str = ''
    split: Split = ''
    severity: float = Field(default=0.5, ge=0, le=1)
    map: Map = 'winding_road'
    verdict: Verdict = 'reach'
    duration_s: float = Field(gt=0, le=600)
    goal_m: float = Field(default=300.0, gt=0, le=1500)
    speed_limit_mps: float | None = Field(default=None, gt=0, le=60)
    start: Start = Start()
    traffic: Traffic = Traffic()
    road: RoadShape = RoadShape()
    actors: tuple[AnyActor, ...] = Field(default=(), max_length=MOST_ACTORS)
    faults: str = ''
    looks: Looks = Looks()

    @field_validator('faults')
    @classmethod
    def _understood(cls, text: str, info: ValidationInfo) -> str:
        fault_rows.parse(text)
        known = [*(c.name for c in sim_cameras()), 'odometry', 'model', ALL]
        end_s = info.data.get('duration_s', inject.FOREVER)
        for name, given in fault_rows.calls(text):
            if given.get('source', ALL) not in known:
                raise ValueError(f'no source {given["source"]!r}; there are {", ".join(known)}')
            if (begin_s := fault_rows.begin_s(given)) >= end_s:
                said = f'{name} begins after {begin_s:g} s, and the drive ends after {end_s:g} s'
                raise ValueError(f'{said} (duration_s): it would change nothing')
        return text

    @model_validator(mode='after')
    def _oncoming_knows(self) -> Scenario:
        aside = [c.shift_m for c in self.road.closures]
        aside += [getattr(a, 'detour_m', 0.0) for a in self.actors]
        if self.traffic.oncoming and max(aside, default=0.0) > ACROSS_M:
            raise ValueError(
                'the simple oncoming traffic would drive into whoever passes in its lane: set '
                'traffic: {oncoming: false} and name oncoming actors'
            )
        return self

    @model_validator(mode='after')
    def _means_something(self) -> Scenario:
        check_uses(self.map, {'traffic': self.traffic, 'road': self.road})
        return self

    @model_validator(mode='after')
    def _log_is_named(self) -> Scenario:
        if self.map == 'log' and not self.traffic.log:
            raise ValueError(
                'map: log wants the log to be driven, and none is named: add traffic: {log: FILE},'
                ' a .json of alpamayo data log or the name of one that ships (config/logs)'
            )
        return self


def with_faults(scenario: Scenario, faults: str) -> Scenario:
    """The scenario with further sensor faults; ValueError says what is not understood."""
    fault_rows.parse(faults)
    both = '; '.join(filter(None, (scenario.faults, faults)))
    try:
        return Scenario.model_validate(scenario.model_dump() | {'faults': both})
    except ValidationError as error:
        raise ValueError(described(error.errors()[0], Scenario)) from error


def _files() -> dict[str, Path]:
    """The scenario files by name, those in folders too."""
    return {p.stem: p for p in sorted((share_dir() / 'config' / 'scenarios').rglob('*.yaml'))}


def scenario_names() -> list[str]:
    """Names of the scenarios that ship with the package."""
    return sorted(_files())


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Read a scenario by name or .yaml path; ConfigError names file, line and key.

    The log that it replays is read too: one that cannot be driven is refused here.
    """
    path = find('scenario', name_or_path, _files(), 'alpamayo sim --list names them')
    scenario = read_model(path, Scenario)
    beside = path.parent / scenario.traffic.log
    if scenario.traffic.log and beside.is_file():
        traffic = scenario.traffic.model_copy(update={'log': str(beside.resolve())})
        scenario = scenario.model_copy(update={'traffic': traffic})
    if scenario.traffic.log:
        _check_log(path, scenario.traffic.log)
    return scenario


def _check_log(path: Path, log: str) -> None:
    from alpamayo_ros.datasets.log_format import LogError, read_log

    try:
        read_log(log)
    except LogError as error:
        line = line_of(path, ('traffic', 'log'))
        raise ConfigError(f'{path}:{line}: traffic.log: {error}') from error
