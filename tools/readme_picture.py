"""Write docs/demo.webp: the stretches of a drive that are ACTIVE and whose words are true.

``python tools/readme_picture.py left_people_cross 107 docs/demo.webp`` drives with nano and
without ROS, and takes the instants whose claims are true and leave no fact out,
by the truth that scores a drive's words (``Measure.held``).  Needs Pillow.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import groupby
from pathlib import Path

from PIL import Image

from alpamayo_ros.faults import Fault
from alpamayo_ros.film.dashboard import STATES, Dashboard
from alpamayo_ros.film.director import Director
from alpamayo_ros.profile import load_profile
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports.recorded_road import road_of
from alpamayo_ros.reports.shots import car_of
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.simulation.drive.drive import Drive
from alpamayo_ros.simulation.drive.drive_recorder import DriveRecorder
from alpamayo_ros.simulation.drive.measurements import Measure
from alpamayo_ros.simulation.drive.planners import open_planner
from alpamayo_ros.simulation.scenario import load_scenario

STRETCHES, LEAST = 3, 8  # longest stretches shown, and the fewest frames of one
MOST = 60  # frames of a stretch
EVERY = 2  # frame of a stretch: a picture of 10 Hz is too large for a page
SIZE, QUALITY, FRAME_MS = (1000, 562), 42, 200


def driven(name: str, seed: int, folder: Path) -> set[int]:
    """Drive and record; the t0 of every cycle whose words hold."""
    planner = open_planner('onnx', load_profile('nano'))
    if isinstance(planner, Fault):
        raise SystemExit(str(planner))
    drive = Drive(load_scenario(name), seed, planner, pictures=True)
    measure, recorder = Measure(drive), DriveRecorder(drive, folder)
    while not drive.sim.done:
        recorder.look()
        cycle = drive.step()
        measure.note(cycle)
        recorder.note(cycle)
    recorder.close()
    true = set(measure.held())
    drive.close()
    return true


def chosen(recording: Recording, true: set[int]) -> list[int]:
    """The t0 of every frame: ACTIVE, with words of this very t0 that hold."""
    state = {h.t0_ns: STATES[h.state] for h in recording.all(events.Health)}
    good = [t in true and state.get(t) == 'ACTIVE' for t in recording.times_ns]
    runs = [
        [t for t, _ in run]
        for ok, run in groupby(
            zip(recording.times_ns, good, strict=True), key=lambda pair: pair[1]
        )
        if ok
    ]
    longest = sorted((run for run in runs if len(run) >= LEAST), key=len)[-STRETCHES:]
    return sorted(t for run in longest for t in run[:MOST:EVERY])


def main() -> None:
    """Write the picture that the command line names."""
    name, seed, out = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    with tempfile.TemporaryDirectory() as made:
        true = driven(name, seed, Path(made))
        write(Recording(Path(made)), true, out)


def write(recording: Recording, true: set[int], out: Path) -> None:
    """The picture of a recording's frames."""
    times = chosen(recording, true)
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
