"""``alpamayo replay`` of an incident: its decisions taken again, and the page that tells of it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import typer

from alpamayo_ros.cli.common.refusing import whoever_reads
from alpamayo_ros.statuses import Status

if TYPE_CHECKING:
    from alpamayo_ros.incident.story import Story


def is_incident(bag: Path) -> bool:
    """Whether a recording was written by the incident recorder."""
    from alpamayo_ros.incident import file

    return file.is_incident(bag)


def replay(bag: Path, out: Path, as_json: bool) -> int:
    """Take the decisions again and write the page; the exit status."""
    from alpamayo_ros.bags.whole_file import write_whole
    from alpamayo_ros.incident import file
    from alpamayo_ros.incident.reproduce import reproduce, tally
    from alpamayo_ros.incident.story import Story
    from alpamayo_ros.reports import report_incident

    incident = file.read(bag)
    try:
        again = list(reproduce(incident.records))
    except ValueError as error:
        typer.echo(f'alpamayo replay: {bag}: {error}; the file is not from this program', err=True)
        return Status.USAGE
    out.mkdir(parents=True, exist_ok=True)
    page = write_whole(out / report_incident.NAME, report_incident.page(incident, again))
    counts, story = tally(again), Story(incident, again)
    with whoever_reads():
        if as_json:
            said = {**asdict(counts), 'unread': len(incident.unread)}
            typer.echo(json.dumps({'file': str(bag), 'decisions': said, **told(story)}, indent=1))
        else:
            _show(story)
            typer.echo(report_incident.sentence(counts, incident))
            for note in report_incident.notes(replace(incident, fault=None), counts):
                typer.echo(f'note: {ascii_only(note)}')
            typer.echo(f'the story: {page}')
            more = f'alpamayo replay {quote(str(bag))} --runtime onnx'
            typer.echo(f'plan along its pictures: {more}')
    if incident.fault is not None:
        text = f'{bag}: this incident is cut off or damaged, its beginning is told'
        typer.echo(f'alpamayo replay: {text}: {incident.fault}', err=True)
        return Status.DAMAGED
    return Status.PASS if counts.whole and not incident.unread else Status.FAIL


def told(story: Story) -> dict[str, Any]:
    """Events and changes of the state, as ``--json`` prints them; times from the event on."""
    return {
        'events': [{'what': e.what, 'reason': e.reason, 'at_s': round(story.seconds(e.time_ns), 3)}
                   for e in story.incident.events],
        'changes': [{'at_s': round(c.at_s, 3), 'from': c.before.name, 'to': c.after.name,
                     'reason': c.reason, 'faults': list(c.faults)} for c in story.changes],
        'machine': story.incident.about.get('machine', ''),
    }  # fmt: skip


def _show(story: Story) -> None:
    """A line for each change of the state, and the sentence about the whole."""
    from alpamayo_ros.reports import report_incident

    for change in story.changes:
        line = f'{change.at_s:+8.2f} s  {change.before.name} -> {change.after.name}'
        typer.echo(ascii_only(f'{line}: {change.reason}'))
    typer.echo(ascii_only(report_incident.verdict(story)))


def ascii_only(text: str) -> str:
    """A text of a file as a terminal may see it: no control characters."""
    shown = text.encode('ascii', 'backslashreplace').decode('ascii')
    return ''.join(c if c.isprintable() else repr(c)[1:-1] for c in shown)
