"""From clips to training samples: pictures as the model sees them, past, future, words."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.rig import Rig
from alpamayo_ros.sensing.views import make_views, views_from_rig
from alpamayo_ros.training.clips.clip import Clip, Note
from alpamayo_ros.training.clips.motion import Motion
from alpamayo_ros.training.clips.pictures import decoded
from alpamayo_ros.training.clips.recorded_clip import ClipError
from alpamayo_ros.training.nearest_frames import nearest_frames
from alpamayo_ros.types import EgoHistory, EgoState, FrameStack
from alpamayo_ros.units import NS


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant of a clip through the profile's views.

    ``seen``: False where the camera of a view is absent (the view is black).  ``car`` and ``past``
    are None where odometry does not cover it, ``future`` where the clip ends before the horizon.
    """

    t0_ns: int
    views: UInt8[np.ndarray, 'V H W 3']
    seen: Bool[np.ndarray, ' V']
    car: EgoState | None
    past: EgoHistory | None
    future: Float[np.ndarray, 'P 3'] | None
    note: Note


@dataclass(frozen=True, slots=True)
class Sample:
    """What a model learns from: its inputs at t0, and what was driven after it.

    ``future``: x, y [m], heading [rad] in base_link at t0, the profile's points; the texts are in
    ``note``, '' where there is none.
    """

    frames: FrameStack
    past: EgoHistory
    future: Float[np.ndarray, 'P 3']
    note: Note


class Eyes:
    """The profile's views of a rig that may lack cameras; what it lacks is black and not seen."""

    def __init__(self, rig: Rig, profile: ModelProfile) -> None:
        check_cameras(rig, profile)
        there = {camera.name for camera in rig.cameras}
        self.rig, self.views = rig, profile.views
        self._size = profile.view_size
        self._there = [i for i, v in enumerate(profile.views) if v.camera in there]
        part = {'views': tuple(profile.views[i] for i in self._there)}
        self._makers = views_from_rig(profile.model_copy(update=part), rig)

    def __call__(
        self, images: dict[str, UInt8[np.ndarray, '_ _ 3']]
    ) -> tuple[UInt8[np.ndarray, 'V H W 3'], Bool[np.ndarray, ' V']]:
        """All views, and which of them a camera showed."""
        out = np.zeros((len(self.views), *self._size, 3), np.uint8)
        out[self._there] = make_views(images, self._makers)
        return out, np.array([view.camera in images for view in self.views])


def check_cameras(rig: Rig, profile: ModelProfile) -> None:
    """ClipError where a rig lacks a camera that the profile cannot do without."""
    there = {camera.name for camera in rig.cameras}
    lost = [c.name for c in profile.cameras if c.mandatory and c.name not in there]
    if lost:
        names = ', '.join(sorted(there)) or 'none'
        raise ClipError(f'{profile.name} wants camera {lost[0]}; the rig has {names}')


def moments(clip: Clip, profile: ModelProfile) -> Iterator[Moment]:
    """Every instant of a clip, in order."""
    eyes, motion, form = Eyes(clip.rig, profile), Motion(clip.states, profile), profile.trajectory
    notes = {note.t0_ns: note for note in clip.notes}
    for found in clip.pictures():
        views, seen = eyes(decoded(found, clip.rig))
        known = motion.at(found.stamp_ns)
        car, past = known if known is not None else (None, None)
        future = None
        if car is not None:
            poses, valid = motion.after(car, form.points, form.dt_s)
            future = poses if valid.all() else None
        note = notes.get(found.stamp_ns, Note(t0_ns=found.stamp_ns))
        yield Moment(found.stamp_ns, views, seen, car, past, future, note)


def samples(clip: Clip, profile: ModelProfile) -> Iterator[Sample]:
    """One sample an instant; instants whose past or future the clip does not hold give none."""
    span_ns = round((profile.frames.count * profile.frames.spacing_s) * NS)
    kept: deque[Moment] = deque()
    for now in moments(clip, profile):
        kept.append(now)
        while kept[0].t0_ns < now.t0_ns - span_ns:
            kept.popleft()
        if now.past is not None and now.future is not None:
            times = [((one.t0_ns - now.t0_ns) / NS, one) for one in kept]
            shown = nearest_frames(times, 0.0, profile.frames)
            yield Sample(_stack(now, shown), now.past, now.future, now.note)


def _stack(now: Moment, shown: list[tuple[Moment, float, float]]) -> FrameStack:
    """Pictures of the timesteps, newest first."""
    images = np.stack([one.views for one, _, _ in shown])
    views = images.shape[1]
    ages = np.array([[age] * views for _, age, _ in shown], np.float32)
    valid = np.stack([one.seen & bool(there) for one, _, there in shown])
    return FrameStack(now.t0_ns, images, ages, valid)
