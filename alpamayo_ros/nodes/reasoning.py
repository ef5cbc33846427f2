"""Node ``reasoning``: the words split into parts, tied to the plan they explain, and shown."""

from __future__ import annotations

import math
import sys
from collections import OrderedDict

import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String
from visualization_msgs.msg import MarkerArray

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.metrics.agreement import told_and_driven
from alpamayo_ros.metrics.words import COUNTERFACTUAL, PARTS, split
from alpamayo_ros.msg import ChainOfCausation, PlannedTrajectory
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import buffer, ns
from alpamayo_ros.nodes.common.node import AlpamayoNode, run
from alpamayo_ros.nodes.lockstep.step_inputs import StepInputs
from alpamayo_ros.nodes.messages import markers, overlay
from alpamayo_ros.nodes.messages.plots import OF_PLANS, Plots
from alpamayo_ros.nodes.messages.trajectory_topics import PLACES
from alpamayo_ros.parameters.of_nodes import REASONING
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.text import bounded_text
from alpamayo_ros.sensing.image_format import decode_message
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.units import NS


class ReasoningNode(AlpamayoNode):
    """Joins text and plan by t0, whichever comes first, and publishes the four parts."""

    def __init__(self) -> None:
        super().__init__('reasoning', REASONING)
        lockstep = self.settings.lockstep
        self._texts: OrderedDict[int, ChainOfCausation] = OrderedDict()
        self._plans: OrderedDict[int, PlannedTrajectory] = OrderedDict()
        out = qos.output(lockstep)
        self._parts = qos.watched_publisher(self, ChainOfCausation, 'reasoning', out)
        self._markers = qos.watched_publisher(self, MarkerArray, 'reasoning_markers', out)
        self._words = qos.watched_publisher(self, String, 'reasoning_text', qos.output(False))
        self._plots = Plots(self, OF_PLANS)
        self._overlay = qos.watched_publisher(self, Image, 'overlay', qos.output(False))
        self._images: OrderedDict[int, CompressedImage] = OrderedDict()
        cameras = load_rig(self.settings.rig).for_profile(load_profile(self.settings.profile))
        self._camera = cameras[0]
        steps, topic = StepInputs(self) if lockstep else None, self._camera.topic
        if topic.endswith('/compressed') and steps is not None:
            steps.subscribe(CompressedImage, topic, self._on_image)
        elif topic.endswith('/compressed'):
            sensor = qos.sensor(False)
            qos.watched_subscription(self, CompressedImage, topic, self._on_image, sensor)
        qos.watched_subscription(self, ChainOfCausation, 'reasoning_raw', self._on_text, out)
        for place in PLACES:
            topic = f'{place}trajectory'
            qos.watched_subscription(self, PlannedTrajectory, topic, self._on_plan, out)

    def _on_image(self, message: CompressedImage) -> None:
        if self._overlay.get_subscription_count():
            self._keep(self._images, ns(message.header.stamp), message)

    def _on_text(self, message: ChainOfCausation) -> None:
        self._keep(self._texts, ns(message.header.stamp), message)
        self._join(ns(message.header.stamp))

    def _on_plan(self, message: PlannedTrajectory) -> None:
        if len(message.x_m):
            self._plots.show(
                planned_speed_mps=message.speed_mps[0],
                acceleration_mps2=message.acceleration_mps2[0],
                steering_rad=message.steering_rad[0],
            )
        if message.source == PlannedTrajectory.MODEL:
            self._keep(self._plans, ns(message.source_t0), message)
            self._join(ns(message.source_t0))

    def _keep(self, store: OrderedDict, t0_ns: int, message: object) -> None:
        store[t0_ns] = message
        while len(store) > self.settings.kept:
            store.popitem(last=False)

    def _join(self, t0_ns: int) -> None:
        text, plan = self._texts.get(t0_ns), self._plans.pop(t0_ns, None)
        if text is None or plan is None:
            if plan is not None:
                self._plans[t0_ns] = plan
            return
        message = explain(text, plan)
        self._parts.publish(message)
        names = (*PARTS, COUNTERFACTUAL) if message.counterfactual else PARTS
        shown = '\n'.join(f'{name}: {getattr(message, name)}' for name in names)
        if self._words.get_subscription_count():
            self._words.publish(String(data=shown))
        self._plots.show(agreement=message.agreement)
        if self._markers.get_subscription_count():
            marker = markers.text(plan.header.stamp, shown)
            self._markers.publish(MarkerArray(markers=[marker]))
        if t0_ns in self._images:
            self._show(self._images.pop(t0_ns), plan, shown.splitlines())

    def _show(self, message: CompressedImage, plan: PlannedTrajectory, lines: list[str]) -> None:
        """The front image of t0 with path and words."""
        camera = self._camera
        image = decode_message(message, (camera.width, camera.height))
        if isinstance(image, Fault):
            return  # camera_sync reports it
        path = np.column_stack([plan.x_m, plan.y_m])
        pixels = overlay.draw(image, camera, path, lines)
        out = Image(height=camera.height, width=camera.width, encoding='rgb8')
        out.header, out.step, out.data = message.header, 3 * camera.width, buffer(pixels)
        self._overlay.publish(out)


def explain(raw: ChainOfCausation, plan: PlannedTrajectory) -> ChainOfCausation:
    """The parts of ``raw``, tied to ``plan``, with the agreement of words and plan."""
    message = ChainOfCausation(header=raw.header, sequence=raw.sequence, plan_id=plan.plan_id)
    message.text, _ = bounded_text(raw.text)
    parts = split(message.text)
    for name in (*PARTS, COUNTERFACTUAL):
        setattr(message, name, parts.get(name, ''))
    message.version, message.language = 2 if message.counterfactual else 1, 'en'
    message.complete = all(parts.get(name) for name in PARTS)
    message.truncated = raw.truncated or message.text != raw.text
    message.tokens, message.drafted, message.agreement = raw.tokens, raw.drafted, math.nan
    message.age_s = (ns(plan.header.stamp) - ns(raw.header.stamp)) / NS
    if len(plan.x_m):
        poses = np.column_stack([plan.x_m, plan.y_m, plan.heading_rad])
        speed0_mps = plan.speed_mps[0] - plan.acceleration_mps2[0] * plan.dt_s
        fits, differs = told_and_driven(message.text, poses, speed0_mps, plan.dt_s)
        message.agreement, message.disagreement = math.nan if fits is None else fits, differs
    cut = [Code.COC_TRUNCATED.name] * message.truncated
    denied = {Code.COC_DISAGREES.name} & set(plan.faults)  # as the plan's own decision found
    message.faults = sorted({*raw.faults, *cut, *denied})
    return message


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros reasoning``."""
    return run(ReasoningNode)


if __name__ == '__main__':
    sys.exit(main())
