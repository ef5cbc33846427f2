"""Between messages and the core's records, both ways, without loss.

The tests go there and back.  Time is integer nanoseconds in the core.  Arrays travel as float32;
byte arrays are filled with ``array.frombytes``, which is 600 times faster than handing over numpy
(docs/design.md, "The graph").
"""

from __future__ import annotations

import math
from array import array
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Pose

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits
from alpamayo_ros.msg import Candidate, CandidateArray, EgoHistory, FrameSet
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing import odometry
from alpamayo_ros.types import EgoHistory as EgoHistoryRecord
from alpamayo_ros.types import EgoState, Proposal, TrackedObject
from alpamayo_ros.types import FrameSet as FrameSetRecord
from alpamayo_ros.units import NS

DT_ROUNDING_S = 1e-6  # a time step travels as float32


def ns(stamp: Time) -> int:
    """Nanoseconds of a stamp."""
    return stamp.sec * NS + stamp.nanosec


def stamp(time_ns: int) -> Time:
    """Message of ``time_ns``; a negative time becomes zero, which every receiver refuses."""
    time_ns = max(0, int(time_ns))
    return Time(sec=time_ns // NS, nanosec=time_ns % NS)


def codes(names: Any) -> list[Code]:
    """Fault codes of their names; a name that is not in the table is left out."""
    return [Code[name] for name in names if name in Code.__members__]


def buffer(values: np.ndarray) -> array[int]:
    """``uint8[]`` field from a uint8 array, without a Python loop."""
    out = array('B')
    out.frombytes(np.ascontiguousarray(values).data.cast('B'))
    return out


def floats(values: Any) -> array[float]:
    """``float32[]`` field from any sequence of numbers."""
    out = array('f')
    out.frombytes(np.ascontiguousarray(values, dtype=np.float32).data.cast('B'))
    return out


def pose(x_m: float, y_m: float, heading_rad: float) -> Pose:
    """Planar pose; z = 0, rotation about z alone."""
    out = Pose()
    out.position.x, out.position.y = float(x_m), float(y_m)
    out.orientation.z, out.orientation.w = math.sin(heading_rad / 2), math.cos(heading_rad / 2)
    return out


def heading(message: Pose) -> float:
    """Rotation about z of a pose [rad]."""
    q = message.orientation
    return math.atan2(2 * (q.w * q.z + q.x * q.y), 1 - 2 * (q.y * q.y + q.z * q.z))


def ego_state(
    message: Any,
    expected: tuple[str, str],
    limits: Limits | None = None,
    now_ns: int | None = None,
    ahead_m: float = 0.0,
) -> EgoState | Fault:
    """nav_msgs/Odometry (twist in the child frame) as an EgoState, or what is not fit.

    ``ahead_m``: how far before the rear axle the point is whose pose is told.
    ``now_ns``: the node's clock, against which ``limits`` judge the stamp; None in lockstep, where
    messages come before the clock.
    """
    p, q = message.pose.pose.position, message.pose.pose.orientation
    v, w = message.twist.twist.linear, message.twist.twist.angular
    values = (p.x, p.y, p.z, q.x, q.y, q.z, q.w, v.x, v.y, v.z, w.x, w.y, w.z)
    frames = (message.header.frame_id, message.child_frame_id)
    at_ns = ns(message.header.stamp)
    state = odometry.from_message(at_ns, frames, values, expected, ahead_m=ahead_m)
    if isinstance(state, Fault) or limits is None or now_ns is None:
        return state
    return odometry.ahead(state, now_ns, limits) or state


def frame_set_message(frames: FrameSetRecord, profile: ModelProfile, sequence: int) -> FrameSet:
    """FrameSet message of one synchronised timestep."""
    message = FrameSet(sequence=sequence, profile=profile.name)
    message.header.stamp, message.header.frame_id = stamp(frames.t0_ns), 'base_link'
    message.views = [view.name for view in profile.views]
    message.height, message.width = frames.images.shape[1:3]
    message.data = buffer(frames.images)
    message.stamps = [stamp(t) for t in frames.stamps_ns]
    message.skew_s = floats((frames.stamps_ns - frames.t0_ns) / NS)
    message.valid = [bool(ok) for ok in frames.valid]
    return message


def frame_set(message: FrameSet, profile: ModelProfile) -> FrameSetRecord | Fault:
    """Record of a FrameSet message (a view on its bytes); IMG_SIZE when it is no set of it."""
    shape = (len(profile.views), *profile.view_size, 3)
    came = (len(message.views), message.height, message.width, 3)
    data = np.frombuffer(message.data, dtype=np.uint8)
    lengths = (data.size, len(message.stamps), len(message.valid))
    if came != shape or lengths != (math.prod(shape), shape[0], shape[0]):
        text = f'Expected views of {shape}, got {came}; bytes, stamps and valid are {lengths}.'
        return Fault(Code.IMG_SIZE, text)
    return FrameSetRecord(
        t0_ns=ns(message.header.stamp),
        images=data.reshape(shape),
        stamps_ns=np.array([ns(t) for t in message.stamps], dtype=np.int64),
        valid=np.array(message.valid, dtype=bool),
    )


def ego_history_message(history: EgoHistoryRecord, anchor: Any, spacing_s: float) -> EgoHistory:
    """EgoHistory message; ``anchor`` is the pose of base_link at t0 in odom."""
    message = EgoHistory(spacing_s=float(spacing_s))
    message.header.stamp, message.header.frame_id = stamp(history.t0_ns), 'base_link'
    message.x_m, message.y_m, message.heading_rad = (floats(history.poses[:, i]) for i in range(3))
    message.speed_mps = floats(history.speed_mps)
    message.acceleration_mps2 = floats(history.acceleration_mps2)
    message.yaw_rate_rps = floats(history.yaw_rate_rps)
    message.steering_rad = floats(history.steering_rad)
    message.valid = [bool(ok) for ok in history.valid]
    message.pose_in_odom = pose(anchor.x_m, anchor.y_m, anchor.heading_rad)
    message.extrapolated_s = history.extrapolated_ns / NS
    return message


def ego_history(message: EgoHistory, profile: ModelProfile) -> EgoHistoryRecord | Fault:
    """Record of an EgoHistory message, in the dtypes of the core; EGO_HISTORY when unfit."""
    columns = (message.x_m, message.y_m, message.heading_rad)
    motion = (message.speed_mps, message.acceleration_mps2, message.yaw_rate_rps)
    lengths = {len(c) for c in (*columns, *motion, message.steering_rad, message.valid)}
    if lengths != {profile.ego_history.count}:
        text = f'Expected columns of {profile.ego_history.count}, got {sorted(lengths)}.'
        return Fault(Code.EGO_HISTORY, text)
    numbers = (*columns, *motion, (message.extrapolated_s,))
    if not all(np.isfinite(np.asarray(values)).all() for values in numbers):
        return Fault(Code.EGO_HISTORY, 'It is not finite.')
    return EgoHistoryRecord(
        t0_ns=ns(message.header.stamp),
        poses=np.stack([np.array(c, dtype=np.float32) for c in columns], axis=1),
        speed_mps=np.array(message.speed_mps, dtype=np.float32),
        acceleration_mps2=np.array(message.acceleration_mps2, dtype=np.float32),
        yaw_rate_rps=np.array(message.yaw_rate_rps, dtype=np.float32),
        steering_rad=np.array(message.steering_rad, dtype=np.float32),
        valid=np.array(message.valid, dtype=bool),
        extrapolated_ns=round(message.extrapolated_s * NS),
    )


def candidates_message(proposal: Proposal, dt_s: float) -> CandidateArray:
    """CandidateArray of a proposal; the caller adds sequence, seed, pose and identities."""
    message = CandidateArray(status=CandidateArray.PROPOSED, text=proposal.text)
    message.header.stamp, message.header.frame_id = stamp(proposal.t0_ns), 'base_link'
    message.text_t0 = stamp(proposal.text_t0_ns or proposal.t0_ns)
    message.token_ids = list(proposal.token_ids)
    message.text_truncated = proposal.truncated
    message.stages = list(proposal.stage_ms)
    message.stage_ms = floats(list(proposal.stage_ms.values()))
    for index, points in enumerate(proposal.candidates):
        x, y, angle = (floats(points[:, i]) for i in range(3))
        message.candidates.append(
            Candidate(
                index=index, dt_s=float(dt_s), x_m=x, y_m=y, heading_rad=angle, cost=math.nan
            )
        )
    return message


def proposal(message: CandidateArray, dt_s: float) -> Proposal | Fault:
    """Proposal of a CandidateArray; PLAN_SHAPE when its candidates differ in length or time step.

    ``dt_s``: of the profile.
    """
    lengths = {len(c.x_m) for c in message.candidates} | {len(c.y_m) for c in message.candidates}
    lengths |= {len(c.heading_rad) for c in message.candidates}
    if len(lengths) != 1:
        return Fault(Code.PLAN_SHAPE, f'Expected candidates of one length, got {sorted(lengths)}.')
    if not all(abs(c.dt_s - dt_s) <= DT_ROUNDING_S for c in message.candidates):
        return Fault(Code.PLAN_SHAPE, f'Expected a time step of {dt_s} s.')
    columns = [(c.x_m, c.y_m, c.heading_rad) for c in message.candidates]
    values = np.array(columns, dtype=np.float32).transpose(0, 2, 1)
    return Proposal(
        t0_ns=ns(message.header.stamp),
        candidates=np.ascontiguousarray(values),
        text=message.text,
        token_ids=tuple(message.token_ids),
        truncated=message.text_truncated,
        stage_ms=dict(zip(message.stages, (float(v) for v in message.stage_ms), strict=False)),
        text_t0_ns=ns(message.text_t0),
        navigation=message.navigation,
    )


def tracked_objects(
    message: Any, ego: EgoState, frames: tuple[str, str]
) -> tuple[TrackedObject, ...] | None:
    """Objects of a TrackedObjectArray in base_link of ``ego``.

    ``frames``: names of odom and base_link, as the rig's odometry has them; None in any other.
    Velocity is along the box's own heading.
    """
    if message.header.frame_id not in frames:
        return None
    in_odom = message.header.frame_id == frames[0]
    cos, sin = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
    out = []
    for item in message.objects:
        x, y, angle = item.pose.position.x, item.pose.position.y, heading(item.pose)
        direction = angle
        if in_odom:
            dx, dy = x - ego.x_m, y - ego.y_m
            x, y, angle = cos * dx + sin * dy, cos * dy - sin * dx, angle - ego.heading_rad
        speed = item.velocity.x * math.cos(direction) + item.velocity.y * math.sin(direction)
        out.append(
            TrackedObject(
                id=item.id,
                kind=item.kind,
                stamp_ns=ns(message.header.stamp),
                x_m=x,
                y_m=y,
                heading_rad=math.remainder(angle, math.tau),
                speed_mps=speed,
                length_m=item.length_m,
                width_m=item.width_m,
            )
        )
    return tuple(out)
