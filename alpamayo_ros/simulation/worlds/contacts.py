"""Which side of the ego a contact is on, as far as fault needs it (``simulation.road_rules``)."""

from __future__ import annotations

import math
from typing import Literal

from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.oriented_boxes import Box, contact_ahead, overlap
from alpamayo_ros.simulation.outcome import STANDING_MPS
from alpamayo_ros.simulation.road_rules import ALWAYS_AT_FAULT

Side = Literal['', 'ahead', 'behind', 'beside']


def side(mine: Box, speed_mps: float, agent: Agent) -> Side:
    """Where the ego's box touches an agent; '' where it does not.

    'ahead': with its front half, or with whichever side somebody who stands or is on foot.
    'behind': with its rear half somebody who drives faster the same way, and so came from there.
    """
    other = Box(agent.x_m, agent.y_m, agent.heading_rad, agent.length_m, agent.width_m)
    if not overlap(mine, other):
        return ''
    stands = agent.speed_mps < STANDING_MPS
    if agent.kind in ALWAYS_AT_FAULT or stands or contact_ahead(mine, other):
        return 'ahead'
    along_mps = agent.speed_mps * math.cos(agent.heading_rad - mine.heading_rad)
    return 'behind' if along_mps > speed_mps else 'beside'
