"""Decisions as messages: the plan, the reference spliced from it, the health beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from alpamayo_ros.faults import Severity
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.motion.splice import Reference
from alpamayo_ros.motion.validate import CheckResult as Check
from alpamayo_ros.msg import CheckResult, Health, PlannedTrajectory
from alpamayo_ros.nodes.common.convert import floats, pose, stamp
from alpamayo_ros.safety.decision import Decision
from alpamayo_ros.types import EgoState, Trajectory
from alpamayo_ros.units import NS

UNITS = {
    'mps3': 'm/s3', 'mps2': 'm/s2', 'mps': 'm/s', '1pm': '1/m', 'rps': 'rad/s', 'rad': 'rad',
    'm': 'm', 's': 's',
}  # fmt: skip
COLUMNS = (
    'x_m', 'y_m', 'heading_rad', 'speed_mps', 'acceleration_mps2', 'curvature_1pm',
    'yaw_rate_rps', 'steering_rad',
)  # fmt: skip


@dataclass
class Origin:
    """Where the motion of a plan comes from: the model's cycle, and the state of the graph."""

    t0_ns: int = 0
    runtime: str = ''
    manifest_hash: str = ''
    view_mask: int = 0
    odom_frame: str = 'odom'
    shadow: bool = False
    objects_used: bool = False
    published_ns: int = 0


def plan_message(plan: Plan, decision: Decision, origin: Origin) -> PlannedTrajectory:
    """The plan at t0 as it may be driven, with every check that was made on it."""
    message = PlannedTrajectory(plan_id=plan.id, health_sequence=decision.health.sequence)
    _fill(message, plan.trajectory, plan.anchor, plan.t0_ns)
    message.valid_until = stamp(plan.valid_until_ns)
    message.source, message.state = source(plan, decision), int(decision.state.mode)
    message.candidate, message.cost, message.spread_m = -1, math.nan, decision.health.spread_m
    judgement = decision.judgement
    if plan.source == 'model' and judgement is not None and judgement.chosen is not None:
        message.candidate = judgement.chosen
        if judgement.costs is not None:
            message.cost = float(judgement.costs.total[judgement.chosen])
        if judgement.checks is not None:
            message.checks = [check(item) for item in judgement.checks.of(judgement.chosen)]
    message.speed_cap_mps = plan.speed_cap_mps
    message.faults = sorted(fault.code.name for fault in decision.faults)
    _stamp_origin(message, origin)
    return message


def reference_message(reference: Reference, plan: PlannedTrajectory) -> PlannedTrajectory:
    """The reference of ``plan`` for the controller: own stamp, the identity and validity of it."""
    message = _derived(plan)
    _fill(message, reference.trajectory, reference.anchor, reference.stamp_ns)
    message.valid_until = stamp(reference.valid_until_ns)
    return message


def brake_message(plan: PlannedTrajectory, now_ns: int) -> PlannedTrajectory:
    """A reference without points that has already expired: an explicit 'brake now'."""
    message = _derived(plan)
    message.header.stamp, message.header.frame_id = stamp(now_ns), 'base_link'
    message.source = PlannedTrajectory.STANDSTILL
    message.valid_until = stamp(now_ns)
    return message


def _derived(plan: PlannedTrajectory) -> PlannedTrajectory:
    message = PlannedTrajectory(plan_id=plan.plan_id, health_sequence=plan.health_sequence)
    names: tuple[str, ...] = (
        'source_t0',
        'published',
        'source',
        'state',
        'shadow',
        'odom_frame',
        'candidate',
    )
    names += ('cost', 'spread_m', 'speed_cap_mps', 'view_mask', 'objects_used', 'faults')
    for name in (*names, 'runtime', 'manifest_hash'):
        setattr(message, name, getattr(plan, name))
    return message


def _fill(message: PlannedTrajectory, t: Trajectory, anchor: EgoState, stamp_ns: int) -> None:
    message.header.stamp, message.header.frame_id = stamp(stamp_ns), 'base_link'
    message.dt_s = t.dt_s
    message.time_from_start_s = floats(np.arange(1, len(t.x_m) + 1) * t.dt_s)
    for name in COLUMNS:
        setattr(message, name, floats(getattr(t, name)))
    message.pose_in_odom = pose(anchor.x_m, anchor.y_m, anchor.heading_rad)


def _stamp_origin(message: PlannedTrajectory, origin: Origin) -> None:
    message.source_t0, message.published = stamp(origin.t0_ns), stamp(origin.published_ns)
    message.runtime, message.manifest_hash = origin.runtime, origin.manifest_hash
    message.view_mask, message.odom_frame = origin.view_mask, origin.odom_frame
    message.shadow, message.objects_used = origin.shadow, origin.objects_used


def source(plan: Plan, decision: Decision) -> int:
    """MODEL, or what kind of stop: the last plan still held, braking, or standing."""
    if plan.source == 'model':
        return int(PlannedTrajectory.MODEL)
    if decision.standstill:
        return int(PlannedTrajectory.STANDSTILL)
    stop = decision.state.stop
    held = stop is not None and decision.health.stamp_ns < stop.began_ns
    return int(PlannedTrajectory.HELD if held else PlannedTrajectory.STOP)


def check(item: Check) -> CheckResult:
    """One check with its level; the unit is the suffix of its name."""
    level = CheckResult.WARN if item.warned else CheckResult.OK
    level = level if item.ok else CheckResult.REJECT
    limit = item.limit if level == CheckResult.REJECT else min(item.warn, item.limit)
    given = {'name': item.name, 'level': level, 'value': item.value, 'limit': limit}
    return CheckResult(**given, unit=_unit(item.name), index=-1)


@cache
def _unit(name: str) -> str:
    return next((text for end, text in UNITS.items() if name.endswith('_' + end)), '')


@dataclass
class Counters:
    """What Health counts since configuration; ``alive`` is the model's process."""

    plans: int = 0
    stops: int = 0
    refusals: int = 0
    deadline_misses: int = 0
    worker_restarts: int = 0
    alive: bool = True

    def worker(self, alive: bool) -> None:
        """Note whether the model's process answers; coming back counts as a restart."""
        self.worker_restarts += int(alive and not self.alive)
        self.alive = alive


def health_message(decision: Decision, counters: Counters, origin: Origin) -> Health:
    """Health of one decision; ages of inputs are added by the node, which knows them."""
    h = decision.health
    message = Health(sequence=h.sequence, plan_id=h.plan_id, reason=h.reason)
    message.header.stamp, message.header.frame_id = stamp(h.stamp_ns), 'base_link'
    message.t0 = stamp(h.t0_ns)
    message.state, message.previous_state = int(h.mode), int(h.previous_mode)
    message.armed, message.rearm_required = h.armed, h.rearm_required
    for fault in h.faults:
        message.faults.append(fault.code.name)
        message.messages.append(str(fault))
        numbers = [v for v in fault.values.values() if isinstance(v, float)]
        message.values.append(numbers[0] if numbers else math.nan)
    message.severities = [int(Severity(fault.code.severity)) for fault in h.faults]
    message.speed_cap_mps, message.spread_m = h.speed_cap_mps, h.spread_m
    message.plan_age_ms = h.plan_age_s * 1e3
    message.candidates, message.rejected = h.candidates, max(h.rejected.values(), default=0)
    message.rejected_checks = list(h.rejected)
    message.rejected_counts = list(h.rejected.values())
    message.plans, message.stops = counters.plans, counters.stops
    message.refusals, message.deadline_misses = counters.refusals, counters.deadline_misses
    message.worker_restarts, message.worker_alive = counters.worker_restarts, counters.alive
    message.runtime, message.manifest_hash = origin.runtime, origin.manifest_hash
    message.view_mask = origin.view_mask
    return message


def age_ms(now_ns: int, then_ns: int | None) -> float:
    """Age in milliseconds; NaN where there is nothing."""
    return math.nan if then_ns is None else (now_ns - then_ns) / NS * 1e3
