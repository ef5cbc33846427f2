"""report.html: one page that stands alone; the verdict first, then each drive, then the times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alpamayo_ros.film.captions import title
from alpamayo_ros.film.dashboard import Dashboard
from alpamayo_ros.film.director import Director
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports import pages, plots
from alpamayo_ros.reports.demo_summary import ScenarioRow, Summary
from alpamayo_ros.reports.notable_events import notable
from alpamayo_ros.reports.word_truth import WordTruth
from alpamayo_ros.runtime.registry import is_test_double
from alpamayo_ros.units import counted

GOOD_SCORE = 0.5  # a drive that ended by itself came at least so far
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
    good: bool | None
    end: str
    pictures: list[Picture]
    path_svg: str
    speed_svg: str


def good(row: ScenarioRow, result: dict[str, Any]) -> bool | None:
    """A score (so on the road, without contact at fault) and no end that counts as a failure.

    None where the drive is not scored.
    """
    if row.score is None:
        return None
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
    return pages.render(
        'report.html.j2',
        summary=summary,
        chapters=chapters,
        silent=not any(d.recording.all(events.Words) for d in directors),
        untold=untold([d.recording for d in directors]),
        timing=apart[len(drawn) :],
        verdict=verdict(chapters),
        colour='good' if all(c.good is not False for c in chapters) else 'bad',
        scripted=is_test_double(summary.model.runtime),
    )


def untold(recordings: Sequence[Recording]) -> list[str]:
    """Drives whose words cannot be held against their recording, so that none is quoted."""
    spoke = (r for r in recordings if r.all(events.Words))
    return [title(r.info) for r in spoke if not WordTruth(r).can_tell]


def verdict(chapters: Sequence[Chapter]) -> str:
    """One sentence for somebody who reads no further."""
    scored = [c.good for c in chapters if c.good is not None]
    metres = sum(c.row.distance_m for c in chapters)
    drives = f'{sum(scored)} of {counted(len(scored), "drive")} went well'
    if rest := len(chapters) - len(scored):
        drives += f', {rest} ended by time and not scored'
    contacts = sum(c.row.collisions_at_fault for c in chapters)
    off_s = sum(c.row.offroad_s for c in chapters)
    return (
        f'{drives}: {metres:.0f} m driven, '
        f'{counted(contacts, "contact") if contacts else "no contact"} at fault, '
        f'{off_s:.1f} s off the road.'
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
    for event in notable(director.recording):
        shown = director.content(event.t0_ns)
        pictures.append(
            Picture(
                source=pages.data_url(dashboard.compose(shown)),
                what=event.what,
                time_s=(event.t0_ns - start_ns) / 1e9,
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
