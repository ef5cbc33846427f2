"""Faults in what messages carry: pictures, odometry and the model's answers.

Injectors as those of ``simulation.inject``; payloads are JPEG bytes of a camera, the ``EgoState``
of odometry, and whatever a planner answers.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.simulation.inject import FOREVER, Event, Injector, during
from alpamayo_ros.types import EgoState

KINDS = ('black', 'white', 'noise')


def paint(
    source: str, kind: str, seed: int = 0, start_s: float = 0.0, stop_s: float = FOREVER
) -> Injector:
    """Pictures of the same size that are ``black``, ``white`` or ``noise``; a broken one stays."""
    if kind not in KINDS:
        raise ValueError(f'no picture is {kind!r}; expected one of {", ".join(KINDS)}')
    rng = np.random.default_rng(seed)

    def painted(event: Event) -> list[Event]:
        found = cv2.imdecode(np.frombuffer(event.payload, np.uint8), cv2.IMREAD_COLOR)
        if found is None:
            return [event]
        low, high = {'black': (0, 1), 'white': (255, 256), 'noise': (0, 256)}[kind]
        image = np.asarray(rng.integers(low, high, found.shape), np.uint8)
        data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
        return [replace(event, payload=bytes(data.tobytes()))]

    return during(source, start_s, stop_s, painted)


def spoil(
    field: str, source: str = 'odometry', start_s: float = 0.0, stop_s: float = FOREVER
) -> Injector:
    """NaN in one field of an odometry state."""
    if field not in EgoState.__dataclass_fields__ or field == 'stamp_ns':
        raise ValueError(f'odometry has no field {field!r}; expected one as speed_mps')

    def nan(event: Event) -> list[Event]:
        return [replace(event, payload=replace(event.payload, **{field: float('nan')}))]

    return during(source, start_s, stop_s, nan)


def teleport(
    by_m: float, source: str = 'odometry', start_s: float = 0.0, stop_s: float = FOREVER
) -> Injector:
    """Odometry that lies ``by_m`` aside: it jumps there, and back at the end."""

    def moved(event: Event) -> list[Event]:
        return [replace(event, payload=replace(event.payload, y_m=event.payload.y_m + by_m))]

    return during(source, start_s, stop_s, moved)


def fail(
    code: str, source: str = 'model', start_s: float = 0.0, stop_s: float = FOREVER
) -> Injector:
    """The model answers with a fault in place of a proposal, as its worker does."""
    if code not in Code.__members__:
        raise ValueError(f'no fault {code!r}; expected one as MODEL_KILLED (docs/faults.md)')
    answer = Fault(Code[code])
    return during(source, start_s, stop_s, lambda e: [replace(e, payload=answer)])
