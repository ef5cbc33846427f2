"""The reference for the controller: spliced from the newest plan, or an explicit brake."""

from __future__ import annotations

from alpamayo_ros.faults import Fault
from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.motion.splice import Reference, splice
from alpamayo_ros.msg import PlannedTrajectory
from alpamayo_ros.nodes.messages import plans
from alpamayo_ros.sensing.rig import Vehicle
from alpamayo_ros.types import EgoState


class References:
    """Remembers the newest plan and what was last driven of it.  ``fault``: why it brakes."""

    def __init__(self, vehicle: Vehicle, limits: Limits) -> None:
        """``limits``: what a spliced reference must keep to."""
        self._vehicle, self._limits = vehicle, limits
        self._plan: tuple[Plan, PlannedTrajectory] | None = None
        self._driven: Reference | None = None
        self.fault: Fault | None = None

    def clear(self) -> None:
        """Forget the plan and what was driven of it."""
        self._plan, self._driven, self.fault = None, None, None

    def follow(self, plan: Plan, sent: PlannedTrajectory) -> None:
        """A new plan, and the message that told it."""
        self._plan = (plan, sent)

    def at(self, ego: EgoState | None, now_ns: int) -> PlannedTrajectory | None:
        """The reference at ``now_ns``; a brake where the plan may not be followed any more."""
        self.fault = None
        if self._plan is None or ego is None:
            return None
        plan, sent = self._plan
        if now_ns >= plan.valid_until_ns:
            self._plan, self._driven = None, None
            return plans.brake_message(sent, now_ns)
        found = splice(plan, self._driven, ego, now_ns, self._vehicle, self._limits)
        if isinstance(found, Fault):
            self._driven, self.fault = None, found
            return plans.brake_message(sent, now_ns)
        self._driven = found
        return plans.reference_message(found, sent)
