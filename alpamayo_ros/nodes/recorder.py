"""Node ``recorder``: writes what a running graph says and sees into a folder.

``recording.recording`` reads it back, for a film, a report and figures.  It only listens.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
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
from alpamayo_ros.nodes.common.convert import heading, ns
from alpamayo_ros.nodes.common.node import AlpamayoNode, ConfigurationError, run
from alpamayo_ros.nodes.common.params import Param
from alpamayo_ros.nodes.lockstep.step_inputs import StepInputs
from alpamayo_ros.recording import events
from alpamayo_ros.recording.limited_writer import LimitedWriter, Sink
from alpamayo_ros.recording.recording import Writer
from alpamayo_ros.sensing.rig import Rig, load_rig

PARAMETERS = (
    Param('folder', str, '', 'Where to write; an earlier recording there is replaced.'),
    Param('flush_s', float, 's', 'How often others can see what was written.', 0.05, 10.0),
)
AWAITED = ('candidates', 'health', 'stage_timing', 'reasoning')  # written in every graph


class RecorderNode(AlpamayoNode):
    """Subscribes to everything a person would want to see again."""

    def __init__(self, name: str = 'recorder', parameters: Sequence[Param] = PARAMETERS) -> None:
        super().__init__(name, parameters)
        self.writer = self.open_writer()
        lockstep, rig = self.settings.lockstep, load_rig(self.settings.rig)
        out = qos.output(lockstep, depth=10)
        self._steps = self._read_source(rig, lockstep)
        sources = (
            (PathMessage, 'route', self._on_route, qos.latched()),
            (CandidateArray, 'candidates', self._on_candidates, out),
            (CandidateArray, 'evaluated', self._on_candidates, out),
            (PlannedTrajectory, 'trajectory', partial(self._on_plan, 'trajectory'), out),
            (PlannedTrajectory, 'reference', partial(self._on_plan, 'reference'), out),
            (Health, 'health', self._on_health, out),
            (StageTiming, 'stage_timing', self._on_timing, out),
            (ChainOfCausation, 'reasoning', self._on_words, out),
        )
        readers = {
            topic: qos.watched_subscription(self, kind, topic, take, profile)
            for kind, topic, take, profile in sources
        }
        self._awaited = [readers[topic] for topic in AWAITED]
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(self.settings.flush_s, self._on_flush, clock=wall)

    def open_writer(self) -> Sink:
        """What takes the events."""
        if not self.settings.folder:
            raise ConfigurationError('recorder: parameter folder is empty; say where to write')
        folder = Path(self.settings.folder)
        return LimitedWriter(Writer(folder), DiskRoom(folder, self.limits))

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
            (Odometry, rig.odometry.topic, self._on_odometry),
            (TrackedObjectArray, 'ground_truth/objects', self._on_objects),
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

    def _on_odometry(self, m: Odometry) -> None:
        at, twist = m.pose.pose, m.twist.twist
        motion = (at.position.x, at.position.y, heading(at), twist.linear.x, twist.angular.z)
        self.writer.write(events.Ego(now(), ns(m.header.stamp), *motion))

    def _on_route(self, m: PathMessage) -> None:
        points = [[p.pose.position.x, p.pose.position.y] for p in m.poses]
        self.writer.write(events.Route(now(), points))

    def _on_objects(self, m: TrackedObjectArray) -> None:
        self.writer.write(
            events.Objects(now(), ns(m.header.stamp), m.source, [box(o) for o in m.objects])
        )

    def _on_image(self, camera: str, m: CompressedImage) -> None:
        self.writer.image(now(), camera, ns(m.header.stamp), bytes(m.data))

    def _on_candidates(self, m: CandidateArray) -> None:
        paths, costs, selected = [], [], -1
        for c in m.candidates:
            rolled = len(c.feasible_x_m) > 0
            xy = (c.feasible_x_m, c.feasible_y_m) if rolled else (c.x_m, c.y_m)
            paths.append([list(axis) for axis in xy])
            costs.append(c.cost if math.isfinite(c.cost) else None)
            selected = c.index if c.selected else selected
        self.writer.write(
            events.Candidates(
                now(),
                ns(m.header.stamp),
                ns(m.published),
                m.status,
                m.runtime,
                m.profile,
                m.manifest_hash,
                m.text,
                list(m.faults),
                pose(m.pose_in_odom),
                paths,
                costs,
                selected,
            )  # fmt: skip
        )

    def _on_plan(self, topic: str, m: PlannedTrajectory) -> None:
        stamps = (ns(m.source_t0), ns(m.published), ns(m.valid_until))
        points: tuple[Any, ...] = ()
        if topic == 'trajectory' and len(m.x_m):
            points = (list(m.x_m), list(m.y_m), list(m.speed_mps))
            points += (m.acceleration_mps2[0], m.steering_rad[0])
        self.writer.write(
            events.Plan(
                now(),
                topic,
                ns(m.header.stamp),
                m.plan_id,
                *stamps,
                m.source,
                m.state,
                m.candidate,
                pose(m.pose_in_odom),
                *points,
            )  # fmt: skip
        )

    def _on_health(self, m: Health) -> None:
        self.writer.write(
            events.Health(
                now(),
                ns(m.header.stamp),
                ns(m.t0),
                m.state,
                m.reason,
                list(m.faults),
                list(m.messages),
                m.plan_age_ms,
                m.plans,
                m.stops,
                m.refusals,
                m.deadline_misses,
                m.worker_restarts,
                m.runtime,
            )  # fmt: skip
        )

    def _on_timing(self, m: StageTiming) -> None:
        stages = dict(zip(m.stages, (float(d) for d in m.duration_ms), strict=False))
        self.writer.write(
            events.Timing(now(), ns(m.header.stamp), stages, m.wall_ms, m.deadline_missed)
        )

    def _on_words(self, m: ChainOfCausation) -> None:
        parts = (m.perception, m.situation, m.rationale, m.intent)
        self.writer.write(
            events.Words(now(), ns(m.header.stamp), m.plan_id, *parts, m.agreement, m.disagreement)
        )


def now() -> int:
    """Monotonic nanoseconds."""
    return time.monotonic_ns()


def pose(message: Any) -> list[float]:
    """x, y [m] and heading [rad] of a pose."""
    return [message.position.x, message.position.y, heading(message)]


def box(item: Any) -> events.Box:
    """A tracked object as a box; its speed is along its heading."""
    x, y, angle = pose(item.pose)
    speed = item.velocity.x * math.cos(angle) + item.velocity.y * math.sin(angle)
    return events.Box(item.id, item.kind, x, y, angle, speed, item.length_m, item.width_m)


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros recorder``."""
    return run(RecorderNode)


if __name__ == '__main__':
    sys.exit(main())
