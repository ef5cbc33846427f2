"""What ``plans.mcap`` says of each event of a recording (see ``plan_bag``)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from alpamayo_ros.bags import marker_style as style
from alpamayo_ros.bags.show_writer import ERROR, INFO, WARN, ShowBag
from alpamayo_ros.film.dashboard import PARTS, STATES
from alpamayo_ros.film.plan_overlay import overlay
from alpamayo_ros.film.top_view import Car
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording, newest
from alpamayo_ros.reports.shots import car_of
from alpamayo_ros.sensing.rig import Rig, RigCamera, rotation_xyz
from alpamayo_ros.units import NS

NAMESPACE = '/alpamayo'
INFO_NS = NS  # camera_info is repeated once a second
LEVELS = (0, 0, 0, 1, 2, 2)  # DiagnosticStatus of each state, as the monitor node's
LOGGED = (INFO, INFO, INFO, WARN, ERROR, ERROR)


def camera_topics(name: str, camera: RigCamera | None) -> tuple[str, str]:
    """Topics of pictures and calibration; those of the live graph, where the rig has others."""
    image = '' if camera is None or not camera.topic.endswith('/compressed') else camera.topic
    info = '' if camera is None else camera.info_topic
    return _absolute(image or f'camera/{name}/image_raw/compressed'), _absolute(info)


def _absolute(topic: str) -> str:
    return topic if topic.startswith('/') or not topic else f'{NAMESPACE}/{topic}'


class PlanMessages:
    """Turns each event into messages; what was known at its time is looked up."""

    pictures: Any

    def __init__(self, bag: ShowBag, recording: Recording, rig: Rig | None) -> None:
        self.bag, self.recording = bag, recording
        self.rig = {} if rig is None else {camera.name: camera for camera in rig.cameras}
        self.car = Car() if rig is None else car_of(rig.vehicle)
        self._objects = sorted(recording.all(events.Objects), key=lambda o: o.stamp_ns)
        self._object_ns = [o.stamp_ns for o in self._objects]
        self._final = {c.t0_ns: c for c in recording.all(events.Candidates)}
        self._front = min(self.rig.values(), key=lambda c: abs(c.mount.yaw_rad), default=None)
        self._info_ns: dict[str, int] = {}
        self._said, self._drawn_ns = (-1, ''), -1

    def kinds(self) -> dict[type, Callable[[Any, int], None]]:
        """By what an event of each kind is written."""
        return {
            events.Ego: self.ego,
            events.Image: self.picture,
            events.Candidates: self.candidates,
            events.Plan: self.plan,
            events.Words: self.words,
            events.Timing: self.timing,
            events.Health: self.health,
        }

    def begin(self) -> None:
        """The route and where the cameras are, at the first instant of the drive."""
        stamps = [int(self.recording.ego[0, 0] * 1e9)] if len(self.recording.ego) else []
        stamps += self.recording.times_ns[:1]
        if not stamps:
            return
        mounts = {('base_link', c.frame_id): c.base_from_optical for c in self.rig.values()}
        if mounts:
            self.bag.transforms('/tf_static', min(stamps), mounts)
        if len(self.recording.route):
            self.bag.nav_path(f'{NAMESPACE}/route', min(stamps), 'odom', self.recording.route)

    def ego(self, e: events.Ego, at_ns: int) -> None:
        """Odometry and tf."""
        pose = np.eye(4)
        pose[:3, :3] = rotation_xyz(0.0, 0.0, e.heading_rad)
        pose[:2, 3] = e.x_m, e.y_m
        frames = ('odom', 'base_link')
        linear, angular = np.array([e.speed_mps, 0.0, 0.0]), np.array([0.0, 0.0, e.yaw_rate_rps])
        self.bag.odometry(f'{NAMESPACE}/odometry', at_ns, frames, pose, linear, angular)
        self.bag.transforms('/tf', at_ns, {frames: pose})

    def picture(self, i: events.Image, at_ns: int) -> None:
        """The compressed picture as it is, with its calibration once a second."""
        self.pictures.seek(i.offset)
        data = self.pictures.read(i.size)
        camera = self.rig.get(i.camera)
        topic, info_topic = camera_topics(i.camera, camera)
        frame = i.camera if camera is None else camera.frame_id
        self.bag.compressed_image(topic, at_ns, frame, data)
        due = at_ns - self._info_ns.get(i.camera, -INFO_NS) >= INFO_NS
        if camera is not None and info_topic and due:
            self._info_ns[i.camera] = at_ns
            self.bag.camera_info(info_topic, at_ns, camera)

    def candidates(self, c: events.Candidates, at_ns: int) -> None:
        """Candidates by cost, the own car and the others, in base_link at t0.

        The graph tells of them twice, the second time with costs: that is shown.
        """
        if self._final[c.t0_ns] is not c:
            return
        known = [cost for cost in c.costs if cost is not None]
        low, high = (min(known), max(known)) if known else (0.0, 0.0)
        markers = []
        for index, (x, y) in enumerate(c.paths):
            cost = c.costs[index] if index < len(c.costs) else None
            space, colour = 'candidates', style.cost_colour(cost, low, high)
            if index == c.selected:
                space, colour = 'chosen', style.CHOSEN
            markers.append(self.bag.line(c.t0_ns, space, index, x, y, colour))
        car = self.car
        size = (car.length_m, car.width_m)
        markers.append(self.bag.box(c.t0_ns, 'ego', 0, (car.centre_m, 0.0, 0.0), size, style.EGO))
        for box in self._others(c.t0_ns):
            x0, y0, angle = c.pose
            dx, dy, cos, sin = box.x_m - x0, box.y_m - y0, math.cos(angle), math.sin(angle)
            place = (cos * dx + sin * dy, cos * dy - sin * dx, box.heading_rad - angle)
            size = (box.length_m, box.width_m)
            markers.append(self.bag.box(c.t0_ns, 'objects', box.id, place, size, style.OBJECT))
        self.bag.markers(f'{NAMESPACE}/markers', markers, at_ns)

    def _others(self, time_ns: int) -> list[events.Box]:
        found = newest(self._objects, self._object_ns, time_ns)
        return [] if found is None else found.boxes

    def plan(self, p: events.Plan, at_ns: int) -> None:
        """The path that was let out, in odom, and what it asks of the car."""
        if p.topic != 'trajectory' or not p.x_m:
            return
        x0, y0, angle = p.pose
        cos, sin = math.cos(angle), math.sin(angle)
        points = np.array([p.x_m, p.y_m]).T @ np.array([[cos, sin], [-sin, cos]]) + [x0, y0]
        self.bag.nav_path(f'{NAMESPACE}/path', p.stamp_ns, 'odom', points, at_ns)
        if self._front is not None and p.stamp_ns != self._drawn_ns:
            self._drawn_ns = p.stamp_ns
            picture = overlay(self.recording, self._front, p)
            if picture is not None:
                topic, frame = f'{NAMESPACE}/overlay', self._front.frame_id
                self.bag.image(topic, at_ns, frame, picture)
        if p.speed_mps:
            self._plot('planned_speed_mps', p.speed_mps[0], at_ns)
        self._plot('acceleration_mps2', p.acceleration_mps2, at_ns)
        self._plot('steering_rad', p.steering_rad, at_ns)

    def words(self, w: events.Words, at_ns: int) -> None:
        """The chain of causation above the car, as a text and in the log."""
        parts = {name: getattr(w, name) for name in PARTS}
        lines = {k: v for k, v in parts.items() if v or k != 'counterfactual'}
        text = '\n'.join(f'{name}: {said}' for name, said in lines.items())
        marker = self.bag.words(w.t0_ns, text)
        self.bag.markers(f'{NAMESPACE}/reasoning_markers', [marker], at_ns)
        self.bag.text(f'{NAMESPACE}/reasoning_text', text, at_ns)
        self._plot('agreement', w.agreement, at_ns)
        self.bag.log('/rosout', INFO, 'reasoning', f'{w.rationale} -> {w.intent}', at_ns)

    def timing(self, t: events.Timing, at_ns: int) -> None:
        """How long a cycle took."""
        self._plot('cycle_ms', t.wall_ms, at_ns)

    def health(self, h: events.Health, at_ns: int) -> None:
        """A status; in the log where state or faults change."""
        reason = '; '.join(h.messages) or h.reason
        text = f'{STATES[h.state]}: {reason}'
        values = {
            'faults': ' '.join(h.faults), 'plans': h.plans, 'stops': h.stops,
            'refusals': h.refusals, 'deadline_misses': h.deadline_misses,
            'worker_restarts': h.worker_restarts, 'runtime': h.runtime,
        }  # fmt: skip
        name = 'alpamayo: trajectory'
        self.bag.diagnostics('/diagnostics', LEVELS[h.state], name, text, values, at_ns)
        marker = self.bag.state(h.stamp_ns, STATES[h.state], f'{STATES[h.state]}\n{reason}')
        self.bag.markers(f'{NAMESPACE}/state_markers', [marker], at_ns)
        self._plot('plan_age_ms', h.plan_age_ms, at_ns)
        now = (h.state, ' '.join(h.faults))
        if now != self._said:
            self._said = now
            self.bag.log('/rosout', LOGGED[h.state], 'trajectory', text, at_ns)

    def _plot(self, name: str, value: float | None, at_ns: int) -> None:
        if value is not None and math.isfinite(value):
            self.bag.number(f'{NAMESPACE}/plot/{name}', value, at_ns)
