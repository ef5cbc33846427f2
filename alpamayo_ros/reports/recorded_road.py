"""The simulator's road along a recorded route."""

from __future__ import annotations

import numpy as np

from alpamayo_ros.film.top_view import Road, arc_length
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.simulation.road import LANE_M
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.statuses import ConfigError

BEHIND_M, SPACING_M = 25.0, 0.5  # a route begins at the car; behind it the road is drawn straight


def road_of(recording: Recording) -> Road | None:
    """The simulator's two-lane road along the recorded route.

    None where the map is another, or the scenario's file or log is no longer there.
    """
    route, info = recording.route, recording.info
    if info.origin != 'simulator' or len(route) < 3:
        return None
    try:
        if load_scenario(info.scenario).map != 'winding_road':
            return None
    except ConfigError:
        return None
    back = route[0] - (route[1] - route[0]) / np.linalg.norm(route[1] - route[0]) * BEHIND_M
    route = np.vstack([back, route])
    arc = arc_length(route)
    even = np.arange(0.0, arc[-1], SPACING_M)
    centre = np.stack([np.interp(even, arc, route[:, i]) for i in (0, 1)], 1)
    return Road(centre, right_m=-LANE_M / 2, middle_m=LANE_M / 2, left_m=1.5 * LANE_M)
