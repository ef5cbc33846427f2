"""What RViz shows: candidates coloured by cost, chosen path, own car, objects, words, state."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Point, PoseStamped
from nav_msgs.msg import Path
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from alpamayo_ros.bags import marker_style as style
from alpamayo_ros.nodes.common.convert import pose
from alpamayo_ros.types import TrackedObject

LIFETIME = Duration(sec=1)


def _colour(rgba: style.Rgba) -> ColorRGBA:
    r, g, b, a = rgba
    return ColorRGBA(r=r, g=g, b=b, a=a)


CHOSEN, EGO, OBJECT, WORDS = map(_colour, (style.CHOSEN, style.EGO, style.OBJECT, style.WORDS))


def _marker(stamp: Time, space: str, number: int, kind: int, color: ColorRGBA) -> Marker:
    marker = Marker(
        ns=space, id=number, type=kind, action=Marker.ADD, color=color, lifetime=LIFETIME
    )
    marker.header.stamp, marker.header.frame_id = stamp, 'base_link'
    marker.pose.orientation.w = 1.0
    marker.frame_locked = False
    return marker


def cost_colour(cost: float, lowest: float, highest: float) -> ColorRGBA:
    """The colour of a candidate by its cost; grey where there is no cost."""
    return _colour(style.cost_colour(cost, lowest, highest))


def line(
    stamp: Time, space: str, number: int, x: Sequence[float], y: Sequence[float], color: ColorRGBA
) -> Marker:
    """A polyline in base_link at ``stamp`` [m]; points that are not finite are left out."""
    marker = _marker(stamp, space, number, Marker.LINE_STRIP, color)
    marker.scale.x = style.CHOSEN_WIDTH_M if space == 'chosen' else style.CANDIDATE_WIDTH_M
    points = zip(x, y, strict=True)
    marker.points = [
        Point(x=float(a), y=float(b), z=style.LINE_HEIGHT_M)
        for a, b in points
        if math.isfinite(a + b)
    ]
    return marker


def candidates(stamp: Time, paths: np.ndarray, costs: Sequence[float], chosen: int) -> MarkerArray:
    """Every candidate (K, P, 2 or 3) as a line coloured by its cost; the chosen one thick."""
    finite = [c for c in costs if math.isfinite(c)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    out = MarkerArray()
    for index, path in enumerate(paths):
        cost = costs[index] if index < len(costs) else math.nan
        space, color = (
            ('chosen', CHOSEN) if index == chosen else ('candidates', cost_colour(cost, low, high))
        )
        out.markers.append(line(stamp, space, index, path[:, 0], path[:, 1], color))
    return out


def box(stamp: Time, space: str, number: int, item: TrackedObject, color: ColorRGBA) -> Marker:
    """An oriented box in base_link at ``stamp``."""
    marker = _marker(stamp, space, number, Marker.CUBE, color)
    marker.pose = pose(item.x_m, item.y_m, item.heading_rad)
    marker.pose.position.z = style.CAR_HEIGHT_M / 2
    marker.scale.x, marker.scale.y, marker.scale.z = (
        item.length_m,
        item.width_m,
        style.CAR_HEIGHT_M,
    )
    return marker


def objects(stamp: Time, items: Iterable[TrackedObject]) -> list[Marker]:
    """All objects as boxes."""
    return [box(stamp, 'objects', item.id, item, OBJECT) for item in items]


def text(stamp: Time, words: str) -> Marker:
    """The words above the car."""
    return _said(stamp, 'coc', WORDS, style.WORDS_AT_M, style.WORDS_HEIGHT_M, words)


def state(stamp: Time, name: str, said: str) -> Marker:
    """The state above the words, in its colour."""
    colour = _colour(style.state_colour(name))
    return _said(stamp, 'state', colour, style.STATE_AT_M, style.STATE_HEIGHT_M, said)


def _said(
    stamp: Time,
    namespace: str,
    colour: ColorRGBA,
    at_m: tuple[float, float, float],
    height_m: float,
    said: str,
) -> Marker:
    """Text in base_link that faces whoever looks."""
    marker = _marker(stamp, namespace, 0, Marker.TEXT_VIEW_FACING, colour)
    place = marker.pose.position
    place.x, place.y, place.z = at_m
    marker.scale.z = height_m
    marker.text = said
    return marker


def path(
    stamp: Time,
    frame: str,
    anchor: tuple[float, float, float],
    poses: np.ndarray,
    times: list[Time],
) -> Path:
    """nav_msgs/Path in ``frame``: poses (P, 3) of base_link at ``stamp`` moved to ``anchor``.

    A pose and the anchor are x, y, heading.
    """
    out = Path()
    out.header.stamp, out.header.frame_id = stamp, frame
    x0, y0, angle = anchor
    cos, sin = math.cos(angle), math.sin(angle)
    for (x, y, h), time in zip(poses.tolist(), times, strict=True):
        item = PoseStamped(pose=pose(x0 + cos * x - sin * y, y0 + sin * x + cos * y, angle + h))
        item.header.stamp, item.header.frame_id = time, frame
        out.poses.append(item)
    return out


def ego_box(stamp: Time, length_m: float, width_m: float, centre_x_m: float) -> Marker:
    """The own car; ``centre_x_m`` is the middle of the body ahead of the rear axle."""
    car = TrackedObject(0, 'car', 0, centre_x_m, 0.0, 0.0, 0.0, length_m, width_m)
    return box(stamp, 'ego', 0, car, EGO)
