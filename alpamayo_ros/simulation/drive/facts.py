"""What is true of a scene, in the facts that a chain of causation may claim.

``light``, ``lead`` and ``pedestrian`` are the simulator's at t0, as far as the pictures show them;
``manoeuvre`` is what the car went on to do, as far as that could be foreseen at t0.  Same names as
``metrics.language.coc_facts``.  The thresholds are the annotator's too (``training.annotate``
imports them), whose words the models were taught.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from alpamayo_ros import metrics
from alpamayo_ros.metrics.speed_change import LAST, STANDING_MPS, speed_change
from alpamayo_ros.profile import TrajectoryFormat
from alpamayo_ros.simulation.agents import SIGNAL
from alpamayo_ros.simulation.driving_wish import PLAIN, Wish
from alpamayo_ros.simulation.scene_truth import SceneTruth
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.simulation import STEP_S, Simulation

VEHICLE_M = 55.0  # bumper to bumper
BRAKING_MPS2 = -0.5
LIGHT_M = 40.0  # a lamp is 3 pixels wide there in the front camera
PERSON_M, PERSON_ASIDE_M = 40.0, 3.0  # on the lane or at its edge
NAMED_ASIDE_M = 8.0  # of people this far from the way words may speak and need not
CROSSING_RAD = np.pi / 4
CROSSING_MPS = 0.3
MIDDLE, HORIZON = 30, 60  # steps: changes of speed are judged after 3 s, standing after 6 s
FORESEEN = TrajectoryFormat(points=HORIZON, dt_s=STEP_S)
STRAIGHT_1PM = 1 / 600  # a lane change can be told from a bend only on a road as straight
LANE_CHANGES = frozenset({'lane_change_left', 'lane_change_right'})

Facts = dict[str, set[str]]


class Thing(NamedTuple):
    """Something that words may be about: its subject, what holds of it, and its agents.

    ``ids``: of the agents that show it, ``SIGNAL`` for a traffic light.  ``due``: to leave it out
    is a lack.
    """

    subject: str
    facts: frozenset[str]
    ids: frozenset[int]
    due: bool = True


class Known(NamedTuple):
    """Facts by subject: of what the pictures show, and those of which nothing need be said.

    These are there and hidden, or seen and further aside: neither true nor false.
    """

    seen: Facts
    hidden: Facts


def things(sim: Simulation, truth: SceneTruth) -> list[Thing]:
    """The light ahead, the lead vehicle and everybody on foot near the way, seen or not."""
    found = people(sim)
    if light := sim.light_ahead(LIGHT_M):
        found.append(Thing('light', frozenset({light}), frozenset({SIGNAL})))
    if state := lead(truth):
        found.append(Thing('lead', frozenset(state), frozenset(truth.leader_by)))
    return found


def known(found: Iterable[Thing], shown: Collection[int]) -> Known:
    """Facts of things, by whether one of their ids is ``shown`` (``visibility.shown``)."""
    seen: Facts = {'light': set(), 'lead': set(), 'pedestrian': set()}
    hidden: Facts = {name: set() for name in seen}
    for thing in found:
        out_of_sight = thing.ids.isdisjoint(shown)
        if thing.due or not out_of_sight:
            kept = seen if thing.due and not out_of_sight else hidden
            kept[thing.subject].update(thing.facts)
    return Known(seen, {name: facts - seen[name] for name, facts in hidden.items()})


def lead(truth: SceneTruth) -> set[str]:
    """'present' and its state, for a vehicle in the lane within 55 m."""
    if truth.leader_gap_m > VEHICLE_M:
        return set()
    if truth.leader_speed_mps < STANDING_MPS:
        return {'present', 'standing'}
    braking = truth.leader_acceleration_mps2 < BRAKING_MPS2
    return {'present', 'braking' if braking else 'moving'}


def people(sim: Simulation) -> list[Thing]:
    """'present' for a pedestrian near the way ahead, 'crossing' for one who walks across it.

    Near is within 40 m of the way ahead and 3 m of its middle; up to 8 m he is not due.
    """
    on_foot = [a for a in sim.agents() if a.kind == 'pedestrian']
    if not on_foot:
        return []
    line, heading, _ = sim.road.at(sim.arc_m + np.arange(0.0, PERSON_M))
    found = []
    for a in on_foot:
        away = np.hypot(line[:, 0] - a.x_m, line[:, 1] - a.y_m)
        nearest = int(away.argmin())
        if away[nearest] <= NAMED_ASIDE_M:
            due = bool(away[nearest] <= PERSON_ASIDE_M)
            across = abs(np.sin(a.heading_rad - float(heading[nearest]))) > np.sin(CROSSING_RAD)
            walks = {'crossing'} if across and a.speed_mps > CROSSING_MPS else set()
            found.append(
                Thing('pedestrian', frozenset({'present'} | walks), frozenset({a.id}), due)
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

    ``poses``: x, y, heading in base_link at t0, the first at t0 itself.  A turn counts where the
    navigation of t0 announces it (a road that bends is no turn), a lane change where
    ``curvature_1pm``, the largest ahead, is that of a straight road.  None where the drive ended
    before 6 s were over, unless it ended standing.
    """
    if len(poses) <= HORIZON:
        if speeds_mps[-1] >= STANDING_MPS:
            return None
        more = HORIZON + 1 - len(poses)
        poses = np.concatenate([poses, np.repeat(poses[-1:], more, 0)])
        speeds_mps = np.concatenate([speeds_mps, np.repeat(speeds_mps[-1:], more)])
    end_mps = float(speeds_mps[HORIZON - LAST + 1 : HORIZON + 1].mean())
    found = {speed_change(float(speeds_mps[0]), float(speeds_mps[MIDDLE]), end_mps)}
    done = metrics.driven_intent(poses[1 : HORIZON + 1], float(speeds_mps[0]), dt_s)
    found |= {side for side in ('left', 'right') if side in done and side in navigation}
    if abs(curvature_1pm) < STRAIGHT_1PM:
        found |= done & LANE_CHANGES
    return found


def foreseen(sim: Simulation, curvature_1pm: float, wish: Wish = PLAIN) -> set[str]:
    """What a good driver is about to do now, in the same words: the expert's plan of 6 s.

    It knows who is there and how they move now, and nothing that anybody decides later, such as
    when a light changes.
    """
    poses = np.concatenate([np.zeros((1, 3)), expert.plan(sim, FORESEEN, wish)])
    way_m = np.hypot(*np.diff(poses[:, :2], axis=0).T)
    speeds = np.append(sim.ego.speed_mps, way_m / STEP_S)
    return manoeuvre(poses, speeds, STEP_S, sim.navigation, curvature_1pm) or set()


def judged(done: set[str], expected: set[str], curvature_1pm: float) -> tuple[set[str], set[str]]:
    """Manoeuvres that hold, and those that are neither true nor false.

    ``done`` and ``expected``: what was driven (``manoeuvre``) and what could be foreseen
    (``foreseen``).  One of the two alone is neither, and so is a lane change in a bend.
    """
    bend = abs(curvature_1pm) >= STRAIGHT_1PM
    return done & expected, (done ^ expected) | (LANE_CHANGES if bend else set())
