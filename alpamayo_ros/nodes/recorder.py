"""Node ``recorder``: writes what a running graph says and sees into a folder.

``recording.recording`` reads it back, for a film, a report and figures.  It only listens.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from nav_msgs.msg import Odometry
from nav_msgs.msg import Path as PathMessage
from rclpy.clock import Clock, ClockType
from sensor_msgs.msg import CompressedImage

from alpamayo_ros.bags.disk_room import DiskRoom
from alpamayo_ros.msg import (
    CandidateArray,
    ChainOfCausation,
    Health,
    PlannedTrajectory,
    StageTiming,
    TrackedObjectArray,
)
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import ns
from alpamayo_ros.nodes.common.node import AlpamayoNode, ConfigurationError, run
from alpamayo_ros.nodes.lockstep.step_inputs import StepInputs
from alpamayo_ros.nodes.messages import events_of
from alpamayo_ros.nodes.messages.trajectory_topics import PLACES
from alpamayo_ros.parameters.of_nodes import RECORDER
from alpamayo_ros.parameters.param import Param
from alpamayo_ros.recording import events
from alpamayo_ros.recording.limited_writer import LimitedWriter, Sink
from alpamayo_ros.recording.recording import RUN, RunInfo, Writer
from alpamayo_ros.reports.shots import RIG
from alpamayo_ros.sensing.rig import Rig, load_rig
from alpamayo_ros.simulation.scenario import load_scenario

AWAITED = ('candidates', 'health', 'stage_timing', 'reasoning')  # written in every graph


class RecorderNode(AlpamayoNode):
    """Subscribes to everything a person would want to see again."""

    def __init__(self, name: str = 'recorder', parameters: Sequence[Param] = RECORDER) -> None:
        super().__init__(name, parameters)
        self.writer = self.open_writer()
        lockstep, rig = self.settings.lockstep, load_rig(self.settings.rig)
        out = qos.output(lockstep, depth=10)
        self._steps = self._read_source(rig, lockstep)
        sources = (
            (PathMessage, 'route', partial(self._write, events_of.route), qos.latched()),
            (CandidateArray, 'candidates', partial(self._write, events_of.candidates), out),
            *(
                (kind, f'{place}{topic}', take, out)
                for place in PLACES
                for kind, topic, take in self._of_the_driver()
            ),
            (Health, 'health', partial(self._write, events_of.health), out),
            (StageTiming, 'stage_timing', partial(self._write, events_of.timing), out),
            (ChainOfCausation, 'reasoning', partial(self._write, events_of.words), out),
        )
        readers = {
            topic: qos.watched_subscription(self, kind, topic, take, profile)
            for kind, topic, take, profile in sources
        }
        self._awaited = [readers[topic] for topic in AWAITED]
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(self.settings.flush_s, self._on_flush, clock=wall)

    def _of_the_driver(self) -> list[tuple[Any, str, Any]]:
        """Topics that move under ``shadow/``; a recording names them alike."""
        plans = [
            (PlannedTrajectory, topic, partial(self._write, partial(events_of.plan, topic)))
            for topic in ('trajectory', 'reference')
        ]
        return [(CandidateArray, 'evaluated', partial(self._write, events_of.candidates)), *plans]

    def open_writer(self) -> Sink:
        """What takes the events."""
        if not self.settings.folder:
            raise ConfigurationError('recorder: parameter folder is empty; say where to write')
        folder = Path(self.settings.folder)
        writer = LimitedWriter(Writer(folder), DiskRoom(folder, self.limits))
        describe(self.settings, folder)
        return writer

    def _on_flush(self) -> None:
        """In lockstep also: take part as soon as the driver's nodes are heard."""
        self.writer.flush()
        fault = self.writer.fault
        self.faults.update({} if fault is None else {fault.code.name: str(fault)})
        steps = self._steps
        if steps is not None and not steps.joined:
            if all(reader.get_publisher_count() for reader in self._awaited):
                steps.join()

    def _read_source(self, rig: Rig, lockstep: bool) -> StepInputs | None:
        """What the world says; in lockstep it waits for the recorder too, so nothing is lost."""
        sources: list[tuple[Any, str, Any]] = [
            (Odometry, rig.odometry.topic, partial(self._write, events_of.ego)),
            (TrackedObjectArray, 'ground_truth/objects', partial(self._write, events_of.objects)),
        ]
        sources += [
            (CompressedImage, camera.topic, partial(self._on_image, camera.name))
            for camera in rig.cameras
            if camera.topic.endswith('/compressed')
        ]
        steps = StepInputs(self, joins=False) if lockstep else None
        for kind, topic, take in sources:
            if steps is not None:
                steps.subscribe(kind, topic, take)
                continue
            own = kind is TrackedObjectArray
            profile = qos.output(False, 10) if own else qos.sensor(False, depth=50)
            qos.watched_subscription(self, kind, topic, take, profile)
        return steps

    def destroy_node(self) -> None:
        """Close the files before the node; one that refused to configure has none."""
        writer = getattr(self, 'writer', None)
        if writer is not None:
            writer.close()
        super().destroy_node()

    def _on_image(self, camera: str, m: CompressedImage) -> None:
        self.writer.image(now(), camera, ns(m.header.stamp), bytes(m.data))

    def _write(self, event_of: Callable[[int, Any], events.Event], m: Any) -> None:
        self.writer.write(event_of(now(), m))


def describe(settings: Any, folder: Path) -> None:
    """What was driven, and the rig's file where it has one, for whoever looks at it later."""
    about = settings.about
    if not about and settings.origin == 'simulator':
        about = load_scenario(settings.title).description
    mode = 'lockstep' if settings.lockstep else 'free'
    info = RunInfo(
        settings.title, settings.seed, mode, settings.runtime, about, settings.rig, settings.origin
    )
    (folder / RUN).write_text(json.dumps(asdict(info)) + '\n')
    if Path(settings.rig).is_file():
        (folder / RIG).write_bytes(Path(settings.rig).read_bytes())


def now() -> int:
    """Monotonic nanoseconds."""
    return time.monotonic_ns()


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros recorder``."""
    return run(RecorderNode)


if __name__ == '__main__':
    sys.exit(main())
