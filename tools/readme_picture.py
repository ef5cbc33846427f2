"""Write docs/demo.webp: the stretches of a drive that are ACTIVE and whose words are true.

``python tools/readme_picture.py RECORDING docs/demo.webp``, where RECORDING is a folder of
``alpamayo demo`` or ``alpamayo up simulator --record``. Needs Pillow.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from PIL import Image

from alpamayo_ros.film.dashboard import STATES, Dashboard
from alpamayo_ros.film.director import Director
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports.recorded_road import road_of
from alpamayo_ros.reports.shots import car_of
from alpamayo_ros.reports.word_truth import WordTruth
from alpamayo_ros.sensing.rig import load_rig

STRETCHES, LEAST = 2, 15  # longest stretches shown, and the fewest frames of one
SIZE, QUALITY, FRAME_MS = (1000, 562), 55, 100


def chosen(recording: Recording) -> list[int]:
    """The t0 of every frame: ACTIVE, with words of this very t0 that hold."""
    truth = WordTruth(recording)
    state = {h.t0_ns: STATES[h.state] for h in recording.all(events.Health)}
    true = {w.t0_ns for w in recording.all(events.Words) if truth.holds(w)}
    good = [t in true and state.get(t) == 'ACTIVE' for t in recording.times_ns]
    runs = [
        [t for t, _ in run]
        for ok, run in groupby(
            zip(recording.times_ns, good, strict=True), key=lambda pair: pair[1]
        )
        if ok
    ]
    longest = sorted((run for run in runs if len(run) >= LEAST), key=len)[-STRETCHES:]
    return sorted(t for run in longest for t in run)


def main() -> None:
    """Write the picture that the command line names."""
    recording, out = Recording(Path(sys.argv[1])), Path(sys.argv[2])
    times = chosen(recording)
    if not times:
        raise SystemExit(f'no {LEAST} frames in a row are ACTIVE with true words')
    rig = load_rig('sim')
    director = Director(recording, car_of(rig.vehicle), road_of(recording), rig)
    dashboard = Dashboard()
    frames = [
        Image.fromarray(dashboard.compose(director.content(t))).resize(
            SIZE, Image.Resampling.LANCZOS
        )
        for t in times
    ]
    frames[0].save(
        out, save_all=True, append_images=frames[1:], duration=FRAME_MS, loop=0, quality=QUALITY
    )
    print(f'{len(frames)} frames, {out.stat().st_size} bytes')


if __name__ == '__main__':
    main()
