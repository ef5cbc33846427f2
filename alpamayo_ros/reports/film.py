"""drive.mp4 of one recording, whatever it was recorded from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alpamayo_ros.film import video
from alpamayo_ros.film.director import Director
from alpamayo_ros.film.top_view import Car
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports.recorded_road import road_of
from alpamayo_ros.reports.shots import car_of, rig_of

NAME = 'drive.mp4'


def film(
    recording: Recording, path: Path, tick: Callable[[int], None] = lambda count: None
) -> int:
    """Write ``path`` (.mp4), a frame for every t0; how many there are.

    ``tick`` is told the number of each frame.  A recording without any instant gives no file.
    """
    if not recording.times_ns or not len(recording.ego):
        return 0
    rig = rig_of(recording)
    car = Car() if rig is None else car_of(rig.vehicle)
    return video.write([Director(recording, car, road_of(recording), rig)], path, tick)
