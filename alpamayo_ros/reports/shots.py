"""Moments of a drive as pictures for a page: the front camera with the plan, and from above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alpamayo_ros.film import camera_frame
from alpamayo_ros.film.dashboard import FrameContent
from alpamayo_ros.film.director import Director
from alpamayo_ros.film.top_view import Car, Road, TopView
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports import pages
from alpamayo_ros.reports.notable_events import NotableEvent
from alpamayo_ros.reports.plots import acceleration
from alpamayo_ros.sensing.rig import Rig, Vehicle, load_rig

RIG = 'rig.yaml'
ABOVE = (400, 560)  # pixels
AHEAD_M, MOST_AHEAD_M = 44.0, 160.0
TRUTH_S = 6.0  # of what was driven afterwards, as long as a plan


@dataclass(frozen=True, slots=True)
class Shot:
    """One moment; ``picture`` and ``above`` are data URLs, '' where there is no picture.

    ``about``: speed and state in words.  ``camera``: whose picture it is.
    """

    time_s: float
    what: str
    about: str
    camera: str
    picture: str
    above: str
    words: dict[str, str]


def rig_of(recording: Recording) -> Rig | None:
    """The rig the pictures were taken with; None where there is none.

    ``rig.yaml`` of the folder, else the one that run.json names.
    """
    own = recording.folder / RIG
    try:
        return load_rig(own if own.is_file() else Path(recording.info.rig))
    except FileNotFoundError:
        return None


def car_of(vehicle: Vehicle) -> Car:
    """The box of a rig's vehicle."""
    centre_m = vehicle.rear_axle_to_front_bumper_m - vehicle.length_m / 2
    return Car(vehicle.length_m, vehicle.width_m, centre_m)


def shots(
    recording: Recording, rig: Rig | None, found: Sequence[NotableEvent], road: Road | None = None
) -> list[Shot]:
    """A shot of each event; without a rig the pictures have no plan on them."""
    car = car_of(rig.vehicle) if rig is not None else Car()
    director = Director(recording, car, road)
    return [_shot(director, rig, event) for event in found]


def _shot(director: Director, rig: Rig | None, notable: NotableEvent) -> Shot:
    content = director.content(notable.t0_ns, TRUTH_S)
    name, picture = _front(director.recording, rig, content, notable.t0_ns)
    table = director.recording.ego
    change = float(np.interp(notable.t0_ns / 1e9, table[:, 0], acceleration(table)))
    state = f', {content.state}' if director.recording.all(events.Health) else ''
    return Shot(
        time_s=content.time_s,
        what=notable.what,
        about=f'{content.speed_mps:.1f} m/s, {change:+.1f} m/s²{state}.',
        camera=name,
        picture=picture,
        above=pages.data_url(_above(content), ABOVE[0]),
        words={part: said for part, said in content.words.items() if said},
    )


def _above(content: FrameContent) -> np.ndarray:
    """The scene from above, as far as plan and truth reach."""
    paths = [content.scene.truth, *content.scene.candidates]
    paths += [] if content.scene.chosen is None else [content.scene.chosen]
    reach = max((float(p[:, 0].max()) for p in paths if len(p)), default=0.0)
    ahead_m = min(max(AHEAD_M, 1.08 * reach), MOST_AHEAD_M)
    view = TopView(*ABOVE, ahead_m=ahead_m, behind_m=ahead_m / 4)
    return view.draw(content.scene, content.car)


def _front(
    recording: Recording, rig: Rig | None, content: FrameContent, t0_ns: int
) -> tuple[str, str]:
    """Name and picture of the camera that looks ahead; ('', '') where none has a picture."""
    cameras = rig.cameras if rig is not None else ()
    ahead = sorted(cameras, key=lambda c: abs(c.mount.yaw_rad))
    for camera in ahead:
        image = recording.image(camera.name, t0_ns)
        if image is not None:
            drawn = camera_frame.draw(image, camera, content.scene, content.car)
            return camera.name, pages.data_url(image if drawn is None else drawn)
    image = None if ahead else recording.image('front', t0_ns)
    return ('', '') if image is None else ('front', pages.data_url(image))
