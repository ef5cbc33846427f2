"""drive.mp4 from recordings: one frame for every t0, 10 frames a second, so real time.

Frames are composed and encoded one by one (H.264, yuv420p, which every browser plays); memory
does not grow with the length of the drive.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import imageio_ffmpeg
import numpy as np
from jaxtyping import Float, UInt8

from alpamayo_ros.film.camera_boxes import camera_boxes
from alpamayo_ros.film.dashboard import (
    HEIGHT,
    PARTS,
    SLOW_MPS,
    STATES,
    WIDTH,
    Dashboard,
    FrameContent,
)
from alpamayo_ros.film.top_view import Car, Road, Scene, to_base
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording, RunInfo, newest

FRAMES_PER_S = 10
DRIVEN_S = 8.0  # of the path behind the car that is shown
STOP_SOURCES = (2, 3)  # PlannedTrajectory.STOP and STANDSTILL
SHOWN_NS = 500_000_000  # candidates older than a plan may be are no longer shown
NOTES = (
    'other road users: as recorded, not given to the planner',
    'other cars: ground truth of the simulator, not given to the planner',
)
QUALITY = 23  # H.264 CRF: text stays crisp at about 1 Mbit/s


class Film:
    """An mp4 file that takes frames; use it in a ``with``."""

    def __init__(self, path: Path, frames_per_s: int = FRAMES_PER_S) -> None:
        self.path, self.frames = path, 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._pipe: Any = imageio_ffmpeg.write_frames(
            str(path),
            (WIDTH, HEIGHT),
            fps=frames_per_s,
            codec='libx264',
            pix_fmt_out='yuv420p',
            macro_block_size=1,
            quality=None,
            output_params=['-crf', str(QUALITY), '-preset', 'veryfast', '-movflags', '+faststart'],
        )
        self._pipe.send(None)

    def add(self, frame: UInt8[np.ndarray, '720 1280 3']) -> None:
        """Append one RGB frame."""
        self._pipe.send(np.ascontiguousarray(frame))
        self.frames += 1

    def close(self) -> None:
        """Finish the file."""
        self._pipe.close()

    def __enter__(self) -> Film:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Director:
    """The content of each frame of a film: what was known, planned and said at t0."""

    def __init__(self, recording: Recording, car: Car, road: Road | None) -> None:
        self.recording, self.car, self.road = recording, car, road
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
        health = newest(self._health, self._keys['health'], t0_ns)
        info = self.recording.info
        return FrameContent(
            title=title(info),
            subtitle='  ·  '.join(p for p in (origin(info), info.description) if p),
            time_s=(t0_ns - self.recording.times_ns[0]) / 1e9,
            scene=self._scene(t0_ns, ego, plan, ahead_s),
            images={name: self.recording.image(name, t0_ns) for name in self._cameras},
            words=self._said(t0_ns),
            speed_mps=float(ego[4]),
            acceleration_mps2=plan.acceleration_mps2 if plan else 0.0,
            steering_rad=plan.steering_rad if plan else 0.0,
            state=STATES[health.state] if health else 'INIT',
            reason=sentence(health),
            runtime=runtime_label(info.runtime, self._profile),
            car=self.car,
            note=NOTES[info.origin == 'simulator'] if self._objects else '',
        )

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


def split(text: str) -> dict[str, str]:
    """The parts of a text with one line a part, ``name: words``; what is missing is ''."""
    lines = dict(line.partition(':')[::2] for line in text.splitlines())
    return {name: lines.get(name, '').strip() for name in PARTS}


def sentence(health: events.Health | None) -> str:
    """The first fault in a sentence, or the reason of a state that is not healthy.

    Of the fault's message only the first sentence: figures and remedies are left to the log.
    """
    if health is None:
        return ''
    if health.faults:
        said = health.messages[0].partition('. ')[0].rstrip('.') + '.' if health.messages else ''
        return said if said.startswith(health.faults[0]) else f'{health.faults[0]}: {said}'
    return '' if STATES[health.state] in ('READY', 'ACTIVE') else health.reason


def title(info: RunInfo) -> str:
    """A scenario as words, or the name of a recording as it is."""
    words = info.scenario.replace('_', ' ').capitalize()
    return words if info.origin == 'simulator' else info.scenario


def origin(info: RunInfo) -> str:
    """Where a run comes from, in a few words."""
    if info.origin != 'simulator':
        return 'on a vehicle' if info.origin == 'vehicle' else 'recorded drive, open loop'
    return f'seed {info.seed}  ·  {"lockstep" if info.mode == "lockstep" else "free-running"}'


def runtime_label(name: str, profile: str) -> str:
    """How model and runtime are called on screen; a test double is named as one."""
    if name == 'none':
        return 'no model'
    return (
        'scripted (test double, not a model)'
        if name == 'scripted'
        else f'{profile or "unnamed model"} · {name}'
    )


def frames(
    director: Director, dashboard: Dashboard, every: int = 1
) -> Iterator[UInt8[np.ndarray, '720 1280 3']]:
    """The frames of one recording, in time."""
    for t0_ns in director.recording.times_ns[::every]:
        yield dashboard.compose(director.content(t0_ns))


def write(
    directors: list[Director],
    path: Path,
    tick: Callable[[int], None] = lambda count: None,
    hold: int = 0,
) -> int:
    """All recordings after each other into one film; ``tick`` is told each frame's number.

    ``hold``: the last frame of each stays for so many more, for an end that has to be seen.
    """
    fastest = max((float(d.recording.ego[:, 4].max(initial=0)) for d in directors), default=0.0)
    dashboard = Dashboard(max(SLOW_MPS, math.ceil(fastest)))
    with Film(path) as film:
        for director in directors:
            for frame in frames(director, dashboard):
                film.add(frame)
                tick(film.frames)
            for _ in range(hold):
                film.add(frame)
        return film.frames
