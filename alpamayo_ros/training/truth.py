"""Dense truth of one sample as a table: what each value is, its typical size, when it counts.

Columns are used by name or by kind, never by number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal['geometry', 'seen', 'fact', 'leader']


@dataclass(frozen=True, slots=True)
class Value:
    """One column; ``scale``: typical size in SI units.

    geometry: always known; seen: whether there is a leader; fact (0 or 1) and leader: of the
    leader, without meaning where none is seen.
    """

    name: str
    scale: float
    kind: Kind = 'geometry'


VALUES = (
    Value('lane_y_5m', 1),
    Value('lane_y_10m', 1),
    Value('lane_y_15m', 1.5),
    Value('lane_y_20m', 2.5),
    Value('lane_y_30m', 5),
    Value('lane_y_40m', 8),
    Value('lane_offset', 0.5),
    Value('heading_error', 0.1),
    Value('curvature_0m', 0.025),
    Value('curvature_10m', 0.025),
    Value('curvature_20m', 0.025),
    Value('curvature_30m', 0.025),
    Value('leader_seen', 1, 'seen'),
    Value('leader_gap', 30, 'leader'),
    Value('leader_braking', 1, 'fact'),
    Value('leader_standing', 1, 'fact'),
    Value('leader_closing', 5, 'leader'),
)
NAMES = tuple(value.name for value in VALUES)
SCALE = np.array([value.scale for value in VALUES], np.float32)
COLUMN = {name: index for index, name in enumerate(NAMES)}


def columns(kind: Kind) -> list[int]:
    """Columns of one kind, in order."""
    return [index for index, value in enumerate(VALUES) if value.kind == kind]


GEOMETRY, FACTS, LEADER = columns('geometry'), columns('fact'), columns('leader')
(SEEN,) = columns('seen')
