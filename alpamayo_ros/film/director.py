"""The content of each frame of a film, from a recording."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, UInt8

from alpamayo_ros.film import camera_frame
from alpamayo_ros.film.camera_boxes import camera_boxes
from alpamayo_ros.film.captions import (
    after_contact,
    origin,
    runtime_label,
    sentence,
    split,
    title,
)
from alpamayo_ros.film.dashboard import CONTACT, PARTS, STATES, FrameContent
from alpamayo_ros.film.top_view import Car, Road, Scene, to_base
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording, newest
from alpamayo_ros.sensing.rig import Rig

DRIVEN_S = 8.0  # of the path behind the car that is shown
STOP_SOURCES = (2, 3)  # PlannedTrajectory.STOP and STANDSTILL
SHOWN_NS = 500_000_000  # candidates older than a plan may be are no longer shown
SPAN_NS = 100_000_000  # to either side, of the acceleration after a contact
NOTES = (
    'other road users: as recorded, not given to the planner',
    'other cars: ground truth of the simulator, not given to the planner',
)


class Director:
    """The content of each frame of a film: what was known, planned and said at t0.

    ``rig``: of the pictures, so that the plan is drawn into the one that looks ahead.
    """

    def __init__(
        self, recording: Recording, car: Car, road: Road | None, rig: Rig | None = None
    ) -> None:
        self.recording, self.car, self.road, self.rig = recording, car, road, rig
        self._cameras = tuple(camera_boxes(recording.cameras))
        plans = [p for p in recording.all(events.Plan) if p.topic == 'trajectory']
        self._plans = sorted(plans, key=lambda p: p.stamp_ns)
        self._candidates = sorted(recording.all(events.Candidates), key=lambda c: c.t0_ns)
        self._health = sorted(recording.all(events.Health), key=lambda h: (h.t0_ns, h.stamp_ns))
        self._words = sorted(recording.all(events.Words), key=lambda w: w.t0_ns)
        self._objects = sorted(recording.all(events.Objects), key=lambda o: o.stamp_ns)
        self._profile = next((c.profile for c in self._candidates if c.profile), '')
        self._keys = {
            'plans': [p.stamp_ns for p in self._plans],
            'candidates': [c.t0_ns for c in self._candidates],
            'health': [h.t0_ns for h in self._health],
            'words': [w.t0_ns for w in self._words],
            'objects': [o.stamp_ns for o in self._objects],
        }

    def content(self, t0_ns: int, ahead_s: float = 0.0) -> FrameContent:
        """Everything about one instant; ``ahead_s``: show as much of what was driven next."""
        ego = self.recording.ego_at(t0_ns)
        plan = newest(self._plans, self._keys['plans'], t0_ns)
        plan = None if self._past_contact(t0_ns) else plan
        scene = self._scene(t0_ns, ego, plan, ahead_s)
        info = self.recording.info
        state, reason = self._state(t0_ns)
        return FrameContent(
            title=title(info),
            subtitle='  ·  '.join(p for p in (origin(info), info.description) if p),
            time_s=(t0_ns - self.recording.times_ns[0]) / 1e9,
            scene=scene,
            images=self._images(t0_ns, scene),
            words=self._said(t0_ns),
            speed_mps=float(ego[4]),
            acceleration_mps2=self._acceleration_mps2(t0_ns, plan),
            steering_rad=plan.steering_rad if plan else 0.0,
            state=state,
            reason=reason,
            runtime=runtime_label(info.runtime, self._profile),
            car=self.car,
            note=NOTES[info.origin == 'simulator'] if self._objects else '',
        )

    def _past_contact(self, t0_ns: int) -> bool:
        """Whether somebody was touched before t0; then nobody plans."""
        contact = self.recording.contact
        return contact is not None and t0_ns > contact.stamp_ns

    def _state(self, t0_ns: int) -> tuple[str, str]:
        """State and its sentence; from a contact on, that."""
        contact = self.recording.contact
        if contact is not None and t0_ns >= contact.stamp_ns:
            return CONTACT, after_contact(contact)
        health = newest(self._health, self._keys['health'], t0_ns)
        return STATES[health.state] if health else 'INIT', sentence(health)

    def _acceleration_mps2(self, t0_ns: int, plan: events.Plan | None) -> float:
        """The planned one; after a contact that of the recorded speed."""
        if plan is not None or not self._past_contact(t0_ns):
            return plan.acceleration_mps2 if plan else 0.0
        later, before = (self.recording.ego_at(t0_ns + side * SPAN_NS) for side in (1, -1))
        return float((later[4] - before[4]) / max(later[0] - before[0], 1e-9))

    def _images(self, t0_ns: int, scene: Scene) -> dict[str, UInt8[np.ndarray, '_ _ 3'] | None]:
        """Every camera's picture, the plan drawn into the one that looks ahead."""
        images = {name: self.recording.image(name, t0_ns) for name in self._cameras}
        cameras = self.rig.cameras if self.rig is not None else ()
        seen = [c for c in cameras if images.get(c.name) is not None]
        if not seen:
            return images
        ahead = min(seen, key=lambda c: abs(c.mount.yaw_rad))
        image = images[ahead.name]
        assert image is not None
        drawn = camera_frame.draw(image, ahead, scene, self.car)
        return images if drawn is None else {**images, ahead.name: drawn}

    def _said(self, t0_ns: int) -> dict[str, str]:
        """The words that explain the plan; before there is a plan, those of the proposal."""
        words = newest(self._words, self._keys['words'], t0_ns)
        proposed = newest(self._candidates, self._keys['candidates'], t0_ns)
        if words is not None and t0_ns - words.t0_ns <= SHOWN_NS:
            return {name: getattr(words, name) for name in PARTS}
        if proposed is not None and t0_ns - proposed.t0_ns <= SHOWN_NS:
            return split(proposed.text)
        return {}

    def _scene(
        self, t0_ns: int, ego: Float[np.ndarray, ' 6'], plan: events.Plan | None, ahead_s: float
    ) -> Scene:
        pose = (float(ego[1]), float(ego[2]), float(ego[3]))
        proposed = newest(self._candidates, self._keys['candidates'], t0_ns)
        objects = newest(self._objects, self._keys['objects'], t0_ns)
        table = self.recording.ego
        now_s = t0_ns / 1e9
        driven = table[(table[:, 0] <= now_s) & (table[:, 0] > now_s - DRIVEN_S), 1:3]
        later = table[(table[:, 0] > now_s) & (table[:, 0] <= now_s + ahead_s), 1:3]
        chosen = None
        if plan is not None and plan.x_m:
            chosen = carried(np.array([plan.x_m, plan.y_m]).T, plan.pose, pose)
        if proposed is not None and t0_ns - proposed.t0_ns > SHOWN_NS:
            proposed = None
        paths = [
            carried(np.array(path).T, p.pose, pose)
            for p in ([proposed] if proposed else [])
            for path in p.paths
        ]
        return Scene(
            pose=pose,
            road=self.road,
            boxes=objects.boxes if objects else [],
            candidates=paths,
            costs=proposed.costs if proposed else [],
            chosen=chosen,
            driven=driven,
            stop=plan is not None and plan.source in STOP_SOURCES,
            truth=to_base(later, pose),
        )


def carried(
    points: Float[np.ndarray, 'n 2'], anchor: list[float], pose: tuple[float, float, float]
) -> Float[np.ndarray, 'n 2']:
    """Points in base_link at ``anchor`` (x, y, heading in odom), seen from ``pose``."""
    c, s = math.cos(anchor[2]), math.sin(anchor[2])
    world = points @ np.array([[c, s], [-s, c]]) + np.array(anchor[:2])
    return to_base(world, pose)
