"""Drivers whose drives are worth recording or failing: the expert, and people who drive otherwise.

All steer as the expert does; they differ in speed.  None of them is a planner: they command the
car itself, step by step, and see the simulator's truth.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from alpamayo_ros.simulation.driving_wish import PLAIN, Wish
from alpamayo_ros.simulation.scene_truth import nearest_leader
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.simulation import Simulation

Driver = Callable[[Simulation], tuple[float, float]]
CONSTANT_MPS = 6.0
LATE_MPS2, HARDEST_MPS2 = 3.5, 5.0  # a late driver brakes so hard, and not before it is needed


def careful(wish: Wish = PLAIN) -> Driver:
    """The expert, driving as a passenger asks for."""
    return lambda sim: expert.control(sim, wish)


def constant_speed(sim: Simulation) -> tuple[float, float]:
    """6 m/s, whatever there is: bends, people, signals and who stands."""
    acceleration = (CONSTANT_MPS - sim.pose.speed_mps) / expert.SPEED_TIME_S
    low, high = expert.ACCELERATION_MPS2
    return expert.control(sim)[0], min(max(acceleration, low), high)


def ignoring(sim: Simulation) -> tuple[float, float]:
    """As fast as road and signs allow, as if nobody were there and no signal."""
    nobody = replace(expert.View.of(sim), cars=())
    return nobody.command(sim.pose, sim.arc_m, 0.0)


def late_braking(sim: Simulation) -> tuple[float, float]:
    """As ``ignoring``, but braking where 3.5 m/s2 are needed to stop in time."""
    steering, acceleration = ignoring(sim)
    view, speed_mps = expert.View.of(sim), sim.pose.speed_mps
    ahead = nearest_leader(view.cars, view.front_m)
    if ahead is None:
        return steering, acceleration
    left_m = ahead.rear_arc_m - view.front_m - expert.GAP_M
    needed = (speed_mps**2 - ahead.speed_mps**2) / 2 / left_m if left_m > 0 else math.inf
    if needed > LATE_MPS2:
        return steering, -min(needed, HARDEST_MPS2)
    near = left_m < speed_mps
    return steering, min(acceleration, 0.0) if near else acceleration


BY_NAME: dict[str, Driver] = {
    'expert': careful(),
    'constant_speed': constant_speed,
    'late_braking': late_braking,
    'ignoring': ignoring,
}
