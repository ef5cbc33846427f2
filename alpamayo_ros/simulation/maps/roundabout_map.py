"""A roundabout of one lane with four arms: geometry of its ways in, round and out.

Frame: the middle of the island is the origin.  Right-hand traffic goes round anticlockwise; angles
grow that way.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from jaxtyping import Float

from alpamayo_ros.simulation.path_road import PathRoad

ARMS = 4
RADIUS_M = 15.0  # of the middle of the lane
LANE_M, RING_M = 3.5, 5.5  # widths: arm, ring
ARM_M = 130.0  # arms are this long, from the middle
FLARE_M = RADIUS_M + 11.0  # where a way in leaves its arm
ASIDE_M, SPLIT_M = 1.75, 3.0  # middle of a lane beside the arm's axis: far away, at the island
GUIDE_RAD = 0.52  # a way in meets the ring this much further round
YIELD_M = RADIUS_M + RING_M / 2 + 1.2  # distance of the give-way line from the middle
APPROACH_M, APPROACH_MPS = 9.0, 4.0  # who can see little goes slowly before the line
STEP_M = 0.5
LATERAL_MPS2 = 2.0


class RoundaboutMap:
    """Angles of the arms from a seed, and the ways between them."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 60])
        first = rng.uniform(0, 2 * np.pi)
        self.angles = first + np.arange(ARMS) * np.pi / 2 + rng.uniform(-0.12, 0.12, ARMS)

    def axis(self, arm: int) -> tuple[Float[np.ndarray, ' 2'], Float[np.ndarray, ' 2']]:
        """Unit vectors outwards along an arm and to the left of that."""
        a = float(self.angles[arm])
        return np.array([math.cos(a), math.sin(a)]), np.array([-math.sin(a), math.cos(a)])

    def way_in(self, arm: int) -> Float[np.ndarray, 'n 2']:
        """From far away to the ring, coming in on the side of greater angles."""
        out, left = self.axis(arm)
        r = np.arange(ARM_M, FLARE_M, -STEP_M)
        straight = r[:, None] * out + _aside(r)[:, None] * left
        angle = float(self.angles[arm]) + GUIDE_RAD
        meet = RADIUS_M * np.array([math.cos(angle), math.sin(angle)])
        onwards = np.array([-math.sin(angle), math.cos(angle)])
        return np.concatenate([straight, _hermite(straight[-1], -out, meet, onwards)])

    def way_out(self, arm: int) -> Float[np.ndarray, 'n 2']:
        """From the ring to far away: the way in of the same arm, mirrored."""
        out, left = self.axis(arm)
        line = self.way_in(arm)[::-1]
        mirrored: np.ndarray = (line @ out)[:, None] * out - (line @ left)[:, None] * left
        return mirrored

    @functools.cache  # noqa: B019  (one map a drive)
    def way(self, arm: int, exit_number: int) -> PathRoad:
        """In by an arm, out by the ``exit_number``-th one (1: the next, 4: back)."""
        target = (arm + exit_number) % ARMS
        begin = float(self.angles[arm]) + GUIDE_RAD
        end = float(self.angles[target]) - GUIDE_RAD
        round_ = (end - begin) % (2 * math.pi)
        a = begin + np.linspace(0, round_, max(int(round_ * RADIUS_M / STEP_M), 2))
        ring = RADIUS_M * np.stack([np.cos(a), np.sin(a)], 1)
        line = np.concatenate([self.way_in(arm), ring[1:-1], self.way_out(target)])
        road = PathRoad(line, 0, LATERAL_MPS2)
        arc = self.yield_arc(road)
        road.slow_down(arc - APPROACH_M, arc + 2.0, APPROACH_MPS)
        return road

    def yield_arc(self, way: PathRoad) -> float:
        """Arc of the give-way line on a way."""
        away = np.hypot(way.position[:, 0], way.position[:, 1])
        k = int((away < YIELD_M).argmax())
        return way.arc_of(*(float(v) for v in way.position[k]))

    def entry_angle(self, arm: int) -> float:
        """Where a way in meets the ring."""
        return float(self.angles[arm]) + GUIDE_RAD


def _aside(r: Float[np.ndarray, ' n']) -> Float[np.ndarray, ' n']:
    """Distance of a lane's middle from the arm's axis: it makes room for the splitter island."""
    near = np.clip((60.0 - r) / (60.0 - FLARE_M), 0, 1)
    out: np.ndarray = ASIDE_M + (SPLIT_M - ASIDE_M) * near * near * (3 - 2 * near)
    return out


def _hermite(
    start: np.ndarray, along: np.ndarray, end: np.ndarray, onwards: np.ndarray
) -> Float[np.ndarray, 'n 2']:
    """A curve from a point and direction to another."""
    reach = 1.15 * float(np.linalg.norm(end - start))
    t = np.linspace(0, 1, 30)[1:, None]
    a, b = 2 * t**3 - 3 * t**2 + 1, t**3 - 2 * t**2 + t
    c, d = -2 * t**3 + 3 * t**2, t**3 - t**2
    curve: np.ndarray = a * start + b * reach * along + c * end + d * reach * onwards
    return curve
