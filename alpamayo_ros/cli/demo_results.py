"""What the demo writes when the driving is done: film, summary, report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.progress import Progress

from alpamayo_ros.cli.common.unwritten import say_unwritten
from alpamayo_ros.film import video
from alpamayo_ros.film.director import Director
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports import demo_summary as summary
from alpamayo_ros.reports import report
from alpamayo_ros.reports.demo_summary import ScenarioRow, Summary
from alpamayo_ros.reports.recorded_road import road_of
from alpamayo_ros.reports.shots import car_of
from alpamayo_ros.sensing.rig import load_rig


def write_results(
    rows: Sequence[ScenarioRow],
    results: Sequence[dict[str, Any]],
    folders: Sequence[Path],
    out: Path,
    progress: Progress,
) -> Summary:
    """Read the recordings of ``folders`` and write drive.mp4, summary.json and report.html."""
    recordings = [Recording(folder) for folder in folders]
    rig = load_rig('sim')
    directors = [Director(r, car_of(rig.vehicle), road_of(r), rig) for r in recordings]
    count = sum(len(r.times_ns) for r in recordings)
    task = progress.add_task('film', total=count, note='six cameras, scene from above, words')
    video.write(directors, out / 'drive.mp4', lambda n: progress.update(task, completed=n))
    say_unwritten(recordings)
    task = progress.add_task('report', total=1, note='plots and figures')
    factors = [r['real_time_factor'] for r in results if r['mode'] == 'free']
    found = summary.summarise(rows, recordings, round(factors[0], 3) if factors else None)
    found.write(out / 'summary.json')
    page = report.page(found, results, directors)
    (out / 'report.html').write_text(page, encoding='utf-8')
    progress.update(task, completed=1, note='')
    return found
