"""The reply to ``drive``: a trajectory from where the car is now, and what it was chosen of.

AlpaSim moves the reply by (pose now)^-1 x (first pose) and reads it from the first stamp on: so
the first pose is the ego's own, stamped with exactly the time that was asked about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from alpamayo_ros.motion import fallback
from alpamayo_ros.motion.plan import Plan, to_base, to_odom
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.types import EgoState, Proposal

PICKLE_END = b'u.'


@dataclass(frozen=True, slots=True)
class Tilted:
    """The car now: its planar state, and height and attitude (w, x, y, z) that plans leave out."""

    ego: EgoState
    z_m: float
    quat: tuple[float, float, float, float]

    def place(
        self, poses: Float[np.ndarray, 'P 3']
    ) -> tuple[Float[np.ndarray, 'P 3'], Float[np.ndarray, 'P 4']]:
        """Positions and quaternions of poses x, y, heading in base_link, on the car's plane."""
        x, y, heading = poses.T
        w, i, j, k = self.quat
        # the x and y columns of the rotation
        ahead = (1 - 2 * (j * j + k * k), 2 * (i * j + w * k), 2 * (i * k - w * j))
        left = (2 * (i * j - w * k), 1 - 2 * (i * i + k * k), 2 * (j * k + w * i))
        origin = (self.ego.x_m, self.ego.y_m, self.z_m)
        at = [o + a * x + b * y for o, a, b in zip(origin, ahead, left, strict=True)]
        c, s = np.cos(heading / 2), np.sin(heading / 2)
        turned = (w * c - k * s, i * c + j * s, j * c - i * s, k * c + w * s)
        return np.stack(at, axis=1), np.stack(turned, axis=1)


def standing(ego: EgoState, config: PlanConfig, since_ns: int) -> Plan:
    """A stop on the ego's present circle, where no checked plan is at hand: never nothing.

    ``since_ns``: when it began, so that the next one brakes on where this one has come to.
    """
    form, vehicle, limits = config.profile.trajectory, config.vehicle, config.limits
    begun = fallback.begin(None, ego, ego.stamp_ns, vehicle, limits)
    stop = replace(begun, began_ns=since_ns)
    path = fallback.stop_trajectory(stop, ego, vehicle, limits, form.points, form.dt_s)
    return Plan(0, ego.stamp_ns, ego, path, ego.stamp_ns, 'fallback', 0.0)


def relative(plan: Plan, ego: EgoState) -> tuple[list[int], Float[np.ndarray, 'P 3']]:
    """Stamps [ns] after ``ego`` and poses in its base_link, of the part of a plan still ahead."""
    step_ns = round(plan.trajectory.dt_s * 1e9)
    stamps = [plan.t0_ns + (i + 1) * step_ns for i in range(len(plan.trajectory.x_m))]
    poses = to_base(plan.poses_in_odom(), ego)
    ahead = [i for i, stamp in enumerate(stamps) if stamp > ego.stamp_ns]
    return [stamps[i] for i in ahead], poses[ahead]


def put_plan(out: Any, plan: Plan, now: Tilted, offset_ns: int) -> None:
    """Write the plan into a Trajectory message, the ego's own pose first."""
    stamps, poses = relative(plan, now.ego)
    _put(
        out, [now.ego.stamp_ns, *stamps], np.concatenate([np.zeros((1, 3)), poses]), now, offset_ns
    )


def put_candidates(
    out: Any, proposal: Proposal, anchor: EgoState, now: Tilted, dt_s: float, offset_ns: int
) -> None:
    """Write every finite candidate into repeated Trajectories; ``anchor``: the ego at t0."""
    steps = range(1, proposal.candidates.shape[1] + 1)
    stamps = [proposal.t0_ns + round(i * dt_s * 1e9) for i in steps]
    for candidate in proposal.candidates:
        if np.isfinite(candidate).all():
            poses = to_base(to_odom(candidate.astype(np.float64), anchor), now.ego)
            _put(out.add(), stamps, poses, now, offset_ns)


def _put(
    out: Any, stamps_ns: list[int], poses: Float[np.ndarray, 'P 3'], now: Tilted, offset_ns: int
) -> None:
    positions, turns = now.place(poses)
    add = out.poses.add
    for stamp_ns, at, turned in zip(stamps_ns, positions.tolist(), turns.tolist(), strict=True):
        pose = add(timestamp_us=(stamp_ns - offset_ns) // 1000).pose
        vec, quat = pose.vec, pose.quat
        vec.x, vec.y, vec.z = at
        quat.w, quat.x, quat.y, quat.z = turned


def debug_bytes(words: Mapping[str, str]) -> bytes:
    """A dict of strings in pickle's protocol 2, which AlpaSim's evaluation reads.

    Written by hand: nothing is ever unpickled in this package.
    """
    body = b''.join(_text(key) + _text(value) for key, value in words.items())
    return b'\x80\x02}(' + body + PICKLE_END


def _text(text: str) -> bytes:
    data = text.encode('utf-8', 'replace')
    return b'X' + len(data).to_bytes(4, 'little') + data
