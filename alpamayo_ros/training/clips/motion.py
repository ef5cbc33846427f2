"""The motion of a clip at its instants: past for the model, future as what was driven."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from alpamayo_ros.faults import Code
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.replay.motion import Track
from alpamayo_ros.sensing.egomotion import EgoBuffer
from alpamayo_ros.training.clips.clip import FUTURE_S, SPACING_NS, Note, Pose
from alpamayo_ros.types import EgoHistory, EgoState
from alpamayo_ros.units import NS

STEP_S = SPACING_NS / NS
CONTRADICTED = (Code.ODOM_SPEED, Code.ODOM_TURN)  # the driver does not plan on it either


class Motion:
    """Answers for instants in the order of time; odometry that jumps parts a clip in two."""

    def __init__(self, states: Sequence[EgoState], profile: ModelProfile) -> None:
        self.profile, self._states = profile, list(states)
        self._buffer, self._next = EgoBuffer(derive_acceleration=True), 0
        self._track, self._doubted = track_of(states), False

    def at(self, t0_ns: int) -> tuple[EgoState, EgoHistory] | None:
        """The car at t0 and its past; None where odometry is missing, or contradicts itself."""
        while self._next < len(self._states) and not self._reaches(t0_ns):
            fault = self._buffer.push(self._states[self._next])
            self._doubted = fault is not None and fault.code in CONTRADICTED
            self._next += 1
        if self._doubted:
            return None
        car, past = (
            self._buffer.state_at(t0_ns, self.profile),
            self._buffer.history(t0_ns, self.profile),
        )
        return (car, past) if car is not None and isinstance(past, EgoHistory) else None

    def _reaches(self, t0_ns: int) -> bool:
        newest = self._buffer.newest
        return newest is not None and newest.stamp_ns >= t0_ns

    def after(
        self, car: EgoState, points: int, dt_s: float
    ) -> tuple[Float[np.ndarray, 'P 3'], Bool[np.ndarray, ' P']]:
        """Poses in base_link at ``car`` and which of them the clip covers."""
        found, valid = self._track.after(car, points, dt_s)
        return found[:, :3], valid


def track_of(states: Iterable[EgoState]) -> Track:
    """All states as a track; a jump parts it."""
    buffer, track = EgoBuffer(), Track()
    for state in states:
        before = buffer.newest
        buffer.push(state)
        if buffer.newest is not before:
            track.add(state, before is not None and len(buffer) == 1)
    return track


@dataclass(frozen=True, slots=True)
class Moved:
    """An instant with its motion, for a note."""

    t0_ns: int
    speed_mps: float
    trajectory: tuple[Pose, ...]


def moved(
    states: Sequence[EgoState], instants: Iterable[int], profile: ModelProfile
) -> Iterator[Moved]:
    """Speed and driven trajectory of every instant that odometry covers."""
    motion, points = Motion(states, profile), round(FUTURE_S / STEP_S)
    for t0_ns in instants:
        found = motion.at(t0_ns)
        if found is not None:
            poses, valid = motion.after(found[0], points, STEP_S)
            count = points if valid.all() else int(np.argmin(valid))
            yield Moved(t0_ns, round(found[0].speed_mps, 3), rounded(poses[:count]))


def with_motion(note: Note, found: Moved) -> Note:
    """The note with its speed and trajectory."""
    motion = {'speed_mps': found.speed_mps, 'trajectory': found.trajectory}
    return note.model_copy(update=motion)


def rounded(poses: Float[np.ndarray, 'n 3']) -> tuple[Pose, ...]:
    """Poses for a note: millimetres, and tenths of a milliradian."""
    rows = (poses + 0.0).tolist()
    return tuple((round(x, 3) + 0.0, round(y, 3) + 0.0, round(h, 4) + 0.0) for x, y, h in rows)
