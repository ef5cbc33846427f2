"""Simulated sensors with the scenario's faults, through the gates of the vehicle.

JPEG images and odometry as messages are injected upon and then pass synchronisation, gates and
plausibility checks.  A message that is late by less than the sync's wait still belongs to its
timestep; a later one comes with the next.  Blind planners get a drawn pattern for a picture, so
that every fault acts on them as well.  Injectors see the simulator's time; the clock that they let
jump is the vehicle's, and stamps what they let through.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import cv2
import numpy as np

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import load_limits
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.stamps import ClockWatch
from alpamayo_ros.sensing.synchronisation.sync import WAIT_NS, make_sync
from alpamayo_ros.sensing.synchronisation.synced_set import SyncedSet
from alpamayo_ros.sensing.view_pipeline import ViewPipeline
from alpamayo_ros.simulation import fault_rows
from alpamayo_ros.simulation.drive.sensors import Sensors
from alpamayo_ros.simulation.inject import Event, Line, through
from alpamayo_ros.simulation.sim_rig import sim_rig
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.types import EgoState, PlannerInput, Proposal
from alpamayo_ros.units import NS

JPEG_QUALITY = 90
ODOMETRY, MODEL = 'odometry', 'model'
EPOCH_NS = 1000 * NS  # where a clock that will jump begins, so that it can jump back


@dataclass(frozen=True, slots=True)
class _Header:
    frame_id: str


@dataclass(frozen=True, slots=True)
class _Image:
    """What the view pipeline wants of a sensor_msgs/CompressedImage."""

    header: _Header
    data: bytes
    format: str = 'jpeg'


class FaultySensors(Sensors):
    """``Sensors`` of a scenario with ``faults``; ``close`` it."""

    def __init__(self, sim: Simulation, profile: ModelProfile, blind: bool = False) -> None:
        super().__init__(sim, profile, blind)
        self._cameras = sim_rig().for_profile(profile)
        self._text, self._start_ns = sim.scenario.faults, sim.now_ns
        self._jumps = fault_rows.jumps(self._text)
        self._injectors = fault_rows.of_streams(self._text)
        self._clock = ClockWatch(load_limits())
        self._ego.reset()
        self._ego.push(replace(sim.ego, stamp_ns=self.now_ns))
        self._sync = make_sync(profile, self._cameras, load_limits())
        self._pipeline = ViewPipeline(profile, self._cameras, threads=1)
        self._line = Line(self._injectors)
        self._steps = 0

    def close(self) -> None:
        """End the decoding thread."""
        self._pipeline.close()

    @property
    def now_ns(self) -> int:
        """The vehicle's clock."""
        if not self._jumps:
            return self.sim.now_ns
        return self.sim.now_ns + EPOCH_NS + self._offset_ns(self.sim.now_ns)

    def _offset_ns(self, sim_ns: int) -> int:
        return fault_rows.clock_offset_ns(self._text, (sim_ns - self._start_ns) / NS)

    def look(self) -> Fault | None:
        """Take the pictures of this instant, and of those that came make a frame set."""
        now = self.sim.now_ns
        self.pictures = {} if self.blind else self._images()
        self.said, self._steps = [], self._steps + 1
        for camera in self._cameras:
            self._line.feed(Event(camera.name, now, now, self._jpeg(camera)))
        out: list[SyncedSet | Fault] = []
        for event in self._line.due(now + WAIT_NS):
            out += self._push(event)
        until_ns = self.now_ns + WAIT_NS
        for result in [*out, *self._sync.poll(until_ns)]:
            self._take(result)
        self.said += self._sync.watch.faults(until_ns)
        return self._why

    @property
    def _why(self) -> Fault | None:
        """What was said first of this instant."""
        return self.said[0] if self.said else None

    def _jpeg(self, camera: RigCamera) -> bytes:
        if self.blind:
            return _pattern(camera.width, camera.height, self._steps)
        return _encode(self.pictures[camera.name])

    def _push(self, event: Event) -> list[SyncedSet | Fault]:
        if event.source == ODOMETRY:
            self.said += [f for f in [self._push_odometry(event)] if f is not None]
            return []
        frame_id = next(c.frame_id for c in self._cameras if c.name == event.source)
        image = _Image(_Header(frame_id), event.payload)
        refused = self._pipeline.check(event.source, image)
        if refused is not None:
            self.said.append(refused)
            return []
        shift_ns = self.now_ns - self.sim.now_ns if event.stamp_ns > 0 else 0  # zero stays zero
        at_ns = event.arrival_ns + self.now_ns - self.sim.now_ns
        return self._sync.push(event.source, event.stamp_ns + shift_ns, image, at_ns)

    def _take(self, result: SyncedSet | Fault) -> None:
        """A frame set for the ring, or the reason why there is none."""
        if isinstance(result, Fault):
            self.said.append(result)
            if result.code in (Code.CLOCK_BACK, Code.CLOCK_FORWARD):
                self._pipeline.suspicion.reset()
                self._ring.reset()
            return
        frame_set, faults = self._pipeline.make(result, self.sim.pose.speed_mps)
        fault = self._ring.push(frame_set) if frame_set is not None else None
        self.said += [*result.faults, *faults, *([] if fault is None else [fault])]

    def inputs(
        self, seed: int, previous: tuple[str, int] = ('', 0), prompt: str = ''
    ) -> PlannerInput | Fault:
        """As ``Sensors.inputs``; where there are no frames, the fault that took them."""
        gap = self._ego.gap_fault(self.now_ns)
        if gap is not None and gap.code is Code.ODOM_GAP:
            return gap
        found = super().inputs(seed, previous, prompt)
        return self._why if isinstance(found, Fault) and self._why is not None else found

    def _odometry(self, state: EgoState) -> Fault | None:
        self._line.feed(Event(ODOMETRY, state.stamp_ns, state.stamp_ns, state))
        ready = self._line.due(state.stamp_ns, ODOMETRY)
        found = [self._push_odometry(event) for event in ready]
        return next((f for f in found if f is not None), None)

    def _push_odometry(self, event: Event) -> Fault | None:
        """One state under the vehicle's clock; where that has jumped, all before is forgotten."""
        shift_ns = 0
        if self._jumps:
            shift_ns = EPOCH_NS + self._offset_ns(event.arrival_ns)
        jumped = self._clock.check(event.arrival_ns + shift_ns)
        if jumped is not None:
            self._ego.reset()
        state = replace(event.payload, stamp_ns=event.stamp_ns + shift_ns)
        return self._ego.push(state) or jumped

    def answer(self, proposal: Proposal) -> Proposal | Fault | None:
        """What becomes of the model's answer: itself, a fault in its place, or nothing."""
        found = through(Event(MODEL, self.sim.now_ns, self.sim.now_ns, proposal), self._injectors)
        return found[0].payload if found else None


def open_sensors(sim: Simulation, profile: ModelProfile, blind: bool = False) -> Sensors:
    """The sensors that the simulation's scenario asks for."""
    kind = FaultySensors if sim.scenario.faults else Sensors
    return kind(sim, profile, blind)


def _encode(image: np.ndarray) -> bytes:
    """A JPEG of an RGB image."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    ok, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not ok:
        raise RuntimeError('OpenCV could not encode an image')
    return bytes(data.tobytes())


@functools.lru_cache(maxsize=4)
def _pattern(width: int, height: int, step: int) -> bytes:
    """A gradient that no check takes for a broken picture, another one at every step."""
    image = _gradient(width, height).copy()
    image[:16, :16] = 37 * step % 256
    return _encode(image)


@functools.lru_cache(maxsize=4)
def _gradient(width: int, height: int) -> np.ndarray:
    x, y = np.meshgrid(np.linspace(40, 200, width), np.linspace(30, 220, height))
    return np.stack([x, y, (x + y) / 2], -1).astype(np.uint8)
