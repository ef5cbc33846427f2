"""Closed-loop drives with the functions of trajectory node and controller, without processes.

The car follows ``reference`` as the trajectory node splices it, or it obeys the Twist that the
controller makes of the reference of the step before, as in a lockstep graph.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from alpamayo_ros.faults import Fault
from alpamayo_ros.msg import PlannedTrajectory
from alpamayo_ros.nodes.control import drive_messages
from alpamayo_ros.nodes.control.command import Commander
from alpamayo_ros.nodes.control.obedience import obeyed
from alpamayo_ros.nodes.control.tracking import tracked
from alpamayo_ros.nodes.messages.plans import Origin, plan_message
from alpamayo_ros.nodes.references import References
from alpamayo_ros.pipeline import Decision
from alpamayo_ros.simulation.drive.drive import Drive
from alpamayo_ros.simulation.sim_rig import sim_rig
from alpamayo_ros.types import EgoState, PlannerInput, Proposal


@dataclass(slots=True)
class ReferenceDrive(Drive):
    """``commanded``: the controller is in the loop."""

    commanded: bool = False
    references: References = field(init=False)
    commander: Commander = field(init=False)
    heard: PlannedTrajectory | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        Drive.__post_init__(self)
        limits = self.config.limits
        self.references = References(sim_rig().vehicle, limits)
        self.commander = Commander(self.sim.vehicle, limits, Origin().odom_frame)

    def _decide(
        self, inputs: PlannerInput | Fault, ego: EgoState
    ) -> tuple[Decision, Proposal | None]:
        found = Drive._decide(self, inputs, ego)
        decision = found[0]
        if decision.plan is not None:
            sent = plan_message(decision.plan, decision, Origin())
            self.references.follow(decision.plan, sent)
        return found

    def _command(self, now_ns: int) -> tuple[float, float]:
        ego, pose, vehicle = (
            replace(self.sim.ego, stamp_ns=now_ns),
            self.sim.pose,
            self.sim.vehicle,
        )
        reference = self.references.at(ego, now_ns)
        if not self.commanded or self.plan is None:
            return tracked(reference, pose, now_ns, vehicle)
        command = self.commander.at(self.heard, ego, now_ns)
        self.heard = reference
        return obeyed(drive_messages.twist(command, vehicle), pose, vehicle)
