"""Messages as the events of a recording; ``at_ns`` is when one arrived (monotonic)."""

from __future__ import annotations

import math
from typing import Any

from nav_msgs.msg import Odometry, Path

from alpamayo_ros.msg import (
    CandidateArray,
    ChainOfCausation,
    Health,
    PlannedTrajectory,
    StageTiming,
    TrackedObjectArray,
)
from alpamayo_ros.nodes.common.convert import heading, ns
from alpamayo_ros.recording import events


def ego(at_ns: int, m: Odometry) -> events.Ego:
    """The car."""
    at, twist = m.pose.pose, m.twist.twist
    motion = (at.position.x, at.position.y, heading(at), twist.linear.x, twist.angular.z)
    return events.Ego(at_ns, ns(m.header.stamp), *motion)


def route(at_ns: int, m: Path) -> events.Route:
    """The way ahead."""
    return events.Route(at_ns, [[p.pose.position.x, p.pose.position.y] for p in m.poses])


def objects(at_ns: int, m: TrackedObjectArray) -> events.Objects:
    """The others."""
    return events.Objects(at_ns, ns(m.header.stamp), m.source, [box(o) for o in m.objects])


def candidates(at_ns: int, m: CandidateArray) -> events.Candidates:
    """A proposal; feasible paths where they were rolled out."""
    paths, costs, selected = [], [], -1
    for c in m.candidates:
        rolled = len(c.feasible_x_m) > 0
        xy = (c.feasible_x_m, c.feasible_y_m) if rolled else (c.x_m, c.y_m)
        paths.append([list(axis) for axis in xy])
        costs.append(c.cost if math.isfinite(c.cost) else None)
        selected = c.index if c.selected else selected
    said = (m.runtime, m.profile, m.manifest_hash, m.text)
    stamps, faults = (ns(m.header.stamp), ns(m.published)), list(m.faults)
    anchor = pose(m.pose_in_odom)
    return events.Candidates(
        at_ns, *stamps, m.status, *said, faults, anchor, paths, costs, selected
    )


def plan(topic: str, at_ns: int, m: PlannedTrajectory) -> events.Plan:
    """A plan or a reference; the points of plans alone are kept."""
    stamps = (ns(m.source_t0), ns(m.published), ns(m.valid_until))
    points: tuple[Any, ...] = ()
    if topic == 'trajectory' and len(m.x_m):
        points = (list(m.x_m), list(m.y_m), list(m.speed_mps))
        points += (m.acceleration_mps2[0], m.steering_rad[0])
    kind = (m.source, m.state, m.candidate)
    return events.Plan(
        at_ns, topic, ns(m.header.stamp), m.plan_id, *stamps, *kind, pose(m.pose_in_odom), *points
    )


def health(at_ns: int, m: Health) -> events.Health:
    """The state of the driver."""
    counts = (m.plans, m.stops, m.refusals, m.deadline_misses, m.worker_restarts)
    said = (m.state, m.reason, list(m.faults), list(m.messages), m.plan_age_ms)
    return events.Health(at_ns, ns(m.header.stamp), ns(m.t0), *said, *counts, m.runtime)


def timing(at_ns: int, m: StageTiming) -> events.Timing:
    """How long the stages of a cycle took."""
    stages = dict(zip(m.stages, (float(d) for d in m.duration_ms), strict=False))
    return events.Timing(at_ns, ns(m.header.stamp), stages, m.wall_ms, m.deadline_missed)


def words(at_ns: int, m: ChainOfCausation) -> events.Words:
    """A chain of causation, tied to its plan."""
    parts = (m.perception, m.situation, m.rationale, m.intent)
    about = (m.plan_id, *parts, m.agreement, m.disagreement, m.counterfactual)
    return events.Words(at_ns, ns(m.header.stamp), *about)


def pose(message: Any) -> list[float]:
    """x, y [m] and heading [rad] of a pose."""
    return [message.position.x, message.position.y, heading(message)]


def box(item: Any) -> events.Box:
    """A tracked object as a box; its speed is along its heading."""
    x, y, angle = pose(item.pose)
    speed = item.velocity.x * math.cos(angle) + item.velocity.y * math.sin(angle)
    return events.Box(item.id, item.kind, x, y, angle, speed, item.length_m, item.width_m)
