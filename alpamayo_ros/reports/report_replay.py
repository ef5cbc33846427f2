"""report.html of a replay: how the model planned along a recorded drive, and where it was wrong.

``summary`` is what summary.json of the replay holds; the recording is the folder beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alpamayo_ros.film.top_view import Road
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.replay.replay_figures import DEFINITIONS
from alpamayo_ros.reports import pages, plots, plots_replay, report_tables
from alpamayo_ros.reports.minutes import minutes
from alpamayo_ros.reports.recorded_road import road_of
from alpamayo_ros.reports.shots import Shot, rig_of, shots
from alpamayo_ros.reports.worst import worst
from alpamayo_ros.units import counted

COLOURS = {'pass': 'good', 'fail': 'bad', 'not evaluable': 'warn'}
FILES = {
    'summary.json': 'the figures',
    'plans.mcap': 'plans and words for RViz and Foxglove',
    'recording/': 'every event and picture',
}
FILM = 'drive.mp4'
EVENTS = 6
NO_MODEL = 'none'  # the runtime that is none
COUNTS = ('timesteps', 'pictures', 'proposals', 'plans', 'stops', 'refusals')


def page(summary: dict[str, Any], recording: Recording) -> str:
    """The whole page, to be written beside the recording's folder."""
    groups = report_tables.grouped(summary['metrics'], DEFINITIONS)
    rig, road = rig_of(recording), road_of(recording)
    placed = bool(recording.times_ns) and len(recording.ego) > 0
    found = worst(recording, EVENTS) if placed else []
    pictured = shots(recording, rig, found, road)
    drawn = _drive(recording, road) if placed else []
    drawn += _times(summary, recording)
    compared, by_minute = minutes(recording)
    here = recording.folder.parent
    return pages.render(
        'report_replay.html.j2',
        title=title(summary),
        about=about(summary, recording),
        verdict=verdict(summary),
        colour=colour(summary),
        tiles=tiles(summary['counts']),
        pace=pace(summary['timing']),
        groups=groups,
        measured=any(group.rows for group in groups),
        defined=[row for group in groups for row in (*group.rows, *group.empty)],
        missing=report_tables.missing(groups),
        faults=report_tables.faults(summary['faults']),
        waited=waited(summary['counts']),
        plots=plots.svg_ids_apart([p for p in drawn if p]),
        events=pictured,
        compared=report_tables.label(compared),
        minutes=by_minute,
        planned=bool(recording.all(events.Plan)),
        lacks=summary['lacks'],
        notes=notes(summary, recording, pictured, rig is None),
        film=FILM if (here / FILM).is_file() else '',
        files={name: what for name, what in FILES.items() if (here / name).exists()},
        identity=report_tables.flat({**summary['identity'], 'counts': summary['counts']}),
    )


def verdict(summary: Mapping[str, Any]) -> str:
    """One sentence for somebody who reads no further."""
    return ('' if summary['complete'] else 'Incomplete: ') + str(summary['sentence'])


def others(summary: Mapping[str, Any]) -> list[str]:
    """Further causes of missing plans, beside the one in the verdict; none where it is pass."""
    if summary['verdict'] == 'pass':
        return []
    of = summary['counts'].get('timesteps')
    return [
        f'Also: {c["text"]} ({c["timesteps"]} of {of} timesteps)' for c in summary['causes'][1:]
    ]


def colour(summary: Mapping[str, Any]) -> str:
    """Class of the verdict; a good one of a part is only that."""
    found = COLOURS[summary['verdict']]
    return 'warn' if found == 'good' and not summary['complete'] else found


def title(summary: Mapping[str, Any]) -> str:
    """What was replayed."""
    return f'Replay of {summary["identity"]["bag"]["name"]}'


def about(summary: Mapping[str, Any], recording: Recording) -> str:
    """What was replayed with what, in a line."""
    info, model = recording.info, summary['identity']['model']
    seconds = 0.0
    if recording.times_ns:
        seconds = (recording.times_ns[-1] - recording.times_ns[0]) / 1e9
    cameras = {i.camera for i in recording.all(events.Image)}
    eyes = 'no picture kept' if summary['counts'].get('pictures') else 'no camera'
    if cameras:
        eyes = counted(len(cameras), 'camera')
    kind = 'A converted recording' if info.origin == 'converted' else 'A recording'
    driver = f'for {model["profile"]} ({model["runtime"]})'
    if model['runtime'] == NO_MODEL:
        driver = 'without a model'
    return f'{kind} of {seconds:.1f} s, {eyes}, rig {info.rig}, {driver}.'


def tiles(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """The counts that matter most, as value and label."""
    return [
        (pages.figure(counts[name]), report_tables.label(name))
        for name in COUNTS
        if name in counts
    ]


def waited(counts: Mapping[str, int]) -> str:
    """Why refusals have no fault in the table; '' where all have one."""
    count = counts.get('refusals_before_begin', 0)
    if not count:
        return ''
    verb = 'is' if count == 1 else 'are'
    return (
        f'{count} of the {counted(counts["refusals"], "refusal")} {verb} no fault: the model '
        'proposed, but the driver had not begun. All inputs have to be valid for init_valid_s of '
        'the limits first.'
    )


def pace(timing: Mapping[str, Any]) -> str:
    """How fast the replay was, '' where that was not measured."""
    if not timing.get('times_real_time'):
        return ''
    return (
        f'Replayed {timing["recorded_s"]:.1f} s in {timing["wall_s"]:.1f} s, '
        f'{timing["times_real_time"]} times real time.'
    )


def notes(
    summary: Mapping[str, Any], recording: Recording, pictured: Sequence[Shot], no_rig: bool
) -> list[str]:
    """What a reader has to know before believing a figure."""
    out = []
    if not summary['complete']:
        out.append(
            'This is not the whole recording: every figure below is about the part that could be '
            f'replayed. {summary["broken"]}'.strip()
        )
    out += [*others(summary), *map(str, summary['notes'])]
    if not recording.all(events.Image) and summary['counts'].get('pictures'):
        out.append('No picture was kept (none of a complete set): this page has no frames.')
    elif not recording.all(events.Image):
        out.append('The recording holds no pictures: this page has no frames.')
    elif no_rig:
        out.append(
            f'The rig file {recording.info.rig} is not here: frames are shown without the plan. '
            'Replay again with --rig.'
        )
    elif not any(m.picture for m in pictured):
        out.append('No camera of the rig has a picture at the moments below.')
    if not len(recording.ego):
        out.append('The recording holds no odometry: nobody can say where the car was.')
    if not recording.all(events.Candidates):
        out.append('No model took part: there are no plans, only what was recorded.')
    return out


def _drive(recording: Recording, road: Road | None) -> list[str]:
    return [
        plots_replay.paths_plot(recording, road),
        plots.speed_plot(recording),
        plots_replay.error_plot(recording),
    ]


def _times(summary: Mapping[str, Any], recording: Recording) -> list[str]:
    stages = summary['timing'].get('stage_ms') or {}
    return [
        plots_replay.cycle_plot(recording),
        plots.stage_plot(stages, 'mean a timestep [ms]') if stages else '',
    ]
