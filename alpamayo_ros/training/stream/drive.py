"""One training drive of a random world: by the expert, or from some step on by the policy.

Half of the policy's drives begin at once and half after some seconds of the expert, so that late
parts of a drive are seen early in training.  Every state is labelled by the expert.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from alpamayo_ros.simulation.tracker import Anchor, Reference, follow
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.simulation import STEP_S, Simulation
from alpamayo_ros.training.collect import camera_instant
from alpamayo_ros.training.sample_recorder import Recorder
from alpamayo_ros.training.stream.dense import dense_truth
from alpamayo_ros.training.stream.disturbance import AHEAD_M, Disturbance, room
from alpamayo_ros.training.stream.importance import importance
from alpamayo_ros.training.stream.slots import Slots

ASIDE_M = 3.2  # further from its way there is nothing left to learn
STOOD_STEPS, WAITED_STEPS = 150, 450  # the second where lights and priority may take so long
STANDING_MPS = 0.05
HARD_MPS2 = -4.0  # from here on it is an emergency stop
AHEAD_STEPS = 12  # before it takes over, the policy has seen pictures for so long


@dataclass(frozen=True, slots=True)
class Terms:
    """Who drives and how: ``handover``: the step from which the policy does (None: never).

    ``exam``: undisturbed, and to the end: a point of the learning curve.
    """

    handover: int | None
    exam: bool


@dataclass(frozen=True, slots=True)
class Made:
    """A plan of the policy, the step at which its pictures were taken, and where."""

    plan: np.ndarray
    step: int
    anchor: Anchor


class Drive:
    """A drive; its samples are in the recorder's writer.

    ``lost``: it ended because the ego was too far from its way, or stood for too long.
    ``braked``: the expert asked for an emergency stop at the end, which may have come too late.
    """

    def __init__(
        self,
        sim: Simulation,
        terms: Terms,
        recorder: Recorder,
        asks: tuple[Slots, int],
        disturbance: Disturbance,
        goes_on: Callable[[], bool],
    ) -> None:
        """``asks``: where the policy answers, and this process's slot there.

        ``goes_on`` turns False when the run ends, and then the drive does too.
        """
        self.sim, self.terms, self.recorder = sim, terms, recorder
        self._slots, self._slot = asks
        self._disturbance, self._goes_on, self._still = disturbance, goes_on, 0
        self._made: Made | None = None
        self.lost = self.braked = False

    def run(self, most_steps: int) -> None:
        """Drive until the world says so, the ego is lost, or ``most_steps`` are over."""
        spacing_s = self.recorder.profile.frames.spacing_s
        for step in range(most_steps):
            self.lost = not self.sim.done and self._lost()
            if self.sim.done or self.lost or not self._goes_on():
                return
            if camera_instant(step, spacing_s):
                self._look(step)
            self.sim.step(*self._command(step))
            self._still = self._still + 1 if self.sim.pose.speed_mps < STANDING_MPS else 0

    def _lost(self) -> bool:
        if self.terms.exam:
            return False
        aside = self.sim.truth().lane_offset_m - self.sim.actors.way.at(self.sim.arc_m)
        patience = STOOD_STEPS if self.sim.map == 'winding_road' else WAITED_STEPS
        return abs(aside) > ASIDE_M or self._still > patience

    def _driven(self, step: int, early: int = 0) -> bool:
        handover = self.terms.handover
        return handover is not None and step + early >= handover

    def _look(self, step: int) -> None:
        """Take pictures, ask the policy about them, and store the expert's answer meanwhile."""
        views, time_s, number = self.recorder.look(), step * STEP_S, 0
        pose = self.sim.pose
        if self._driven(step, AHEAD_STEPS):
            words, first = self.recorder.prefix(), self._made is None
            number = self._slots.ask(self._slot, views, words, time_s, pose.speed_mps, first)
        row = self.recorder.record(time_s, views)
        if row is not None:
            row['dense'] = dense_truth(self.sim)
            own = self._driven(step)
            row['weight'] = np.float32(importance(row, self._still, own))
            row |= self._slots.silence(self.recorder.profile)
        if number:
            plan = self._slots.wait(self._slot, number, self._goes_on)
            if plan is None:
                return
            self._made = Made(plan, step, Anchor(pose.x_m, pose.y_m, pose.heading_rad))
            if row is not None and self._driven(step):
                row |= self._slots.words(self._slot)

    def _command(self, step: int) -> tuple[float, float]:
        made, space = self._made, room(self.sim.objects(AHEAD_M))
        speed_mps = self.sim.pose.speed_mps
        if made is None or not self._driven(step):
            steering, acceleration = expert.control(self.sim, self.recorder.wish)
            self.braked = acceleration <= HARD_MPS2
            return self._disturbance.of_expert(steering, acceleration, speed_mps, space)
        reference = Reference(made.plan[:, 0], made.plan[:, 1])
        since_s = (step - made.step) * STEP_S
        steering, acceleration = follow(
            reference, made.anchor, self.sim.pose, since_s, self.sim.vehicle
        )
        return self._disturbance.of_policy(steering, acceleration, speed_mps, space)
