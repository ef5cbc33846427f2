"""What the trajectory node publishes beside deciding: plan, reference, health, path, markers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from nav_msgs.msg import Path
from std_msgs.msg import String
from visualization_msgs.msg import MarkerArray

from alpamayo_ros.incident import decision_record
from alpamayo_ros.msg import CandidateArray, Health, PlannedTrajectory
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import floats, ns, stamp
from alpamayo_ros.nodes.messages import evaluated, markers
from alpamayo_ros.nodes.messages.plans import age_ms
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.decision import Decision
from alpamayo_ros.safety.scene import Scene
from alpamayo_ros.safety.state import SafetyState
from alpamayo_ros.sensing.rig import Vehicle
from alpamayo_ros.types import Proposal
from alpamayo_ros.units import NS

DECISIONS_KEPT = 60  # two seconds of them, for a recorder that is busy
PLACES = ('', 'shadow/')  # where a driver's plans are; in the second no controller reads them


class TrajectoryTopics:
    """Publishers; with ``shadow`` nothing that a controller reads is among them."""

    def __init__(
        self, node: Any, lockstep: bool, shadow: bool, config: PlanConfig, vehicle: Vehicle
    ) -> None:
        """``config`` and ``vehicle`` give names and sizes for what is shown."""
        self._config, self._vehicle = config, vehicle
        self._views = [view.name for view in config.profile.views]
        self._view_seen_ns: dict[int, int] = {}
        out, prefix = qos.output(lockstep), PLACES[shadow]
        publish = qos.watched_publisher
        self._plan = publish(node, PlannedTrajectory, f'{prefix}trajectory', out)
        self._reference = publish(node, PlannedTrajectory, f'{prefix}reference', out)
        self._health = publish(node, Health, 'health', out)
        self._evaluated = publish(node, CandidateArray, f'{prefix}evaluated', out)
        deep = qos.output(lockstep, depth=DECISIONS_KEPT)
        self._decision = publish(node, String, decision_record.TOPIC, deep)
        self._scribe = decision_record.Scribe()
        self._path = publish(node, Path, f'{prefix}path', qos.output(False))
        self._markers = publish(node, MarkerArray, f'{prefix}markers', qos.output(False))
        self.guarded = [
            node.resolve_topic_name(f'{prefix}{t}') for t in ('trajectory', 'reference')
        ]

    def decision(
        self,
        proposal: Proposal | None,
        scene: Scene,
        state: SafetyState,
        config: PlanConfig,
        now_ns: int,
        decision: Decision,
    ) -> None:
        """Where a recorder listens, everything that ``decide`` was given, and its answer."""
        if self._decision.get_subscription_count():
            given = (proposal, scene, state, config, now_ns)
            self._decision.publish(String(data=self._scribe.write(*given, decision)))

    def plan(self, message: PlannedTrajectory) -> None:
        """The plan."""
        self._plan.publish(message)

    def show(self, message: PlannedTrajectory, decision: Decision, scene: Scene) -> None:
        """Where somebody looks, the path of a plan, its rivals and the objects."""
        plan = decision.plan
        assert plan is not None  # called with a decision that let one out
        if decision.judgement is not None and self._evaluated.get_subscription_count():
            found = evaluated.message(decision.judgement, message)
            found.profile = self._config.profile.name
            self._evaluated.publish(found)
        if self._path.get_subscription_count():
            anchor = (plan.anchor.x_m, plan.anchor.y_m, plan.anchor.heading_rad)
            t = plan.trajectory
            poses = np.stack([t.x_m, t.y_m, t.heading_rad], axis=-1)
            times = [stamp(plan.t0_ns + round((i + 1) * t.dt_s * NS)) for i in range(len(t.x_m))]
            frame = message.odom_frame
            self._path.publish(markers.path(message.header.stamp, frame, anchor, poses, times))
        if self._markers.get_subscription_count():
            self._markers.publish(self._show(message, decision, scene))

    def _show(self, message: PlannedTrajectory, decision: Decision, scene: Scene) -> MarkerArray:
        out, judgement = MarkerArray(), decision.judgement
        at = message.header.stamp
        if judgement is not None and judgement.feasible is not None:
            costs = judgement.costs.total.tolist() if judgement.costs is not None else []
            chosen = -1 if judgement.chosen is None else judgement.chosen
            out = markers.candidates(at, judgement.feasible.poses, costs, chosen)
        v = self._vehicle
        middle = v.rear_axle_to_front_bumper_m - v.length_m / 2
        out.markers.append(markers.ego_box(at, v.length_m, v.width_m, middle))
        out.markers += markers.objects(at, scene.objects or ())
        return out

    def reference(self, message: PlannedTrajectory | None) -> None:
        """The reference for the controller, where there is one."""
        if message is not None:
            self._reference.publish(message)

    def health(
        self,
        message: Health,
        t0_ns: int,
        ages: Mapping[str, int | None],
        candidates: CandidateArray | None,
        lockstep: bool,
    ) -> None:
        """Health, with the ages of the inputs at ``ages['now']``."""
        now_ns = ages['now'] or 0
        message.t0, message.lockstep = stamp(t0_ns), lockstep
        message.profile, message.views = self._config.profile.name, self._views
        if candidates is not None:
            for i in range(len(self._views)):
                if candidates.view_mask >> i & 1:
                    self._view_seen_ns[i] = t0_ns
            message.stages, message.stage_ms = candidates.stages, candidates.stage_ms
            message.text_age_ms = (t0_ns - ns(candidates.text_t0)) / 1e6
        else:
            message.text_age_ms = math.nan
        seen = [age_ms(now_ns, self._view_seen_ns.get(i)) for i in range(len(self._views))]
        message.view_age_ms = floats(seen)
        message.frame_age_ms = age_ms(now_ns, ages['frames'])
        message.odometry_age_ms = age_ms(now_ns, ages.get('odometry'))
        message.objects_age_ms = age_ms(now_ns, ages.get('objects'))
        message.navigation_age_ms = math.nan
        self._health.publish(message)
