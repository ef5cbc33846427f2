"""A folder that holds one recorded run: ``events.jsonl``, ``images.bin`` and ``run.json``.

The recorder node writes it line by line, so that a run that is cut off is still readable.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from alpamayo_ros.recording import events
from alpamayo_ros.recording.events import Event
from alpamayo_ros.recording.scene_facts import FACTS

T = TypeVar('T')
EVENTS, IMAGES, RUN = 'events.jsonl', 'images.bin', 'run.json'
NO_PICTURE_STEP_NS = 100_000_000
LONG = 16  # values from which an array is faster than a loop


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What was asked for: scenario, seed, ``lockstep`` or ``free``, and the runtime's name.

    ``rig``: name or file of the rig; a ``rig.yaml`` in the folder goes before it.  ``origin``:
    ``simulator``, ``replay`` (a recorded drive), ``vehicle`` or ``converted`` (of another format).
    """

    scenario: str
    seed: int
    mode: str
    runtime: str
    description: str = ''
    rig: str = 'sim'
    origin: str = 'simulator'


class Writer:
    """Appends events and pictures to a new folder; an existing recording there is replaced."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._events = (folder / EVENTS).open('w', encoding='utf-8')
        self._images = (folder / IMAGES).open('wb')
        (folder / FACTS).unlink(missing_ok=True)  # of the drive that was recorded here before
        self._offset = 0

    def write(self, event: Event) -> None:
        """One line; numbers that are not finite become null."""
        record = {'kind': type(event).__name__.lower(), **_plain(event)}
        self._events.write(json.dumps(record, separators=(',', ':'), allow_nan=False) + '\n')

    def image(self, wall_ns: int, camera: str, stamp_ns: int, data: bytes) -> None:
        """One compressed picture."""
        self._images.write(data)
        self.write(events.Image(wall_ns, camera, stamp_ns, self._offset, len(data)))
        self._offset += len(data)

    def flush(self) -> None:
        """Hand everything to the operating system, so that others can follow the run."""
        self._images.flush()
        self._events.flush()

    def close(self) -> None:
        """End the recording."""
        self._images.close()
        self._events.close()


@cache
def _names(kind: type) -> tuple[str, ...]:
    """Fields of a dataclass."""
    return tuple(field.name for field in fields(kind))


def _plain(record: Any) -> dict[str, Any]:
    """Fields of a dataclass by name; ``asdict`` without its deep copies."""
    kind: Any = type(record)
    return {name: _finite(getattr(record, name)) for name in _names(kind)}


def _finite(value: Any) -> Any:
    """The same structure with rounded floats (1e-4), None for what is not finite."""
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    if isinstance(value, (int, str)) or value is None:
        return value
    if isinstance(value, list):
        return _finite_list(value)
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return _plain(value) if is_dataclass(value) else value


def _finite_list(values: list[Any]) -> list[Any]:
    """The same; long lists of floats, which most bytes of a recording are, at once."""
    if len(values) >= LONG and all(type(item) is float for item in values):
        table = np.array(values)
        if np.isfinite(table).all():
            rounded: list[Any] = np.round(table, 4).tolist()
            return rounded
    return [_finite(item) for item in values]


class Recording:
    """A recorded run, read once and indexed by time."""

    def __init__(self, folder: Path) -> None:
        if not (folder / EVENTS).is_file():
            raise FileNotFoundError(f'{folder} holds no {EVENTS}; was the recorder running?')
        self.folder = folder
        self.info = RunInfo(**json.loads((folder / RUN).read_text()))
        self._by_kind: dict[type, list[Any]] = {kind: [] for kind in events.KINDS.values()}
        for event in read_events(folder / EVENTS):
            self._by_kind[type(event)].append(event)

    def all(self, kind: type[T]) -> list[T]:
        """Every event of one kind, in the order of arrival."""
        return self._by_kind[kind]

    @cached_property
    def route(self) -> Float[np.ndarray, 'n 2']:
        """Points of the last route in odom; empty when none was published."""
        routes = self.all(events.Route)
        return np.array(routes[-1].points if routes else [], dtype=float).reshape(-1, 2)

    @cached_property
    def ego(self) -> Float[np.ndarray, 'n 6']:
        """Odometry by stamp: time [s], x, y [m], heading [rad, unwrapped], speed, yaw rate.

        Of one stamp there is the first, where a clock stepped back: no two rows have one time.
        """
        first: dict[int, events.Ego] = {}
        for ego in self.all(events.Ego):
            first.setdefault(ego.stamp_ns, ego)
        found = [first[stamp_ns] for stamp_ns in sorted(first)]
        rows = [
            (e.stamp_ns / 1e9, e.x_m, e.y_m, e.heading_rad, e.speed_mps, e.yaw_rate_rps)
            for e in found
        ]
        table = np.array(rows, dtype=float).reshape(-1, 6)
        table[:, 3] = np.unwrap(table[:, 3])
        return table

    @property
    def contact(self) -> events.Contact | None:
        """The first contact, None where there was none."""
        return next(iter(self.all(events.Contact)), None)

    @property
    def end_ns(self) -> int:
        """The last t0 that is judged: of a contact, else of the recording; it has to have one."""
        return self.times_ns[-1] if self.contact is None else self.contact.stamp_ns

    @cached_property
    def times_ns(self) -> list[int]:
        """Every t0 that has a picture of the front camera, ascending.

        Without any, the t0 of every cycle; without those (egomotion alone), ten a second.
        """
        seen = {i.stamp_ns for i in self.all(events.Image) if i.camera == 'front'}
        seen = seen or {c.t0_ns for c in self.all(events.Candidates)}
        if seen or not len(self.ego):
            return sorted(seen)
        first, last = (round(self.ego[i, 0] * 1e9) for i in (0, -1))
        return list(range(first, last + 1, NO_PICTURE_STEP_NS))

    @cached_property
    def _images(self) -> dict[str, tuple[list[int], list[events.Image]]]:
        out: dict[str, list[events.Image]] = {}
        for image in self.all(events.Image):
            out.setdefault(image.camera, []).append(image)
        for items in out.values():
            items.sort(key=lambda image: image.stamp_ns)
        return {name: ([i.stamp_ns for i in items], items) for name, items in out.items()}

    @property
    def cameras(self) -> tuple[str, ...]:
        """Every camera with a picture, in the order of their first."""
        return tuple(self._images)

    def image(self, camera: str, time_ns: int) -> UInt8[np.ndarray, 'h w 3'] | None:
        """The newest RGB picture of a camera at or before ``time_ns``, None before its first."""
        found = self.picture_at(camera, time_ns)
        return None if found is None else self.decoded(found)

    def picture_at(self, camera: str, time_ns: int) -> events.Image | None:
        """Where the newest picture of a camera at or before ``time_ns`` lies."""
        stamps, items = self._images.get(camera, ([], []))
        return newest(items, stamps, time_ns)

    def decoded(self, image: events.Image, width: int = 0) -> UInt8[np.ndarray, 'h w 3'] | None:
        """A picture as RGB, at most ``width`` pixels wide (0: as it is); None where it is broken.

        A large JPEG is decoded at a fraction of its size, which is quicker.
        """
        with (self.folder / IMAGES).open('rb') as file:
            file.seek(image.offset)
            data = np.frombuffer(file.read(image.size), np.uint8)
        bgr = cv2.imdecode(data, cv2.IMREAD_REDUCED_COLOR_4 if width else cv2.IMREAD_COLOR)
        if bgr is not None and width and bgr.shape[1] < width:
            bgr = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if bgr is None:
            return None
        if width and bgr.shape[1] > width:
            size = (width, round(bgr.shape[0] * width / bgr.shape[1]))
            bgr = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))

    def ego_at(self, time_ns: int) -> Float[np.ndarray, ' 6']:
        """The row of ``ego`` interpolated to ``time_ns``, clamped to the run."""
        table = self.ego
        return np.array([np.interp(time_ns / 1e9, table[:, 0], column) for column in table.T])


def read_events(path: Path) -> Iterator[Event]:
    """Events of a file; a last line that was cut off is left out."""
    with path.open(encoding='utf-8') as file:
        for line in file:
            if not line.endswith('\n'):
                return
            record = json.loads(line)
            kind = events.KINDS[record.pop('kind')]
            if kind is events.Objects:
                record['boxes'] = [events.Box(**box) for box in record['boxes']]
            yield kind(**record)


def newest(items: Sequence[T], keys: Sequence[int], time_ns: int) -> T | None:
    """The last of ``items`` whose key (ascending) is at or before ``time_ns``."""
    index = bisect_right(keys, time_ns) - 1
    return items[index] if index >= 0 else None
