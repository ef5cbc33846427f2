"""From the simulator to the model's input, through the code that a vehicle runs.

Views, the ring of frame sets, odometry at 50 Hz.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.egomotion import EgoBuffer
from alpamayo_ros.sensing.ring import FrameRing
from alpamayo_ros.sensing.views import make_views, views_from_rig
from alpamayo_ros.simulation.ego import EgoPose, advance
from alpamayo_ros.simulation.sim_rig import sim_rig
from alpamayo_ros.simulation.worlds.simulation import STEP_NS, STEP_S, Simulation
from alpamayo_ros.types import Conditioning, EgoState, FrameSet, FrameStack, PlannerInput, Proposal

ODOMETRY_STEPS = 5  # states a step of 0.1 s: 50 Hz


class Sensors:
    """Eyes and odometry of one simulated ego.

    ``blind``: nothing is rendered, every picture is black; for planners that look at none.
    ``pictures``: the last ones taken, by camera.  ``said``: all that was wrong when they were.
    """

    def __init__(self, sim: Simulation, profile: ModelProfile, blind: bool = False) -> None:
        self.sim, self.profile, self.blind = sim, profile, blind
        self._makers = views_from_rig(profile, sim_rig())
        self._ring, self._ego = FrameRing(STEP_NS), EgoBuffer()
        self.pictures: dict[str, UInt8[np.ndarray, '_ _ 3']] = {}
        self.said: list[Fault] = []
        self._ego.push(sim.ego)

    @property
    def now_ns(self) -> int:
        """The vehicle's clock."""
        return self.sim.now_ns

    def look(self) -> Fault | None:
        """Take the pictures of this instant."""
        now, count = self.sim.now_ns, len(self.profile.views)
        self.pictures = {} if self.blind else self._images()
        images = make_views(self.pictures, self._makers)
        stamps, valid = np.full(count, now, np.int64), np.ones(count, bool)
        return self._ring.push(FrameSet(now, images, stamps, valid))

    def _images(self) -> dict[str, UInt8[np.ndarray, '_ _ 3']]:
        return self.sim.images()

    def frames(self) -> FrameStack | Fault:
        """The model's visual input at this instant."""
        return self._ring.stack(self.now_ns, self.profile)

    def inputs(
        self, seed: int, previous: tuple[str, int] = ('', 0), prompt: str = ''
    ) -> PlannerInput | Fault:
        """What the planner node would hand to the model now, or why it would not.

        ``previous``: the words of the cycle before, and the t0 that they were decoded at.
        """
        now, frames = self.now_ns, self.frames()
        if isinstance(frames, Fault):
            return frames
        history = self._ego.history(now, self.profile)
        if isinstance(history, Fault):
            return history
        given = Conditioning(history, self.sim.navigation, prompt, *previous)
        return PlannerInput(now, frames, given, seed)

    def step(self, steering_rad: float, acceleration_mps2: float) -> tuple[Fault, ...]:
        """Step the simulation; the odometry of the way there comes in at 50 Hz."""
        pose, start = self.sim.pose, self.sim.now_ns
        self.sim.step(steering_rad, acceleration_mps2)
        found = []
        for k in range(1, ODOMETRY_STEPS):
            part = STEP_S / ODOMETRY_STEPS
            pose = advance(pose, steering_rad, acceleration_mps2, self.sim.vehicle, part, 1)
            found.append(self._odometry(self._state(pose, start + k * STEP_NS // ODOMETRY_STEPS)))
        found.append(self._odometry(self.sim.ego))
        return tuple(f for f in found if f is not None)

    def answer(self, proposal: Proposal) -> Proposal | Fault | None:
        """What becomes of the model's answer."""
        return proposal

    def close(self) -> None:
        """Nothing to release."""

    def _odometry(self, state: EgoState) -> Fault | None:
        return self._ego.push(state)

    def _state(self, pose: EgoPose, stamp_ns: int) -> EgoState:
        yaw_rate = pose.speed_mps * np.tan(pose.steering_rad) / self.sim.vehicle.wheelbase_m
        motion = (pose.speed_mps, float(yaw_rate), pose.acceleration_mps2, pose.steering_rad)
        return EgoState(stamp_ns, pose.x_m, pose.y_m, pose.heading_rad, *motion)
