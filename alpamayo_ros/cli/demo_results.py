"""What the demo writes when the driving is done: film, summary, report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

from alpamayo_ros.evaluation import report, summary, video
from alpamayo_ros.evaluation.recording import Recording
from alpamayo_ros.evaluation.summary import ScenarioRow, Summary
from alpamayo_ros.evaluation.top_view import Car, Road, arc_length
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.simulation.road import LANE_M

BEHIND_M = 25.0  # the route begins at the car; the road behind it is drawn straight
SPACING_M = 0.5


def write_results(
    rows: Sequence[ScenarioRow],
    results: Sequence[dict[str, Any]],
    folders: Sequence[Path],
    out: Path,
    progress: Progress,
) -> Summary:
    """Read the recordings of ``folders`` and write drive.mp4, summary.json and report.html."""
    recordings = [Recording(folder) for folder in folders]
    directors = [video.Director(r, car(), road(r)) for r in recordings]
    count = sum(len(r.times_ns) for r in recordings)
    task = progress.add_task('film', total=count, note='six cameras, scene from above, words')
    video.write(directors, out / 'drive.mp4', lambda n: progress.update(task, completed=n))
    task = progress.add_task('report', total=1, note='plots and figures')
    factors = [r['real_time_factor'] for r in results if r['mode'] == 'free']
    found = summary.summarise(rows, recordings, round(factors[0], 3) if factors else None)
    found.write(out / 'summary.json')
    page = report.page(found, results, directors)
    (out / 'report.html').write_text(page, encoding='utf-8')
    progress.update(task, completed=1, note='')
    return found


def car() -> Car:
    """The simulated car's box."""
    v = load_rig('sim').vehicle
    return Car(v.length_m, v.width_m, v.rear_axle_to_front_bumper_m - v.length_m / 2)


def road(recording: Recording) -> Road | None:
    """The road along the recorded route, in the simulator's lane width."""
    route = recording.route
    if len(route) < 3:
        return None
    back = route[0] - (route[1] - route[0]) / np.linalg.norm(route[1] - route[0]) * BEHIND_M
    route = np.vstack([back, route])
    arc = arc_length(route)
    fine = np.arange(0.0, arc[-1], SPACING_M)
    centre = np.stack([np.interp(fine, arc, route[:, 0]), np.interp(fine, arc, route[:, 1])], 1)
    half = LANE_M / 2
    return Road(centre, right_m=-half, middle_m=half, left_m=LANE_M + half)
