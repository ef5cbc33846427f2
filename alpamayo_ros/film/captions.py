"""Title, state and words of a film in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from alpamayo_ros.film.dashboard import PARTS, STATES
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording, RunInfo


def split(text: str) -> dict[str, str]:
    """The parts of a text with one line a part, ``name: words``; what is missing is ''."""
    lines = dict(line.partition(':')[::2] for line in text.splitlines())
    return {name: lines.get(name, '').strip() for name in PARTS}


def sentence(health: events.Health | None) -> str:
    """The first fault in a sentence, or the reason of a state that is not healthy.

    Of the fault's message only the first sentence: figures and remedies are left to the log.
    """
    if health is None:
        return ''
    if health.faults:
        said = health.messages[0].partition('. ')[0].rstrip('.') + '.' if health.messages else ''
        return said if said.startswith(health.faults[0]) else f'{health.faults[0]}: {said}'
    return '' if STATES[health.state] in ('READY', 'ACTIVE') else health.reason


def title(info: RunInfo) -> str:
    """A scenario as words, or the name of a recording as it is."""
    words = info.scenario.replace('_', ' ').capitalize()
    return words if info.origin == 'simulator' else info.scenario


def origin(info: RunInfo) -> str:
    """Where a run comes from, in a few words."""
    if info.origin != 'simulator':
        return 'on a vehicle' if info.origin == 'vehicle' else 'recorded drive, open loop'
    return f'seed {info.seed}  ·  {"lockstep" if info.mode == "lockstep" else "free-running"}'


def runtime_label(name: str, profile: str) -> str:
    """How model and runtime are called on screen; a test double is named as one."""
    if name == 'none':
        return 'no model'
    return (
        'scripted (test double, not a model)'
        if name == 'scripted'
        else f'{profile or "unnamed model"} · {name}'
    )


def after_contact(contact: events.Contact) -> str:
    """What a film says from a contact on."""
    what = contact.what.replace('_', ' ')
    return f'contact{f" ({what})" if what else ""}: nobody plans any more, the car brakes'


def texts(recording: Recording) -> Iterator[str]:
    """Whatever a film may write that comes from outside of this package."""
    yield from (recording.info.scenario, recording.info.description, *recording.cameras)
    yield from (c.text for c in recording.all(events.Candidates))
    yield from (sentence(h) for h in recording.all(events.Health))
    for words in recording.all(events.Words):
        yield from (getattr(words, name) for name in PARTS)
