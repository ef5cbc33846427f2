"""An incident as a file: what it says of itself, its decisions, its pictures."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from alpamayo_ros import __version__
from alpamayo_ros.bags.bag import ABOUT, INCIDENT, BagReader
from alpamayo_ros.bags.mcap import McapFile
from alpamayo_ros.bags.parts import Damage
from alpamayo_ros.faults import Fault
from alpamayo_ros.incident import decision_record
from alpamayo_ros.incident.decision_record import DecisionRecord
from alpamayo_ros.incident.kinds import misfit
from alpamayo_ros.incident.trigger import Event

PICTURE = 'sensor_msgs/msg/CompressedImage'


@dataclass(slots=True)
class Incident:
    """``events``: why it was written.  ``pictures`` of the mandatory camera: when seen, JPEG.

    ``unread``: records of decisions that are none.  ``fault``: BAG_BROKEN where the file is not
    whole; what lies before the damage is here all the same.
    """

    path: Path
    about: dict[str, str]
    events: tuple[Event, ...] = ()
    records: list[DecisionRecord] = field(default_factory=list)
    pictures: list[tuple[int, bytes]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    fault: Fault | None = None


def machine() -> str:
    """What the bits of a decision depend on beside its inputs."""
    python, kind = platform.python_version(), platform.machine()
    return f'alpamayo_ros {__version__}, numpy {np.__version__}, Python {python}, {kind}'


def told(events: Iterable[Event], camera: str, decisions: str, source: str) -> dict[str, str]:
    """What an incident says of itself; ``camera`` and ``decisions`` are names of topics."""
    rows = json.dumps([asdict(event) for event in events])
    return {
        'origin': INCIDENT, 'source': source, 'events': rows, 'camera': camera,
        'decisions': decisions, 'machine': machine(),
    }  # fmt: skip


def is_incident(path: Path) -> bool:
    """Whether a recording says that it is one, cut off or left by a killed recorder or not."""
    named = path.name.removesuffix('.part').endswith('.mcap')
    return named and path.is_file() and about(path).get('origin') == INCIDENT


def about(path: Path) -> dict[str, str]:
    """What an mcap says of itself, as far as it can be read."""
    try:
        bag = McapFile(path)
    except (Damage, ValueError):
        return {}
    try:
        return bag.notes(ABOUT)
    except ValueError:
        return {}
    finally:
        bag.close()


def read(path: Path) -> Incident:
    """An incident; FileNotFoundError where there is no such file."""
    said = about(path)
    out = Incident(path, said, _events(said.get('events', '')))
    camera, decisions = said.get('camera', ''), said.get('decisions', '')
    reader = BagReader(path, topics=[camera, decisions])
    for m in reader:
        if m.topic == camera and m.type == PICTURE:
            stamp = m.message.header.stamp
            out.pictures.append((stamp.sec * 10**9 + stamp.nanosec, bytes(m.message.data)))
        elif m.topic == decisions and m.type == decision_record.TYPE:
            try:
                out.records.append(decision_record.read(m.message.data))
            except ValueError as error:
                out.unread.append(str(error))
    out.fault = reader.fault
    return out


def _events(text: str) -> tuple[Event, ...]:
    """Events of the note; none where it is damaged."""
    try:
        rows: Any = json.loads(text)
        found = tuple(Event(**row) for row in rows)
    except (TypeError, ValueError, RecursionError):
        return ()
    return () if any(map(misfit, found)) else found
