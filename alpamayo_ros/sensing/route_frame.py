"""A route (nav_msgs/Path) placed in odom by its frame, and seen from the car."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.types import EgoState

Points = Float[np.ndarray, 'N 2']


class PlacedRoute:
    """The route in force; the navigation node and the replay share it."""

    def __init__(self, odom_frame: str = 'odom', base_frame: str = 'base_link') -> None:
        """``odom_frame``, ``base_frame``: frame_id and child_frame_id of the rig's odometry."""
        self._odom_frame, self._base_frame = odom_frame, base_frame
        self._points: Points | None = None
        self._in_base = False

    def take(self, frame: str, points: Points) -> Fault | None:
        """Take a route; in any other frame than the two NAV_FORMAT, and no route is in force."""
        self._points = None
        if frame not in (self._odom_frame, self._base_frame):
            known = f'{self._odom_frame!r} or {self._base_frame!r}'
            text = f'route: expected frame_id {known}, got {frame[:64]!r}'
            return Fault(Code.NAV_FORMAT, text, {'frame_id': frame[:64]})
        self._points, self._in_base = points, frame == self._base_frame
        return None

    def drop(self) -> None:
        """Forget the route."""
        self._points = None

    def in_odom(self, ego: EgoState | None) -> Points | None:
        """Points [m] in odom; a route in base_link is placed where the car is at the first call.

        None for no route, or while the car's place is unknown.
        """
        if self._points is None or (self._in_base and ego is None):
            return None
        if self._in_base and ego is not None:
            cos, sin = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
            turned = self._points @ np.array([[cos, sin], [-sin, cos]])
            self._points, self._in_base = turned + (ego.x_m, ego.y_m), False
        return self._points

    def from_car(self, ego: EgoState) -> Points | None:
        """Points [m] in base_link of ``ego``, None for no route."""
        points = self.in_odom(ego)
        if points is None:
            return None
        cos, sin = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
        return np.asarray((points - (ego.x_m, ego.y_m)) @ np.array([[cos, -sin], [sin, cos]]))
