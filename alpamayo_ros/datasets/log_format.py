"""A recorded scene as neutral JSON: who drove where, what the road looked like, whose data it is.

SI units; x east, y north [m] from an origin near the ego's start; headings [rad] anticlockwise
from east; one entry every 0.1 s.  Places are those of box centres.  Nothing outside these types
is read: unknown keys, NaN, other lengths and anything too large are refused by name.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from alpamayo_ros.config_file import unknown
from alpamayo_ros.profile import share_dir
from alpamayo_ros.statuses import ConfigError

DT_S = 0.1
MAX_STEPS = 3000  # five minutes
MAX_BYTES = 32 << 20
REACH_M = 20_000.0  # coordinates are local
MAX_STEP_M = 20.0  # from one entry to the next: 200 m/s, no vehicle and no noise of a tracker
FORMAT: Literal['alpamayo_log'] = 'alpamayo_log'

Kind = Literal[
    'car', 'van', 'truck', 'bus', 'motorcycle', 'cyclist', 'pedestrian', 'cone', 'barrier', 'other'
]  # fmt: skip
LineKind = Literal['lane_centre', 'lane_line', 'road_edge', 'crosswalk', 'stop_line']
Paint = Literal['', 'white', 'white_dashed', 'yellow', 'yellow_dashed', 'yellow_double']
Light = Literal['red', 'yellow', 'green', 'unknown']
Metres = Annotated[float, Field(ge=-REACH_M, le=REACH_M)]
Radians = Annotated[float, Field(ge=-1000, le=1000)]
Speed = Annotated[float, Field(ge=0, le=100)]
Series = Field(min_length=1, max_length=MAX_STEPS)
Text = Annotated[str, Field(max_length=400)]
Name = Annotated[str, Field(max_length=80)]
Step = Annotated[int, Field(ge=0, lt=MAX_STEPS)]


class LogError(ConfigError):
    """A log that cannot be used; the text names the file, the field and what to do."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra='forbid', frozen=True, allow_inf_nan=False)


class Track(_Strict):
    """Somebody from step ``first`` on, without a gap.

    Who is lost and found again has a track each time.  ``speed_mps`` along the heading.
    ``stands``: with one entry, for so many steps.
    """

    id: Name
    kind: Kind
    length_m: float = Field(gt=0, le=30)
    width_m: float = Field(gt=0, le=6)
    first: int = Field(default=0, ge=0, lt=MAX_STEPS)
    stands: int = Field(default=1, ge=1, le=MAX_STEPS)
    x_m: tuple[Metres, ...] = Series
    y_m: tuple[Metres, ...] = Series
    heading_rad: tuple[Radians, ...] = Series
    speed_mps: tuple[Speed, ...] = Series

    @model_validator(mode='after')
    def _same_lengths(self) -> Track:
        lengths = {len(v) for v in (self.x_m, self.y_m, self.heading_rad, self.speed_mps)}
        if len(lengths) > 1:
            raise ValueError(f'x_m, y_m, heading_rad and speed_mps differ in length: {lengths}')
        if self.stands > 1 and (len(self.x_m) > 1 or self.speed_mps[0] > 0):
            raise ValueError(f'stands {self.stands} steps, but with more entries or with a speed')
        return self

    @model_validator(mode='after')
    def _moves(self) -> Track:
        far_m = np.hypot(np.diff(self.x_m), np.diff(self.y_m))
        if (far_m > MAX_STEP_M).any():
            step = int((far_m > MAX_STEP_M).argmax())
            raise ValueError(
                f'{self.id!r} moves {far_m[step]:.0f} m from entry {step} to the next, {DT_S} s; '
                f'expected {MAX_STEP_M:.0f} m at most'
            )
        return self

    @property
    def steps(self) -> int:
        """How many steps it is there."""
        return max(len(self.x_m), self.stands)

    def states(self) -> Float[np.ndarray, 'n 4']:
        """x, y [m], heading [rad], speed [m/s], a row each step."""
        rows = np.stack([self.x_m, self.y_m, self.heading_rad, self.speed_mps], 1)
        return np.repeat(rows, self.stands, 0)


class Line(_Strict):
    """A polyline of the map; a crosswalk is the outline of its area.

    ``width_m``, ``speed_limit_mps``: of a lane.  ``paint``: of a lane line.
    """

    id: Name = ''
    kind: LineKind
    x_m: tuple[Metres, ...] = Field(min_length=2, max_length=5000)
    y_m: tuple[Metres, ...] = Field(min_length=2, max_length=5000)
    width_m: float = Field(default=3.5, gt=0.5, le=15)
    speed_limit_mps: float | None = Field(default=None, gt=0, le=60)
    paint: Paint = ''

    @model_validator(mode='after')
    def _same_lengths(self) -> Line:
        if len(self.x_m) != len(self.y_m):
            raise ValueError(f'{len(self.x_m)} x_m and {len(self.y_m)} y_m')
        return self

    def points(self) -> Float[np.ndarray, 'n 2']:
        """The points in order."""
        return np.stack([self.x_m, self.y_m], 1)


class Signal(_Strict):
    """The light that rules a lane, seen at its stop point.

    ``lights[i]`` is shown from step ``steps[i]`` on.
    """

    lane: Name = ''
    x_m: Metres
    y_m: Metres
    steps: tuple[Step, ...] = Series
    lights: tuple[Light, ...] = Series

    @model_validator(mode='after')
    def _in_order(self) -> Signal:
        if len(self.steps) != len(self.lights):
            raise ValueError(f'{len(self.steps)} steps and {len(self.lights)} lights')
        if list(self.steps) != sorted(set(self.steps)):
            raise ValueError('steps do not ascend')
        return self

    def at(self, step: int) -> Light:
        """What it shows; unknown before the first entry."""
        shown: Light = 'unknown'
        for first, light in zip(self.steps, self.lights, strict=True):
            if first <= step:
                shown = light
        return shown


class Yield(_Strict):
    """A line before which the ego gives way.

    ``taken``: from which step, and up to which, somebody has priority there.
    """

    x_m: Metres
    y_m: Metres
    taken: tuple[tuple[Step, Step], ...] = Field(default=(), max_length=MAX_STEPS)

    @model_validator(mode='after')
    def _last_after_first(self) -> Yield:
        if wrong := [pair for pair in self.taken if pair[0] > pair[1]]:
            raise ValueError(f'taken {wrong[0]}: expected the first step, then the last')
        return self

    def at(self, step: int) -> bool:
        """Whether somebody has priority."""
        return any(first <= step <= last for first, last in self.taken)


class Provenance(_Strict):
    """Whose data this is, and what in it was measured, computed or assumed."""

    source: Text
    licence: Text
    attribution: Text = ''
    real: tuple[Text, ...] = ()
    computed: tuple[Text, ...] = ()
    assumed: tuple[Text, ...] = ()


class Log(_Strict):
    """A recorded scene of ``steps`` times 0.1 s; the ego is there all the time."""

    format: Literal['alpamayo_log'] = FORMAT
    version: Literal[1] = 1
    name: Name
    provenance: Provenance
    steps: int = Field(ge=2, le=MAX_STEPS)
    ego: Track
    agents: tuple[Track, ...] = Field(default=(), max_length=3000)
    lines: tuple[Line, ...] = Field(default=(), max_length=20_000)
    signals: tuple[Signal, ...] = Field(default=(), max_length=500)
    yields: tuple[Yield, ...] = Field(default=(), max_length=100)

    @model_validator(mode='after')
    def _within(self) -> Log:
        if self.ego.first != 0 or self.ego.steps != self.steps:
            raise ValueError(f'the ego has to be there for all {self.steps} steps from 0 on')
        for track in self.agents:
            if track.first + track.steps > self.steps:
                raise ValueError(f'agent {track.id!r} goes on after the last step')
        return self

    @property
    def duration_s(self) -> float:
        """Time from the first step to the last."""
        return (self.steps - 1) * DT_S

    def of_kind(self, kind: LineKind) -> list[Line]:
        """The lines of a kind."""
        return [line for line in self.lines if line.kind == kind]


def log_path(name_or_path: str | Path) -> Path:
    """The file of a log by path or by the name of one that ships; LogError if there is none."""
    path = Path(name_or_path)
    if path.is_file():
        return path
    folder = share_dir() / 'config' / 'logs'
    if (shipped := folder / f'{path.name}.json').is_file():
        return shipped
    names = [p.stem for p in folder.glob('*.json')]
    said = unknown('log', str(name_or_path), names, 'config/logs has those that ship')
    raise LogError(f'{said} (or give the path of a .json of alpamayo data log)')


def read_log(name_or_path: str | Path) -> Log:
    """Read and check a log; LogError names the field that is wrong."""
    path = log_path(name_or_path)
    if (size := path.stat().st_size) > MAX_BYTES:
        raise LogError(f'{path}: {size} bytes; a log has at most {MAX_BYTES}')
    try:
        return _checked(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = '.'.join(str(part) for part in first['loc']) or 'file'
        raise LogError(f'{path}: {where}: {first["msg"]}; expected format {FORMAT} 1') from None


@lru_cache(maxsize=1)
def _checked(data: bytes) -> Log:
    """The log that a file holds; it is read when a scenario is checked and again to drive it."""
    return Log.model_validate_json(data)


def write_log(log: Log, path: Path) -> int:
    """Write a log, without spaces; returns its size in bytes."""
    data = log.model_dump_json(exclude_defaults=True, exclude={'format', 'version'}).encode()
    head = f'{{"format":"{FORMAT}","version":1,'.encode()
    path.write_bytes(head + data[1:] + b'\n')
    return len(head) + len(data)
