"""One rollout: observations in, and at each ``drive`` a checked plan, or a stop, never nothing.

Simulated time may begin at 0, which this package takes for no time at all: stamps are moved by a
second.  While AlpaSim drives the recording itself it need not ask: the state machine then goes on
with the observations, as far as READY, and the first question arms it (there is no person here).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float

from alpamayo_ros import pipeline
from alpamayo_ros.bridges.alpasim.contract import message
from alpamayo_ros.bridges.alpasim.pictures import Pictures, camera_names, lenses_of
from alpamayo_ros.bridges.alpasim.reply import (
    Tilted,
    debug_bytes,
    put_candidates,
    put_plan,
    standing,
)
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.pipeline import Decision, PlanConfig, SafetyState
from alpamayo_ros.safety.scene import build_scene
from alpamayo_ros.safety.state import Mode
from alpamayo_ros.sensing.egomotion import EgoBuffer
from alpamayo_ros.sensing.navigation import FOLLOW_TEXT, canonical
from alpamayo_ros.sensing.odometry import from_message
from alpamayo_ros.sensing.ring import FrameRing
from alpamayo_ros.sensing.route import MAX_POINTS, from_route
from alpamayo_ros.types import Conditioning, EgoState, PlannerInput, Proposal

OFFSET_NS = 1_000_000_000
MAX_US = 4 * 10**15  # the year 2096; beyond, stamps in nanoseconds leave 64 bits
MAX_POSES = 10_000  # of one observation
MAX_CAMERAS = 32
MAX_FAULTS = 64  # that wait for the next decision
STARTING = (Mode.INIT, Mode.READY)
FRAMES = ('odom', 'base_link')


class Model(Protocol):
    """Who proposes."""

    def ask(self, inputs: PlannerInput) -> tuple[Proposal | None, list[Fault]]:
        """The proposal, or None with the faults that say why."""
        ...


@dataclass(slots=True)
class Tally:
    """What a rollout amounted to, said when it is closed."""

    drives: int = 0
    images: int = 0
    modes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)


def stamp_ns(time_us: int) -> int | Fault:
    """Nanoseconds of this package, or STAMP_INVALID."""
    if time_us > MAX_US:
        return Fault(Code.STAMP_INVALID, f'{time_us} us, at most {MAX_US} us are taken')
    return OFFSET_NS + time_us * 1000


def open_session(request: Any, config: PlanConfig, chosen: Mapping[str, str]) -> Session | Fault:
    """A session for the cameras of a DriveSessionRequest; a fault where they do not fit."""
    cameras = request.rollout_spec.vehicle.available_cameras
    if len(cameras) > MAX_CAMERAS:
        text = f'{len(cameras)} cameras, at most {MAX_CAMERAS} are taken'
        return Fault(Code.CAM_IDENTITY, text)
    declared = {camera.logical_id: camera for camera in cameras}
    names = camera_names(config.profile, list(declared), chosen)
    if isinstance(names, Fault):
        return names
    lenses = lenses_of(config.profile, {name: declared[id_] for id_, name in names.items()})
    if isinstance(lenses, Fault):
        return lenses
    pictures = Pictures(config.profile, lenses, config.limits)
    return Session(config, names, pictures, request.random_seed % 2**31)


class Session:
    """The state of one rollout.  Not for several threads at once."""

    def __init__(
        self, config: PlanConfig, names: Mapping[str, str], pictures: Pictures, seed: int
    ) -> None:
        self.config = replace(config, auto_arm=True, auto_rearm=True)
        self._waiting = replace(config, auto_arm=False)
        self._names, self._pictures, self._seed = names, pictures, seed
        self._ring, self._ego = FrameRing(), EgoBuffer(derive_acceleration=True)
        self._place = (0.0, (1.0, 0.0, 0.0, 0.0))  # height and attitude of the newest pose
        self._newest_ns = self._asked_ns = 0  # of the newest set, and of the last that was asked
        self._faults: list[Fault] = []
        self._stopping_ns: int | None = None  # since when no checked plan has left
        self._text = ''
        self.navigation = FOLLOW_TEXT
        self.state = SafetyState()
        self.tally = Tally()

    # -- observations ---------------------------------------------------------------------------
    def image(self, image: Any) -> Fault | None:
        """Take a CameraImage; what is wrong with it, which the next decision sees too."""
        name = self._names.get(image.logical_id)
        if name is None:
            return None  # a camera that the profile does not look through
        when = stamp_ns(image.frame_end_us)
        if isinstance(when, Fault):
            return self._note(when)
        self.tally.images += 1
        found = self._pictures.take(name, when, image.image_bytes)
        if found is None or isinstance(found, Fault):
            return self._note(found)
        self._newest_ns = found.t0_ns
        return self._note(self._ring.push(found))

    def motion(self, observed: Any) -> Fault | None:
        """Take a RolloutEgoTrajectory: the poses since the last, each with its dynamic state."""
        poses, states = observed.trajectory.poses, observed.dynamic_states
        if len(poses) != len(states) or len(poses) > MAX_POSES:
            text = f'{len(poses)} poses and {len(states)} dynamic states'
            return self._note(Fault(Code.ODOM_FRAME, f'{text}; expected as many, {MAX_POSES}'))
        fault = None
        for pose, state in zip(poses, states, strict=True):
            newest = self._ego.newest
            when = stamp_ns(pose.timestamp_us)
            if isinstance(when, int) and newest is not None and when <= newest.stamp_ns:
                continue  # sent again
            fault = self._note(when if isinstance(when, Fault) else self._push(when, pose, state))
        newest = self._ego.newest
        if newest is not None and self.state.mode in STARTING:
            self._decide(None, newest.stamp_ns, self._waiting, newest)
        return fault

    def _push(self, when_ns: int, timed: Any, state: Any) -> Fault | None:
        p, q = timed.pose.vec, timed.pose.quat
        linear, angular = state.linear_velocity, state.angular_velocity
        values = (p.x, p.y, p.z, q.x, q.y, q.z, q.w, linear.x, linear.y, linear.z)
        found = from_message(when_ns, FRAMES, (*values, angular.x, angular.y, angular.z))
        if isinstance(found, Fault):
            return found
        fault = self._ego.push(found)
        if self._ego.newest is not None and self._ego.newest.stamp_ns == when_ns:
            norm = math.sqrt(q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z)
            self._place = p.z, (q.w / norm, q.x / norm, q.y / norm, q.z / norm)
        return fault

    def route(self, route: Any) -> Fault | None:
        """Take a Route in the rig frame; the instruction is made from its shape."""
        if len(route.waypoints) > MAX_POINTS:
            text = f'a route of {len(route.waypoints)} points, at most {MAX_POINTS}'
            return self._note(Fault(Code.NAV_FORMAT, text))
        points = np.array([[w.x, w.y] for w in route.waypoints], np.float64).reshape(-1, 2)
        self.navigation, fault = instruction(points)
        return self._note(fault)

    def _note(self, fault: Fault | None) -> Fault | None:
        if fault is not None:
            self.tally.faults[fault.code.name] += 1
            self._faults = [*self._faults, fault][-MAX_FAULTS:]
        return fault

    # -- the question -----------------------------------------------------------------------------
    def drive(self, time_now_us: int, model: Model) -> Any | Fault:
        """The DriveResponse for this instant; ODOM_GAP before there was any usable egomotion."""
        now_ns = stamp_ns(time_now_us)
        now = now_ns if isinstance(now_ns, Fault) else self._now(now_ns)
        if isinstance(now, Fault) or isinstance(now_ns, Fault):
            return now
        proposal = self._propose(model)
        anchor = now.ego if proposal is None else self._at(proposal.t0_ns)
        decision = self._decide(proposal, now_ns, self.config, anchor)
        self.tally.drives += 1
        self.tally.modes[decision.state.mode.name] += 1
        reply = message('DriveResponse')()
        put_plan(reply.trajectory, self._plan(decision, now.ego, now_ns), now, OFFSET_NS)
        if proposal is not None and anchor is not None:
            dt_s, out = self.config.profile.trajectory.dt_s, reply.debug_info.sampled_trajectories
            put_candidates(out, proposal, anchor, now, dt_s, OFFSET_NS)
        reply.debug_info.unstructured_debug_info = debug_bytes(self._words(decision))
        return reply

    def _words(self, decision: Decision) -> dict[str, str]:
        return {
            'command_name': self.navigation,
            'reasoning_text': self._text,
            'state': decision.state.mode.name,
            'faults': ' '.join(sorted({fault.code.name for fault in decision.faults})),
        }

    def _now(self, now_ns: int) -> Tilted | Fault:
        """The car at the instant that is asked about, driven on at most 50 ms."""
        newest, ego = self._ego.newest, self._at(now_ns)
        if ego is None or newest is None:
            return Fault(Code.ODOM_GAP, 'drive was called without egomotion of its time.')
        z_m, (w, i, j, k) = self._place
        turned = (ego.heading_rad - newest.heading_rad) / 2
        c, s = math.cos(turned), math.sin(turned)
        return Tilted(ego, z_m, (w * c - k * s, i * c + j * s, j * c - i * s, k * c + w * s))

    def _at(self, time_ns: int) -> EgoState | None:
        return self._ego.state_at(time_ns, self.config.profile) or self._moving(time_ns)

    def _moving(self, time_ns: int) -> EgoState | None:
        """The pose alone, where the past is too short for a history without gaps."""
        newest, pose = self._ego.newest, self._ego.pose_at(time_ns)
        if newest is None or isinstance(pose, Fault):
            return None
        at = {'x_m': pose.x_m, 'y_m': pose.y_m, 'heading_rad': pose.heading_rad}
        return replace(newest, stamp_ns=time_ns, **at)

    def _propose(self, model: Model) -> Proposal | None:
        """A proposal for the newest set, once; None with faults where the inputs do not do."""
        t0_ns = self._newest_ns
        if t0_ns <= self._asked_ns:
            self._note(Fault(Code.SET_INCOMPLETE, 'no new complete set of images.'))
            return None
        stack = self._ring.stack(t0_ns, self.config.profile)
        past = self._ego.history(t0_ns, self.config.profile)
        if isinstance(stack, Fault) or isinstance(past, Fault):
            self._note(stack if isinstance(stack, Fault) else None)
            self._note(past if isinstance(past, Fault) else None)
            return None
        self._asked_ns = t0_ns
        given = Conditioning(past, self.navigation, '', self._text)
        proposal, faults = model.ask(PlannerInput(t0_ns, stack, given, self._seed))
        for fault in faults:
            self._note(fault)
        self._text = self._text if proposal is None else proposal.text
        return proposal and replace(proposal, navigation=self.navigation)

    def _decide(
        self, proposal: Proposal | None, now_ns: int, config: PlanConfig, ego: EgoState | None
    ) -> Decision:
        """Checked, chosen, gated; the faults since the last decision count."""
        age_s = None if proposal is None else (now_ns - proposal.t0_ns) * 1e-9
        faults, self._faults = self._faults, []
        scene = build_scene(ego, self._ego.newest, None, faults, (), age_s, now_ns)
        decision = pipeline.decide(proposal, scene, self.state, config, now_ns)
        for fault in decision.faults:
            self.tally.faults[fault.code.name] += fault not in faults
        self.state = decision.state
        return decision

    def _plan(self, decision: Decision, ego: EgoState, now_ns: int) -> Plan:
        """What leaves: the decision's plan, the one before while it holds, else a stop."""
        last = decision.plan or decision.state.previous_plan
        driving = decision.state.mode not in (*STARTING, Mode.FAULT)
        if last is not None and driving and now_ns < last.valid_until_ns:
            self._stopping_ns = None
            return last
        if self._stopping_ns is None:
            self._stopping_ns = now_ns
        return standing(ego, self.config, self._stopping_ns)


def instruction(points: Float[np.ndarray, 'N 2']) -> tuple[str, Fault | None]:
    """The words for a route in base_link [m]; an empty one, or a single point, asks for nothing.

    A route that begins ahead of the car is led to it, so that distances count from the car.
    """
    if len(points) < 2:
        return FOLLOW_TEXT, None
    nearest = int(np.argmin(np.hypot(*np.nan_to_num(points, nan=math.inf).T)))
    if nearest == 0 and points[0, 0] > 0:
        points = np.concatenate([np.zeros((1, 2)), points])
    found = from_route(points)
    return (FOLLOW_TEXT, found) if isinstance(found, Fault) else canonical(found)
