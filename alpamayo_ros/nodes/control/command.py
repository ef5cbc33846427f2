"""The command of one instant: a reference that is fit is followed, anything else is a brake.

What arrives on a topic may be ragged, not finite or of another time; such a reference stops the
car as an expired one does, with the steering held.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from alpamayo_ros.limits import Limits
from alpamayo_ros.msg import PlannedTrajectory
from alpamayo_ros.nodes.common.convert import ns
from alpamayo_ros.nodes.control.tracking import tracked
from alpamayo_ros.simulation.ego import EgoPose
from alpamayo_ros.simulation.sim_rig import SimVehicle
from alpamayo_ros.simulation.tracker import EXPIRED_MPS2, SPEED_TIME_S
from alpamayo_ros.types import EgoState
from alpamayo_ros.units import NS

LONGEST_S = 1.0  # between two points
STANDING_MPS = 0.1


@dataclass(frozen=True, slots=True)
class Command:
    """Tyre steering, acceleration, and the speed that a speed controller aims at to reach it.

    ``because``: why it brakes, '' while a reference is followed.
    """

    steering_rad: float
    acceleration_mps2: float
    speed_mps: float
    because: str = ''


@dataclass(slots=True)
class Commander:
    """``vehicle`` and ``limits`` of the car; remembers the steering that it asked for last."""

    vehicle: SimVehicle
    limits: Limits
    odom_frame: str
    steering_rad: float = 0.0

    def at(
        self, reference: PlannedTrajectory | None, ego: EgoState | None, now_ns: int
    ) -> Command:
        """The command at ``now_ns``, for the newest reference and odometry."""
        lost = self._lost(ego, now_ns)
        if ego is None or lost:
            return self.brake(ego, now_ns, lost)
        because = self._unfit(reference, now_ns)
        steering = ego.steering_rad if math.isfinite(ego.steering_rad) else self.steering_rad
        place = (ego.x_m, ego.y_m, ego.heading_rad)
        pose = EgoPose(*place, ego.speed_mps, steering)
        used = None if because else reference
        wanted, acceleration = tracked(used, pose, now_ns, self.vehicle)
        if reference is not None and not because:
            acceleration = self._capped(acceleration, ego.speed_mps, reference.speed_cap_mps)
            because = self._expiry(reference, now_ns)
        if not (math.isfinite(wanted) and math.isfinite(acceleration)):
            wanted, acceleration = self.steering_rad, EXPIRED_MPS2
            because = 'the tracker gave no number'
        self.steering_rad = wanted
        speed = max(0.0, ego.speed_mps + SPEED_TIME_S * acceleration)
        return Command(wanted, acceleration, speed, because)

    def brake(self, ego: EgoState | None, now_ns: int, because: str) -> Command:
        """The comfortable stop with the steering held.

        The speed goes down from the last known one; without any it is 0.
        """
        age_s = 0.0 if ego is None else max(0.0, (now_ns - ego.stamp_ns) / NS)
        known = 0.0 if ego is None else ego.speed_mps
        speed = max(0.0, known + EXPIRED_MPS2 * (age_s + SPEED_TIME_S))
        return Command(self.steering_rad, EXPIRED_MPS2, speed, because)

    def _lost(self, ego: EgoState | None, now_ns: int) -> str:
        """Why it is not known where the car is."""
        if ego is None:
            return 'no odometry'
        age_s = (now_ns - ego.stamp_ns) / NS
        if not -self.limits.stamp_future_s <= age_s <= self.limits.odometry_gap_s:
            return f'odometry is {age_s:.2f} s old'
        return ''

    def _unfit(self, reference: PlannedTrajectory | None, now_ns: int) -> str:
        """Why a reference is not to be followed at all."""
        if reference is None:
            return 'no reference'
        if reference.shadow:
            return 'the reference is planned for comparison only (shadow)'
        if reference.odom_frame != self.odom_frame:
            return f'the reference is in {reference.odom_frame[:40]!r}, not {self.odom_frame!r}'
        ahead_s = (ns(reference.header.stamp) - now_ns) / NS
        left_s = (ns(reference.valid_until) - now_ns) / NS
        future_s = self.limits.stamp_future_s
        if ahead_s > future_s or left_s > self.limits.plan_age_s + future_s:
            return f'the reference is of another time: {ahead_s:.2f} s ahead, {left_s:.2f} s left'
        if len(reference.x_m) != len(reference.y_m):
            return f'{len(reference.x_m)} x and {len(reference.y_m)} y in the reference'
        place, turn = reference.pose_in_odom.position, reference.pose_in_odom.orientation
        numbers = (place.x, place.y, turn.x, turn.y, turn.z, turn.w, reference.dt_s)
        points = np.array([reference.x_m, reference.y_m], float)
        if not (np.isfinite(numbers).all() and np.isfinite(points).all()):
            return 'the reference holds what is no number'
        if len(reference.x_m) and not 0 < reference.dt_s <= LONGEST_S:
            return f'dt_s of the reference is {reference.dt_s}'
        return ''

    def _expiry(self, reference: PlannedTrajectory, now_ns: int) -> str:
        """Why ``tracked`` brakes, where it does."""
        if not len(reference.x_m):
            return 'the reference is a brake'
        late_s = (now_ns - ns(reference.valid_until)) / NS
        return f'the reference expired {late_s:.2f} s ago' if late_s > 0 else ''

    def _capped(self, acceleration_mps2: float, speed_mps: float, cap_mps: float) -> float:
        """No faster than the cap that the gate applied; one that is no number stops the car."""
        if math.isnan(cap_mps):
            return EXPIRED_MPS2
        most = (max(cap_mps, 0.0) - speed_mps) / SPEED_TIME_S
        return max(min(acceleration_mps2, most), min(acceleration_mps2, EXPIRED_MPS2))
