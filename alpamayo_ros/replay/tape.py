"""A replay written down as the recorder node writes a live run, so that one viewer shows both."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float

from alpamayo_ros.datasets.rig_file import rig_text
from alpamayo_ros.faults import Fault
from alpamayo_ros.recording import events
from alpamayo_ros.recording.decision_events import DecisionEvents
from alpamayo_ros.recording.recording import RUN, RunInfo, Writer
from alpamayo_ros.replay.cycle import LATENCY_S, Cycle
from alpamayo_ros.replay.driven_after import stamp_of
from alpamayo_ros.sensing.image_gate import decode_raw
from alpamayo_ros.sensing.rig import Rig
from alpamayo_ros.types import EgoState

LATENCY_NS = round(LATENCY_S * 1e9)
PICTURES = ('all', 'front', 'none')


class Tape:
    """The recording of a replay; times are those of the bag: equal runs give equal bytes."""

    def __init__(
        self,
        folder: Path,
        info: RunInfo,
        rig: Rig,
        decisions: DecisionEvents,
        pictures: str,
        front: str,
    ) -> None:
        """``decisions`` makes the events of decisions; ``front`` is the reference camera.

        ``pictures``: which are kept, one of ``PICTURES``.
        """
        self._writer, self._events = Writer(folder), decisions
        self._pictures, self._front = pictures, front
        (folder / RUN).write_text(json.dumps(asdict(info)) + '\n')
        self._rig_path, self._comment = folder / 'rig.yaml', f'The rig of {info.scenario}.'
        self.rig(rig)

    @property
    def counts(self) -> dict[str, int]:
        """Plans of the model, stops and refusals."""
        found = self._events
        return {'plans': found.plans, 'stops': found.stops, 'refusals': found.refusals}

    def rig(self, rig: Rig) -> None:
        """The cameras, for whoever draws on their pictures."""
        self._rig_path.write_text(rig_text(rig, self._comment))

    def ego(self, state: EgoState) -> None:
        """Odometry."""
        motion = (state.heading_rad, state.speed_mps, state.yaw_rate_rps)
        place = (state.stamp_ns, state.stamp_ns, state.x_m, state.y_m)
        self._writer.write(events.Ego(*place, *motion))

    def route(self, time_ns: int, points: Float[np.ndarray, 'n 2']) -> None:
        """The way to go."""
        self._writer.write(events.Route(time_ns, points.tolist()))

    def objects(self, stamp_ns: int, source: str, boxes: list[events.Box]) -> None:
        """Everybody else."""
        self._writer.write(events.Objects(stamp_ns, stamp_ns, source, boxes))

    def cycle(self, cycle: Cycle) -> None:
        """Pictures, candidates, plan, words, times and health of one t0."""
        self._images(cycle)
        if cycle.decision is None:
            return
        now_ns = cycle.t0_ns + LATENCY_NS
        ego = cycle.ego or EgoState(cycle.t0_ns, 0.0, 0.0, 0.0, 0.0, 0.0)
        given = (cycle.decision, cycle.proposal, ego, now_ns, cycle.faults)
        for event in self._events.of(*given):
            self._writer.write(event)
        if cycle.proposal is not None:
            stages, wall_ms = dict(cycle.stage_ms), sum(cycle.stage_ms.values())
            self._writer.write(events.Timing(now_ns, cycle.t0_ns, stages, wall_ms, False))

    def score(self, t0_ns: int, values: dict[str, float | None]) -> None:
        """Figures of one t0."""
        self._writer.write(events.Score(t0_ns + LATENCY_NS, t0_ns, values))

    def close(self) -> None:
        """End the recording."""
        self._writer.close()

    def _images(self, cycle: Cycle) -> None:
        if cycle.pending is None or self._pictures == 'none':
            return
        for camera, message in cycle.pending.messages.items():
            if self._pictures == 'front' and camera != self._front:
                continue
            data = picture(message)
            if data is not None:
                self._writer.image(cycle.t0_ns, camera, stamp_of(message), data)


def picture(message: Any) -> bytes | None:
    """Bytes of a compressed picture; a raw one as JPEG, at half its size."""
    if not hasattr(message, 'encoding'):
        return bytes(message.data)
    size = (message.width, message.height)
    image = decode_raw(message.encoding, *size, message.step, message.data, size)
    if isinstance(image, Fault):
        return None
    small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    ok, data = cv2.imencode('.jpg', cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    return bytes(data.tobytes()) if ok else None
