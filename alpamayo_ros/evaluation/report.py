"""report.html: one page that stands alone; the verdict first, then each drive, then the times."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import jinja2
import numpy as np
from jaxtyping import UInt8

from alpamayo_ros import __version__
from alpamayo_ros.evaluation import plots
from alpamayo_ros.evaluation.dashboard import PARTS, Dashboard
from alpamayo_ros.evaluation.moments import notable
from alpamayo_ros.evaluation.summary import ScenarioRow, Summary
from alpamayo_ros.evaluation.video import Director

TEMPLATES = Path(__file__).parent / 'templates'
GOOD_SCORE = 0.5  # 20 s from rest reach half of a 300 m route, a score of 0.6
PICTURE_WIDTH, JPEG_QUALITY = 960, 82
ENDS = {
    'goal': 'reached the end of the route',
    'stopped': 'stopped behind the standing car',
    'time': 'drove until the time was up',
    'duration': 'drove until the time was up',
    'stalled': 'stood still without a reason',
    'passed': 'drove past the standing car',
    'collision': 'touched another car',
    'offroad': 'left the road',
    'hang': 'the graph gave no answer',
}
BAD_ENDS = ('stalled', 'passed', 'collision', 'offroad', 'hang')


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame of the film with what it shows; ``source`` is a data URL."""

    source: str
    what: str
    time_s: float
    words: dict[str, str]


@dataclass(frozen=True, slots=True)
class Chapter:
    """One drive in the report."""

    row: ScenarioRow
    title: str
    description: str
    good: bool
    end: str
    pictures: list[Picture]
    path_svg: str
    speed_svg: str


def good(row: ScenarioRow, result: dict[str, Any]) -> bool:
    """A score (so on the road, without contact at fault) and no end that counts as a failure."""
    return row.score >= GOOD_SCORE and result.get('end') not in BAD_ENDS


def page(
    summary: Summary, results: Sequence[dict[str, Any]], directors: Sequence[Director]
) -> str:
    """The whole page; ``results`` and ``directors`` in the order of ``summary.scenarios``."""
    dashboard = Dashboard()
    drawn: list[str] = []
    for director in directors:
        drawn += [
            plots.path_plot(director.recording, director.road),
            plots.speed_plot(director.recording),
        ]
    free = [d.recording for d in directors if d.recording.info.mode == 'free']
    extra = [plots.age_plot(free[0])] if free and summary.stage_ms else []
    extra += [plots.stage_plot(summary.stage_ms)] if summary.stage_ms else []
    apart = plots.svg_ids_apart([*drawn, *extra])
    chapters = [
        _chapter(row, result, director, dashboard, (apart[2 * i], apart[2 * i + 1]))
        for i, (row, result, director) in enumerate(
            zip(summary.scenarios, results, directors, strict=True)
        )
    ]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template('report.html.j2').render(
        summary=summary,
        chapters=chapters,
        timing=apart[len(drawn) :],
        verdict=verdict(chapters),
        all_good=all(c.good for c in chapters),
        scripted=summary.model.runtime == 'scripted',
        version=__version__,
        parts=PARTS,
    )


def verdict(chapters: Sequence[Chapter]) -> str:
    """One sentence for somebody who reads no further."""
    done = sum(c.good for c in chapters)
    metres = sum(c.row.distance_m for c in chapters)
    drives = f'{done} of {len(chapters)} drives went well'
    contacts = sum(c.row.collisions_at_fault for c in chapters)
    off_s = sum(c.row.offroad_s for c in chapters)
    return (
        f'{drives}: {metres:.0f} m driven, {contacts or "no"} contact'
        f'{"s" if contacts > 1 else ""} at fault, {off_s:.1f} s off the road.'
    )


def _chapter(
    row: ScenarioRow,
    result: dict[str, Any],
    director: Director,
    dashboard: Dashboard,
    drawn: tuple[str, str],
) -> Chapter:
    start_ns = director.recording.times_ns[0]
    pictures = []
    for moment in notable(director.recording):
        shown = director.moment(moment.t0_ns)
        pictures.append(
            Picture(
                source=data_url(dashboard.compose(shown)),
                what=moment.what,
                time_s=(moment.t0_ns - start_ns) / 1e9,
                words=dict(shown.words),
            )
        )
    end = str(result.get('end', ''))
    return Chapter(
        row=row,
        title=row.name.replace('_', ' ').capitalize(),
        description=director.recording.info.description,
        good=good(row, result),
        end=ENDS.get(end, end),
        pictures=pictures,
        path_svg=drawn[0],
        speed_svg=drawn[1],
    )


def data_url(frame: UInt8[np.ndarray, 'h w 3']) -> str:
    """An RGB picture as a JPEG inside a URL, at most ``PICTURE_WIDTH`` pixels wide."""
    scale = min(1.0, PICTURE_WIDTH / frame.shape[1])
    size = (round(frame.shape[1] * scale), round(frame.shape[0] * scale))
    small = cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    ok, data = cv2.imencode('.jpg', small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not ok:
        raise RuntimeError('OpenCV could not encode a picture of the report')
    return 'data:image/jpeg;base64,' + base64.b64encode(data.tobytes()).decode('ascii')
