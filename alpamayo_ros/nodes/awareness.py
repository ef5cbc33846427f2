"""What the trajectory node knows when it decides: the car, objects, faults from upstream, ages."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.msg import CandidateArray, FrameSetInfo, TrackedObjectArray
from alpamayo_ros.nodes.common import convert
from alpamayo_ros.nodes.common.convert import codes, ns
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.safety.scene import CYCLES, Scene, build_scene, decisive
from alpamayo_ros.sensing.derivative import SpeedDerivative
from alpamayo_ros.sensing.egomotion import EgoBuffer
from alpamayo_ros.types import EgoState, TrackedObject
from alpamayo_ros.units import NS

OBJECTS_S = 0.5  # objects farther in time from the ego say nothing of it: as old as a plan may be
WINDOW_S = 0.1  # base line of acceleration from speed: one planning period


class Awareness:
    """Fed by the node's callbacks; ``scene`` is what ``decide`` gets."""

    def __init__(
        self,
        profile: ModelProfile,
        lockstep: bool,
        objects_expected: bool,
        frames: tuple[str, str] = ('odom', 'base_link'),
    ) -> None:
        """In lockstep wall-clock cycle times count for nothing.

        ``frames``: odom and base_link as the rig calls them.
        """
        self._odometry_frames = frames
        self.profile, self.lockstep, self.objects_expected = profile, lockstep, objects_expected
        self.buffer = EgoBuffer()
        self.frame_age_s: float | None = None
        self.seen_ns: dict[str, int] = {}
        self._derivative = SpeedDerivative(WINDOW_S)
        self._heard_ns: dict[str, int] = {}
        self._objects: deque[TrackedObjectArray] = deque(maxlen=32)
        self._upstream: tuple[Fault, ...] = ()
        self._odometry: Fault | None = None
        self._unseen: list[tuple[int, Fault]] = []  # t0 and what camera_sync found then
        self._cycles_s: deque[float] = deque(maxlen=CYCLES)

    def odometry(self, state: EgoState | Fault) -> None:
        """A state, or why a message was none; a clock that jumped back empties the buffer."""
        if isinstance(state, Fault):
            self._odometry = state
            return
        newest = self.buffer.newest
        if newest is not None and state.stamp_ns < newest.stamp_ns - NS:
            self.buffer.reset()
        self._odometry = self.buffer.push(self._derivative.complete(state))
        self.seen_ns['odometry'] = state.stamp_ns

    def objects(self, message: TrackedObjectArray) -> None:
        """What a perception source saw."""
        self._objects.append(message)
        self.seen_ns['objects'] = ns(message.header.stamp)

    def frames(self, message: FrameSetInfo) -> None:
        """What the synchronisation found; it counts until a decision about that t0 or later."""
        t0_ns = ns(message.header.stamp)
        self._unseen += [(t0_ns, f) for f in decisive(Fault(c) for c in codes(message.faults))]

    def restart(self) -> None:
        """Forget what belongs to another time: the clock stepped back."""
        self.buffer.reset()
        self._objects.clear()
        self._heard_ns.clear()
        self.seen_ns.clear()
        self._upstream = ()

    def heard(self, node: str, now_ns: int) -> None:
        """A sign of life."""
        self._heard_ns[node] = now_ns

    def reply(self, message: CandidateArray) -> float | None:
        """Faults and cycle time of a reply of the planner; the cycle time in seconds, if known."""
        self._upstream = tuple(Fault(code) for code in codes(message.faults))
        cycle_s = sum(message.stage_ms) / 1e3
        if not message.stages or self.lockstep or not math.isfinite(cycle_s):
            return None
        self._cycles_s.append(cycle_s)
        return cycle_s

    def add(self, fault: Fault | None) -> None:
        """A fault, if it is one, that holds until the next reply."""
        if fault is not None:
            self._upstream = (*self._upstream, fault)

    def covers(self, t0_ns: int, waiting: int) -> bool:
        """Whether odometry has reached t0; at most two replies wait for it."""
        newest = self.buffer.newest
        return waiting > 2 or (newest is not None and newest.stamp_ns >= t0_ns)

    def silent(self, now_ns: int, limit_s: float) -> Fault | None:
        """NODE_SILENT for a node that spoke before and says nothing any more."""
        for name, heard_ns in self._heard_ns.items():
            silent_s = (now_ns - heard_ns) / NS
            if silent_s > limit_s and not self.lockstep:
                return Fault(Code.NODE_SILENT, f'{name}.', {'silent_s': silent_s})
        return None

    def scene(
        self, t0_ns: int | None, observed_ns: int | None, extra: Iterable[Fault | None]
    ) -> Scene:
        """The scene at t0, or now where there is no proposal."""
        newest = self.buffer.newest
        ego = newest if t0_ns is None else self.buffer.state_at(t0_ns, self.profile)
        upstream = (self._odometry, *self._upstream, *self._see(observed_ns), *extra)
        objects, lost = self._objects_at(ego)
        return build_scene(
            ego,
            newest,
            objects,
            (*upstream, lost),
            cycles_s=tuple(self._cycles_s),
            frame_age_s=self.frame_age_s,
            observed_ns=observed_ns,
        )

    def _see(self, observed_ns: int | None) -> list[Fault]:
        """Faults of the synchronisation that no decision has seen; in lockstep those up to t0."""
        until_ns = observed_ns if self.lockstep else None
        seen = [f for at_ns, f in self._unseen if until_ns is None or at_ns <= until_ns]
        self._unseen = [
            (at, f) for at, f in self._unseen if until_ns is not None and at > until_ns
        ]
        return seen

    def _objects_at(
        self, ego: EgoState | None
    ) -> tuple[tuple[TrackedObject, ...] | None, Fault | None]:
        """Objects nearest in time to ``ego``, None where there are none to use; what is wrong."""
        if not self.objects_expected or ego is None:
            return None, None
        if not self._objects:
            return None, Fault(Code.OBJECTS, 'none came yet.')
        nearest = min(self._objects, key=lambda m: abs(ns(m.header.stamp) - ego.stamp_ns))
        apart_s = abs(ns(nearest.header.stamp) - ego.stamp_ns) / NS
        if not apart_s <= OBJECTS_S:
            return None, Fault(Code.OBJECTS, 'the newest are too old.', {'apart_s': apart_s})
        found = convert.tracked_objects(nearest, ego, self._odometry_frames)
        if found is None:
            known, came = (
                ' or '.join(map(repr, self._odometry_frames)),
                ascii(nearest.header.frame_id),
            )
            return None, Fault(Code.OBJECTS, f'expected frame {known}, got {came}.')
        sound = tuple(o for o in found if finite_object(o))
        lost = len(found) - len(sound)
        return sound, Fault(Code.OBJECTS, f'{lost} hold no finite number.') if lost else None


def finite_object(item: TrackedObject) -> bool:
    """Whether place, motion and size of an object are numbers."""
    numbers = (item.x_m, item.y_m, item.heading_rad, item.speed_mps, item.length_m, item.width_m)
    return all(math.isfinite(n) for n in numbers)
