"""Whether words that were said in a simulated drive were so: claims against what was recorded.

The facts and their thresholds are those that score a drive's words in closed loop
(``simulation.drive.facts``), found here from recorded road users, route and motion.  A recording
has no depth of its pictures, so here everybody counts as seen: words that leave out a hidden
vehicle are not quoted.
"""

from __future__ import annotations

import re
from functools import cached_property

import numpy as np

from alpamayo_ros import metrics
from alpamayo_ros.film.top_view import to_base
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording, newest
from alpamayo_ros.reports.recorded_road import road_of
from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.drive import facts
from alpamayo_ros.simulation.ego import EgoPose
from alpamayo_ros.simulation.path_road import PathRoad, lane_cars
from alpamayo_ros.simulation.scene_truth import SceneTruth, scene_truth
from alpamayo_ros.simulation.sim_rig import sim_vehicle

STEP_S = 0.1
CHANGE_NS = 500_000_000  # over which a road user's acceleration is taken
GAP_M = 5.0  # half the step of the distances that the grammar knows beyond 30 m
STRAIGHT_1PM = 1 / 100  # sharper is seen as a bend
GAP = re.compile(r'\b(?:vehicle|car) ahead at (\d+) m\b')
BEND = re.compile(r'\bbends? (?:sharply )?(left|right)\b|\b(left|right) bend\b')


class WordTruth:
    """Judges the words of one recording."""

    def __init__(self, recording: Recording) -> None:
        self._recording, self._road = recording, None
        if (drawn := road_of(recording)) is not None:
            self._road = PathRoad(drawn.centre, 0, 1.0)
        self._objects = sorted(recording.all(events.Objects), key=lambda o: o.stamp_ns)

    @cached_property
    def _keys(self) -> list[int]:
        return [o.stamp_ns for o in self._objects]

    @property
    def can_tell(self) -> bool:
        """Whether the recording holds what words are judged by: a road without signals, truth."""
        return self._road is not None and bool(self._objects)

    def holds(self, words: events.Words) -> bool:
        """Every claim is true and no fact is left out.

        False too where the record cannot tell: no truth, a map with signals, the drive's last 6 s.
        """
        if self._road is None or not self.can_tell:
            return False
        truth = self._truth(words.t0_ns, self._road)
        done = self._manoeuvre(words.t0_ns, truth)
        if done is None or not _of_the_road(words.perception, truth):
            return False
        known = {'light': set[str](), 'lead': facts.lead(truth), 'manoeuvre': done}
        known['pedestrian'] = self._people(words.t0_ns)
        said = '\n'.join(f'{part}: {getattr(words, part)}' for part in metrics.PARTS)
        counts = metrics.facts_f1(metrics.coc_facts(said), known)
        return counts.fp == 0 and counts.fn == 0

    def _truth(self, t0_ns: int, road: PathRoad) -> SceneTruth:
        _, x, y, heading, speed, _ = self._recording.ego_at(t0_ns).tolist()
        arc = road.arc_of(x, y)
        cars = [a for a in self._agents(t0_ns) if a.kind != 'pedestrian']
        pose = EgoPose(x, y, heading, speed)
        return scene_truth(road, pose, arc, lane_cars(road, arc, cars), sim_vehicle())

    def _agents(self, t0_ns: int) -> list[Agent]:
        now = newest(self._objects, self._keys, t0_ns)
        before = newest(self._objects, self._keys, t0_ns - CHANGE_NS)
        if now is None:
            return []
        then = {b.id: b.speed_mps for b in before.boxes} if before else {}
        return [_agent(b, (b.speed_mps - then.get(b.id, b.speed_mps)) / 0.5) for b in now.boxes]

    def _people(self, t0_ns: int) -> set[str]:
        """'present' for anybody on foot within ``facts.PERSON_M``; the scenes have no crossing."""
        _, x, y, *_ = self._recording.ego_at(t0_ns).tolist()
        on_foot = [a for a in self._agents(t0_ns) if a.kind == 'pedestrian']
        near = any(np.hypot(a.x_m - x, a.y_m - y) < facts.PERSON_M for a in on_foot)
        return {'present'} if near else set()

    def _manoeuvre(self, t0_ns: int, truth: SceneTruth) -> set[str] | None:
        table = self._recording.ego
        times = t0_ns / 1e9 + STEP_S * np.arange(facts.HORIZON + 1)
        times = times[times <= table[-1, 0] + STEP_S / 2]
        rows = np.stack([np.interp(times, table[:, 0], column) for column in table.T], 1)
        pose = (float(rows[0, 1]), float(rows[0, 2]), float(rows[0, 3]))
        poses = np.column_stack([to_base(rows[:, 1:3], pose), rows[:, 3] - pose[2]])
        bend = float(np.abs(truth.curvature_ahead_1pm).max())
        return facts.manoeuvre(poses, rows[:, 4], STEP_S, '', bend)


def _agent(box: events.Box, acceleration_mps2: float) -> Agent:
    place = (box.x_m, box.y_m, box.heading_rad, box.speed_mps)
    size = (box.length_m, box.width_m)
    return Agent(box.id, box.kind, *place, acceleration_mps2, *size, (0.0, 0.0, 0.0), False)


def _of_the_road(perception: str, truth: SceneTruth) -> bool:
    """What is said of bends and of the gap fits; what is not said fits too."""
    near = truth.curvature_ahead_1pm[:3]
    bend = float(near[np.abs(near).argmax()])
    gap = GAP.search(perception)
    if gap is not None and abs(float(gap[1]) - truth.leader_gap_m) > GAP_M:
        return False
    if 'straight' in perception:
        return abs(bend) < STRAIGHT_1PM
    side = BEND.search(perception)
    return side is None or (bend > 0) == ('left' in side.groups())
