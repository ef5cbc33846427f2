"""What is true of a scene, in the facts that a chain of causation may claim.

``light``, ``lead`` and ``pedestrian`` are the simulator's at t0; ``manoeuvre`` is what the car
went on to do, so it is known only later.  Same names as ``metrics.language.coc_facts``; the
thresholds are the annotator's (``training.annotate``), whose words the models were taught.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from alpamayo_ros import metrics
from alpamayo_ros.simulation.scene_truth import SceneTruth
from alpamayo_ros.simulation.worlds.simulation import Simulation

VEHICLE_M = 55.0  # as VISIBLE_M of the annotator
STANDING_MPS, BRAKING_MPS2 = 0.5, -0.5  # as the annotator's
LIGHT_M = 40.0  # a lamp is 3 pixels wide there in the front camera
PERSON_M, PERSON_ASIDE_M = 40.0, 3.0  # on the lane or at its edge
CROSSING_RAD = np.pi / 4
CROSSING_MPS = 0.3
SPEED_BAND_MPS = 1.0  # as metrics.agreement
MIDDLE, HORIZON = 30, 60  # steps: changes of speed are judged after 3 s, standing after 6 s
STRAIGHT_1PM = 1 / 600  # a lane change can be told from a bend only on a road as straight

Facts = dict[str, set[str]]


def seen(sim: Simulation, truth: SceneTruth) -> Facts:
    """Light, lead vehicle and pedestrian now; an empty set where there is none."""
    light = sim.light_ahead(LIGHT_M)
    return {'light': {light} if light else set(), 'lead': lead(truth), 'pedestrian': person(sim)}


def lead(truth: SceneTruth) -> set[str]:
    """'present' and its state, for a vehicle in the lane within 55 m."""
    if truth.leader_gap_m > VEHICLE_M:
        return set()
    if truth.leader_speed_mps < STANDING_MPS:
        return {'present', 'standing'}
    braking = truth.leader_acceleration_mps2 < BRAKING_MPS2
    return {'present', 'braking' if braking else 'moving'}


def person(sim: Simulation) -> set[str]:
    """'present' for a pedestrian near the way ahead, 'crossing' where one walks across it.

    Near is within 40 m of the way ahead and 3 m of its middle.
    """
    people = [a for a in sim.agents() if a.kind == 'pedestrian']
    if not people:
        return set()
    line, heading, _ = sim.road.at(sim.arc_m + np.arange(0.0, PERSON_M))
    found = set()
    for a in people:
        away = np.hypot(line[:, 0] - a.x_m, line[:, 1] - a.y_m)
        nearest = int(away.argmin())
        if away[nearest] <= PERSON_ASIDE_M:
            across = abs(np.sin(a.heading_rad - float(heading[nearest]))) > np.sin(CROSSING_RAD)
            found |= {'present'} | (
                {'crossing'} if across and a.speed_mps > CROSSING_MPS else set()
            )
    return found


def manoeuvre(
    poses: Float[np.ndarray, 'n 3'],
    speeds_mps: Float[np.ndarray, ' n'],
    dt_s: float,
    navigation: str,
    curvature_1pm: float,
) -> set[str] | None:
    """What the car did in the 6 s after t0, in the words of ``metrics.words.INTENTS``.

    ``poses``: x, y, heading in base_link at t0, the first at t0 itself.  Speed: standing at the
    end is a stop or a wait; else the change after 3 s.  A turn counts where the navigation of t0
    announces it (a road that bends is no turn), a lane change where ``curvature_1pm``, the
    largest ahead, is that of a straight road.  None where the drive ended before 6 s were over,
    unless it ended standing.
    """
    if len(poses) <= HORIZON:
        if speeds_mps[-1] >= STANDING_MPS:
            return None
        more = HORIZON + 1 - len(poses)
        poses = np.concatenate([poses, np.repeat(poses[-1:], more, 0)])
        speeds_mps = np.concatenate([speeds_mps, np.repeat(speeds_mps[-1:], more)])
    found = {_speed(*(float(speeds_mps[k]) for k in (0, MIDDLE, HORIZON)))}
    done = metrics.driven_intent(poses[1 : HORIZON + 1], float(speeds_mps[0]), dt_s)
    found |= {side for side in ('left', 'right') if side in done and side in navigation}
    if abs(curvature_1pm) < STRAIGHT_1PM:
        found |= {name for name in done if name.startswith('lane_change')}
    return found


def _speed(now: float, middle: float, end: float) -> str:
    if now < STANDING_MPS:
        return 'wait' if max(middle, end) < STANDING_MPS else 'speed_up'
    if end < STANDING_MPS:
        return 'stop'
    if abs(middle - now) <= SPEED_BAND_MPS:
        return 'keep'
    return 'speed_up' if middle > now else 'slow'
