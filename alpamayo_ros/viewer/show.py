"""A recording, told to the viewer: to its page, or into a file."""

from __future__ import annotations

import os
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alpamayo_ros.film.top_view import Car
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import IMAGES, Recording
from alpamayo_ros.recording.timeline import count, in_order
from alpamayo_ros.reports.recorded_road import road_of
from alpamayo_ros.reports.shots import car_of, rig_of
from alpamayo_ros.viewer.layout import blueprint
from alpamayo_ros.viewer.screen import Screen
from alpamayo_ros.viewer.view_scene import State

APPLICATION = 'alpamayo'
BATCH_S, BATCH_BYTES = 1.0, 4 << 20  # few large pieces: the page takes in a few each frame
FLUSH_S = 3600.0  # without a bound rerun (0.41) waits for ever where its file is refused


def new_stream(rerun: Any, batch_s: float = BATCH_S) -> Any:
    """A stream that sends every ``batch_s``; a running graph wants that sooner."""
    batches = rerun.ChunkBatcherConfig(flush_tick=batch_s, flush_num_bytes=BATCH_BYTES)
    return rerun.RecordingStream(APPLICATION, batcher_config=batches)


def tell(
    recording: Recording, rerun: Any, stream: Any, tick: Callable[[float], None] = lambda _: None
) -> int:
    """Log a whole recording to ``stream``; how many events it has."""
    rig = rig_of(recording)
    car = Car() if rig is None else car_of(rig.vehicle)
    state = State(car=car, road=road_of(recording), route=recording.route)
    cameras = {} if rig is None else {camera.name: camera for camera in rig.cameras}
    stream.send_blueprint(blueprint(rerun, names(recording), live=False))
    screen, total = Screen(rerun, stream, state, cameras), count(recording)
    if not recording.all(events.Health):
        screen.note('no model took part: this is what was recorded')
    with (recording.folder / IMAGES).open('rb') as pictures:
        for done, event in enumerate(in_order(recording)):
            if isinstance(event, events.Image):
                pictures.seek(event.offset)
                screen.picture(event.camera, event.stamp_ns, pictures.read(event.size))
            else:
                screen.take(event)
            if done % 200 == 0:
                tick(done / total)
    stream.flush(timeout_sec=FLUSH_S)
    tick(1.0)
    return total


def names(recording: Recording) -> list[str]:
    """The cameras that have pictures, in the order of the first one."""
    return list(dict.fromkeys(image.camera for image in recording.all(events.Image)))


def save(recording: Recording, rerun: Any, path: Path, tick: Callable[[float], None]) -> int:
    """Write ``path`` (.rrd), which ``alpamayo view``'s page and rerun's own viewer open.

    It has its name once it is whole; RuntimeError, in rerun's words, where the disk refuses it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part, stream = path.with_name(path.name + '.part'), new_stream(rerun)
    try:
        stream.save(str(part))
        found = tell(recording, rerun, stream, tick)
        stream.disconnect()
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return found


def open_browser(url: str) -> None:
    """Open a page without waiting for the browser."""
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
