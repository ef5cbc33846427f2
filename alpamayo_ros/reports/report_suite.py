"""report.html of a suite: the score, family by family, and the worst drives with their pictures.

``report`` is what ``alpamayo sim --suite --json`` writes.  A drive's folder lies two levels below
the page, as in ``runs/cut_in_close_0/``; its film is linked where it is there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpamayo_ros.metrics import Definition
from alpamayo_ros.metrics.suite_figures import FIGURES
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports import pages, plots, plots_replay, plots_suite, report_tables
from alpamayo_ros.reports.recorded_road import road_of
from alpamayo_ros.reports.report import BAD_ENDS, ENDS
from alpamayo_ros.reports.shots import Shot, rig_of, shots
from alpamayo_ros.reports.suite_against import against
from alpamayo_ros.reports.suite_drives import LABELS, ORDERS, Line, lines, unmatched
from alpamayo_ros.reports.worst import before_contact, worst
from alpamayo_ros.units import counted

FILM = 'drive.mp4'
PAGE = 'drive.html'
EVENTS, EVENTS_ALONE = 2, 6  # of each drive that is shown, and on a page of its own
TRUTHFUL = ('expert',)  # planners that are told the truth
Report = Mapping[str, Any]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval as it is shown; ``why``: why there is none."""

    definition: Definition
    label: str
    value: str
    interval: str
    why: str


@dataclass(frozen=True, slots=True)
class Drive:
    """One drive in the page; ``film`` is a relative link, '' where there is none."""

    title: str
    row: Row
    said: str
    film: str
    plots: list[str]
    events: list[Shot]


def page(
    report: Report, recordings: Sequence[tuple[Row, Recording]], before: Report | None = None
) -> str:
    """The whole page; ``recordings``: drives to show, worst first, each with its row.

    ``before``: the same suite with another model, shown beside it.
    """
    drawn = [plots_suite.family_plot(report['families'], report)]
    for _, recording in recordings:
        drawn += [
            plots_replay.paths_plot(recording, road_of(recording)),
            plots.speed_plot(recording),
        ]
    apart = plots.svg_ids_apart(drawn)
    beside = None if before is None else against(before, report)
    rows = _lines(report, recordings, before if beside and beside.same_runs else None)
    return pages.render(
        'report_suite.html.j2',
        title=f'Suite {Path(report["suite"]).name}' if report.get('suite') else 'Suite',
        about=about(report),
        verdict=verdict(report),
        colour=colour(report),
        notes=notes(report),
        figures=figures(report),
        families=families(report),
        family_plot=apart[0],
        ends=ends(report['rows']),
        drives=[
            _drive(row, recording, apart[2 * i + 1 : 2 * i + 3])
            for i, (row, recording) in enumerate(recordings)
        ],
        lines=rows,
        unmatched=unmatched(rows),
        orders={name: LABELS.get(name, report_tables.label(name)) for name in ORDERS},
        against=beside,
        identity=report_tables.flat(
            {name: report.get(name) for name in ('planner', 'task', 'seeds', 'code_sha256')}
        ),
    )


def drive_page(row: Row, recording: Recording) -> str:
    """The page of one drive, for the folder of its recording."""
    paths = plots_replay.paths_plot(recording, road_of(recording))
    drawn = plots.svg_ids_apart([paths, plots.speed_plot(recording)])
    drive = _drive(row, recording, drawn, EVENTS_ALONE)
    return pages.render(
        'report_drive.html.j2',
        drive=drive,
        film=FILM if drive.film else '',
        verdict=f'The car {end_of(row)}.',
        colour='good' if row['right'] else 'bad',
        facts=report_tables.flat({k: v for k, v in row.items() if k not in ('name', 'seed')}),
    )


def _lines(
    report: Report, recordings: Sequence[tuple[Row, Recording]], before: Report | None
) -> list[Line]:
    """The table of all drives; those that were recorded are linked to their pages."""
    places = {(row['name'], row['seed']): i for i, row in enumerate(report['rows'])}
    links = {
        places[row['name'], row['seed']]: '/'.join((*r.folder.parts[-2:], PAGE))
        for row, r in recordings
        if (r.folder / PAGE).is_file()
    }
    rows, said = report['rows'], [end_of(row) for row in report['rows']]
    return lines(rows, said, links, None if before is None else before['rows'])


def verdict(report: Report) -> str:
    """One sentence for somebody who reads no further."""
    runs, bad = report['runs'], report['incidents']
    start = '' if _whole(report) else 'Incomplete: '
    if not runs:
        return f'{start}No drive was finished.'
    what = f'{bad or "none"} of {runs} drives ended with a contact at fault or off the road'
    if runs == 1:
        ended = 'with' if bad else 'neither with', 'or' if bad else 'nor'
        what = f'the one drive ended {ended[0]} a contact at fault {ended[1]} off the road'
    score = figure_of(report, 'drive_score')
    return f'{start}{what}; drive score {score.value}{_of(score)}.'


def colour(report: Report) -> str:
    """Class of the verdict: bad with an incident, good where every drive went right."""
    if not report['runs'] or report['incidents']:
        return 'bad'
    right = report.get('right_share')
    return 'good' if _whole(report) and (right is None or right == 1) else 'warn'


def about(report: Report) -> str:
    """What was driven, in a line."""
    families = len(report['families'])
    return (
        f'{counted(report["runs"], "drive")} of {counted(report["templates"], "template")} in '
        f'{counted(families, "family", "families")}, {pages.figure(report["distance_km"])} km, '
        f'planned by {report["planner"]["name"]}.'
    )


def notes(report: Report) -> list[str]:
    """What a reader has to know before believing a figure."""
    out = []
    if report.get('limit'):
        runs = 'run' if report['limit'] == 1 else f'{report["limit"]} runs'
        out.append(f'The figures are those of the first {runs} (--limit), not those of the suite.')
    if not report.get('complete', True):
        out.append('Not all drives were finished: the figures are about those that were.')
    if report['planner']['name'] in TRUTHFUL:
        out.append('The planner is told the truth of the simulator: this is not about a model.')
    if report['task'].get('objects') == 'truth':
        out.append('The safety part was told the truth about other road users (--objects truth).')
    if report['task'].get('ablate'):
        out.append(f'The model was deprived on purpose: {report["task"]["ablate"]}.')
    return out


def figures(report: Report) -> list[Figure]:
    """Every figure of the suite with its interval."""
    return [figure_of(report, name) for name in FIGURES if name in report]


def figure_of(part: Report, name: str) -> Figure:
    """One figure of the suite or of a family."""
    definition = FIGURES[name]
    value, ends = part[name], part.get(f'{name}_ci95')
    why = '' if value is not None else str(part.get(f'{name}_note') or 'nothing to count')
    return Figure(
        definition=definition,
        label=report_tables.label(name),
        value=report_tables.shown(value, definition.unit),
        interval=''
        if ends is None or value is None
        else ' to '.join(
            'unbounded' if end is None else report_tables.shown(end, definition.unit)
            for end in ends
        ),
        why=why,
    )


def families(report: Report) -> list[tuple[str, Mapping[str, Any], dict[str, Figure]]]:
    """Name, counts and figures of each family, the lowest drive score first."""
    found = report['families']
    order = sorted(found, key=lambda name: (found[name]['drive_score'] or 0.0, name))
    names = [name for name in FIGURES if name in report]
    return [
        (report_tables.label(f), found[f], {n: figure_of(found[f], n) for n in names})
        for f in order
    ]


def ends(rows: Sequence[Row]) -> list[tuple[str, int, bool]]:
    """How drives ended: in words, how often, whether that is a good end."""
    said = {**ENDS, 'collision': 'made contact'}
    counts = Counter(row['end'] for row in rows)
    return [
        (said.get(end, end), count, end not in BAD_ENDS) for end, count in counts.most_common()
    ]


def end_of(row: Row) -> str:
    """How one drive ended, in words."""
    contact = str(row.get('contact') or '')
    if row['end'] == 'collision' and contact:
        return f'made contact ({report_tables.label(contact)})'
    return ENDS.get(row['end'], str(row['end']))


def _whole(report: Report) -> bool:
    return bool(report.get('complete', True)) and not report.get('limit')


def _of(figure: Figure) -> str:
    return f' (95 %: {figure.interval})' if figure.interval else ''


def _drive(row: Row, recording: Recording, drawn: list[str], count: int = EVENTS) -> Drive:
    """A drive with its plots and its worst moments; a contact is shown a second before it too."""
    bad = end_of(row) if row['end'] in BAD_ENDS else ''
    found = worst(recording, count, bad)
    if row['end'] == 'collision':
        found = before_contact(recording, found)
    film = recording.folder / FILM
    about = recording.info.description.rstrip('.')
    return Drive(
        title=f'{report_tables.label(row["name"])}, seed {row["seed"]}',
        row=row,
        said=f'{about[:1].upper()}{about[1:]}. The car {end_of(row)} after '
        f'{row["distance_m"]:.0f} m and {row["duration_s"]:.1f} s.',
        film='/'.join(film.parts[-3:]) if film.is_file() else '',
        plots=drawn,
        events=shots(recording, rig_of(recording), found, road_of(recording)),
    )
