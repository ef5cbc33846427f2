"""A recording of a simulated drive: what the live recorder would have written of it.

Call ``look`` before each step (truth and, for planners that look at nothing, pictures) and
``note`` with its cycle.  Times are simulated; the same drive gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from alpamayo_ros.faults import Fault
from alpamayo_ros.recording import events
from alpamayo_ros.recording.decision_events import DecisionEvents
from alpamayo_ros.recording.recording import RUN, RunInfo, Writer
from alpamayo_ros.simulation.tracker import EXPIRED_MPS2
from alpamayo_ros.types import EgoState

if TYPE_CHECKING:
    from alpamayo_ros.simulation.drive.drive import Cycle, Drive

JPEG_QUALITY = 85  # six cameras then take about 60 kB a step
ROUTE_STEP_M = 0.5
TRUTH = 'simulator'
RANGE_M = 120.0  # others further away are not kept
AFTERMATH_STEPS = 20  # of 0.1 s after a contact; from 6 m/s the car then stands
KEPT = 20  # cars at t0 that a late proposal may refer to: latency is at most 10 steps


class DriveRecorder:
    """Writes one drive into a folder that ``recording.recording.Recording`` reads."""

    def __init__(self, drive: Drive, folder: Path) -> None:
        self._drive = drive
        self._writer = Writer(folder)
        planner, scenario = drive.planner, drive.scenario
        info = RunInfo(
            scenario.name, drive.seed, 'lockstep', planner.name, scenario.description, 'sim', TRUTH
        )
        (folder / RUN).write_text(json.dumps(asdict(info)) + '\n')
        profile, sha = planner.profile.name, planner.manifest_sha256
        self._events = DecisionEvents(planner.name, profile, sha)
        self._egos: dict[int, EgoState] = {}
        self._drawn: dict[str, np.ndarray] = {}
        self._writer.write(events.Route(0, self._route()))

    def _route(self) -> list[events.Row]:
        sim = self._drive.sim
        end = min(sim.road.length_m - ROUTE_STEP_M, sim.arc_m + sim.scenario.goal_m + RANGE_M)
        arcs = np.arange(sim.arc_m, end, ROUTE_STEP_M)
        return [list(sim.road.point(float(arc))[:2]) for arc in arcs]

    def look(self) -> None:
        """Keep the truth of this instant, which the next step will change."""
        sim = self._drive.sim
        self._drawn = dict(sim.images()) if self._drive.planner.blind else {}
        p, boxes = sim.pose, []
        for a in sim.agents():
            if np.hypot(a.x_m - p.x_m, a.y_m - p.y_m) <= RANGE_M:
                place = (a.x_m, a.y_m, a.heading_rad, a.speed_mps, a.length_m, a.width_m)
                boxes.append(events.Box(a.id, a.kind, *map(float, place)))
        self._writer.write(events.Objects(sim.now_ns, sim.now_ns, TRUTH, boxes))

    def note(self, cycle: Cycle) -> None:
        """Write everything about a step."""
        now, ego = cycle.now_ns, cycle.ego
        self._show(ego, self._drawn or self._drive.sensors.pictures)
        self._egos[ego.stamp_ns] = ego
        while len(self._egos) > KEPT:
            del self._egos[next(iter(self._egos))]
        proposal = cycle.proposal
        anchor = ego if proposal is None else self._egos.get(proposal.t0_ns, ego)
        faults = (cycle.inputs,) if isinstance(cycle.inputs, Fault) else ()
        for event in self._events.of(cycle.decision, proposal, anchor, now, faults):
            self._writer.write(event)

    def aftermath(self) -> None:
        """A contact and what follows it, for the film: nobody plans, the car brakes to a stand."""
        sim = self._drive.sim
        self._writer.write(events.Contact(sim.now_ns, sim.now_ns, sim.outcome.contact))
        for _ in range(AFTERMATH_STEPS):
            self.look()
            self._show(sim.ego, self._drawn or sim.images())
            sim.step(sim.pose.steering_rad, EXPIRED_MPS2)

    def _show(self, ego: EgoState, pictures: Mapping[str, np.ndarray]) -> None:
        """Odometry and pictures of one instant."""
        place = (ego.x_m, ego.y_m, ego.heading_rad, ego.speed_mps, ego.yaw_rate_rps)
        self._writer.write(events.Ego(ego.stamp_ns, ego.stamp_ns, *map(float, place)))
        for camera, image in pictures.items():
            self._writer.image(ego.stamp_ns, camera, ego.stamp_ns, _jpeg(image))

    def close(self) -> None:
        """End the recording."""
        self._writer.close()


def _jpeg(image: np.ndarray) -> bytes:
    ok, data = cv2.imencode(
        '.jpg', cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )
    if not ok:
        raise RuntimeError('OpenCV could not encode a picture of the recording')
    return data.tobytes()
