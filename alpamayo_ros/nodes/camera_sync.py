"""Node ``camera_sync``: images in, one synchronised frame set of the profile's views out.

Callbacks only check the header and store; what was matched is decoded, the rest never is.  In
lockstep the source names on ``timestep`` which images it sent; what they give is formed when they
are all here, and said on ``step_done``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.msg import FrameSet, FrameSetInfo, StepDone
from alpamayo_ros.nodes.common import convert, qos
from alpamayo_ros.nodes.common.convert import ns, stamp
from alpamayo_ros.nodes.common.node import AlpamayoNode, run
from alpamayo_ros.nodes.lockstep.step_inputs import StepInputs
from alpamayo_ros.nodes.lockstep.step_queue import Announced
from alpamayo_ros.nodes.messages.image_views import ViewPipeline
from alpamayo_ros.parameters.of_nodes import CAMERA_SYNC
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.arrivals import Arrival, Overdue, form
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.sensing.synchronisation.sync import make_sync
from alpamayo_ros.sensing.synchronisation.synced_set import SyncedSet
from alpamayo_ros.units import NS


class CameraSyncNode(AlpamayoNode):
    """One subscription a camera, one set a timestep."""

    def __init__(self) -> None:
        super().__init__('camera_sync', CAMERA_SYNC)
        self.profile, rig = load_profile(self.settings.profile), load_rig(self.settings.rig)
        self.cameras = rig.for_profile(self.profile)
        self.calibration_hash = rig.calibration_hash
        self.pipeline = ViewPipeline(self.profile, self.cameras, self.settings.decode_threads)
        self.get_logger().info(f'rig {rig.name}: {self.pipeline.lost_fov}')
        self.sync = make_sync(self.profile, self.cameras, self.limits)
        self.watch = self.sync.watch  # sees what the sync accepts, not what merely arrives
        self.overdue = Overdue(self.watch)
        self._sequence = 0
        self._refused: dict[str, Fault] = {}
        self._arrivals: list[Arrival] = []
        self._answered: list[int] = []
        self._speed_mps = 0.0
        self._odometry_topic = rig.odometry.topic
        if not self.pipeline.has_bridge:
            self.get_logger().info(
                "cv_bridge is not installed: encodings beyond the core's list are off"
            )
        self._open_topics()

    def _open_topics(self) -> None:
        lockstep = self.settings.lockstep
        out = qos.output(lockstep)
        self._sets = qos.watched_publisher(self, FrameSet, 'frame_set', out)
        self._infos = qos.watched_publisher(self, FrameSetInfo, 'frame_set_info', out)
        if lockstep:
            self.steps = StepInputs(self, self._on_step)
        for camera in self.cameras:
            compressed = camera.topic.endswith('/compressed')
            kind = CompressedImage if compressed else Image
            self._read(kind, camera.topic, partial(self._on_image, camera.name), 5)
            if camera.info_topic:
                learn = partial(self._on_calibration, camera.name)
                self._read(CameraInfo, camera.info_topic, learn, 1)
        speed = self._read(Odometry, self._odometry_topic, self._on_odometry, 1)
        if not lockstep:
            self.sampled = (speed,)  # asked for with a set, and then the newest
            wall = Clock(clock_type=ClockType.STEADY_TIME)
            self.create_timer(self.settings.poll_s, self._on_poll, clock=wall)

    def _read(self, kind: type, topic: str, take: Callable[[Any], None], depth: int) -> Any:
        """The subscription; in lockstep the steps hold it."""
        if self.settings.lockstep:
            return self.steps.subscribe(kind, topic, take)
        reliable = self.settings.reliable_inputs and kind in (Image, CompressedImage)
        profile = qos.sensor(False, depth, reliable)
        return qos.watched_subscription(self, kind, topic, take, profile)

    # -- inputs ---------------------------------------------------------------------------------
    def _on_calibration(self, camera: str, message: CameraInfo) -> None:
        fault = self.pipeline.calibrate(camera, message)
        if fault is not None:
            self._refused[fault.code.name] = fault
            self._log()
        elif self.pipeline.news:
            self.get_logger().info(self.pipeline.news)
            self.pipeline.news = ''

    def _on_image(self, camera: str, message: Any) -> None:
        fault = self.pipeline.check(camera, message)
        if fault is not None:
            self._refused[fault.code.name] = fault
            self._log()
        stamp_ns = ns(message.header.stamp)
        if self.settings.lockstep:
            payload = None if fault else message
            self._arrivals.append(Arrival(camera, stamp_ns, self.steps.now_ns, payload))
        elif fault is None:
            self._push(camera, stamp_ns, message, self.get_clock().now().nanoseconds)

    def _on_odometry(self, message: Odometry) -> None:
        self._speed_mps = message.twist.twist.linear.x

    def _on_poll(self) -> None:
        now_ns = self.get_clock().now().nanoseconds
        if now_ns == 0:
            return  # simulated time has not begun
        for result in self.sync.poll(now_ns):
            self._emit(result, now_ns)
        self._break_silence(now_ns)

    def _break_silence(self, now_ns: int) -> None:
        if faults := self.overdue.faults(now_ns):
            self._announce(now_ns, None, faults, now_ns)

    def _on_step(self, step: Announced, done: StepDone) -> None:
        """Lockstep: what the step's images give, and a refusal where an answer is asked for."""
        arrivals, self._arrivals, self._answered = self._arrivals, [], []
        for result in form(self.sync, arrivals, step.end_ns):
            self._emit(result, step.end_ns)
        if step.t0_ns and not self._answered:
            self._announce(step.t0_ns, None, self.watch.faults(step.end_ns), step.end_ns)
        self._break_silence(step.end_ns)
        done.t0s = [stamp(t0_ns) for t0_ns in self._answered]

    def _push(self, camera: str, stamp_ns: int, message: Any, now_ns: int) -> None:
        for result in self.sync.push(camera, stamp_ns, message, now_ns):
            self._emit(result, now_ns)

    # -- outputs --------------------------------------------------------------------------------
    @property
    def _step(self) -> int:
        """Number of the step at hand, 0 when free-running."""
        return self.steps.step if self.settings.lockstep else 0

    def _emit(self, result: SyncedSet | Fault, now_ns: int) -> None:
        if isinstance(result, Fault):
            self._refused[result.code.name] = result
            if result.code in (Code.CLOCK_BACK, Code.CLOCK_FORWARD):
                self.pipeline.suspicion.reset()
            t0_ns = result.values.get('t0_ns')
            if isinstance(t0_ns, int):  # a timestep was lost, not just a frame
                self._announce(t0_ns, None, self.watch.faults(now_ns), now_ns)
            return
        frames, faults = self.pipeline.make(result, self._speed_mps)
        faults = [*faults, *self.watch.faults(now_ns)]
        if frames is None:
            self._announce(result.t0_ns, None, faults, now_ns)
            return
        self._sequence += 1
        message = convert.frame_set_message(frames, self.profile, self._sequence)
        message.step = self._step
        message.calibration_hash = self.calibration_hash
        message.policy = self.pipeline.policies(frames, result)
        message.faults = sorted({f.code.name for f in (*faults, *result.faults)})
        self._sets.publish(message)
        self._announce(result.t0_ns, message, [*faults, *result.faults], now_ns)

    def _announce(
        self, t0_ns: int, frames: FrameSet | None, faults: list[Fault], now_ns: int
    ) -> None:
        """FrameSetInfo of a set, or of a timestep that gave none."""
        present = {fault.code.name: fault for fault in (*self._refused.values(), *faults)}
        message = FrameSetInfo(profile=self.profile.name, accepted=frames is not None)
        message.header.stamp, message.header.frame_id = stamp(t0_ns), 'base_link'
        message.sequence, message.step = self._sequence + (frames is None), self._step
        message.age_s = (now_ns - t0_ns) / NS
        if frames is not None:
            valid = list(frames.valid)
            skews = [abs(s) for s, ok in zip(frames.skew_s, valid, strict=True) if ok]
            message.max_skew_s = max(skews, default=0.0)
            message.view_mask = sum(1 << i for i, ok in enumerate(valid) if ok)
            held = [i for i, policy in enumerate(frames.policy) if policy == FrameSet.HELD]
            message.held_mask = sum(1 << i for i in held)
        counts = self.sync.counts
        message.late_frames = counts['STAMP_LATE'] + counts['STAMP_DUP']
        message.faults = sorted(present)
        self._infos.publish(message)
        if self._step:
            self._answered.append(t0_ns)
        self.overdue.answered(t0_ns)
        self._log(faults)
        self._refused.clear()

    def _log(self, faults: list[Fault] | None = None) -> None:
        present = (*self._refused.values(), *(faults or []))
        self.faults.update({fault.code.name: str(fault) for fault in present})


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros camera_sync``."""
    return run(CameraSyncNode)


if __name__ == '__main__':
    sys.exit(main())
