"""The events of a drive that a person who looks for weaknesses wants to see, worst first."""

from __future__ import annotations

from collections.abc import Iterator

from alpamayo_ros.film.captions import sentence
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports.notable_events import NotableEvent, motion

BEFORE_NS = 1_000_000_000  # before a contact
APART_S = 1.0  # events closer than this are one, with all its reasons
DEGRADED = 3  # Health.state
ERRORS = ('l2_at_3s', 'l2_at_2s', 'l2_at_1s', 'ade')  # the first that was measured says how wrong
COLLISION = 'collision_up_to_'  # and the horizon


def worst(recording: Recording, count: int = 6, end: str = '') -> list[NotableEvent]:
    """Up to ``count`` events in the order of time; ``end``: how a drive ended badly, if it did.

    Collision, bad end, fault, largest error and disagreement of words come before the hardest
    braking, standing and the sharpest bend.
    """
    found: list[NotableEvent] = []
    for event in _ranked(recording, end):
        near = [i for i, f in enumerate(found) if _near(f, event)]
        if near:
            first = found[near[0]]
            found[near[0]] = NotableEvent(first.t0_ns, f'{first.what}; {event.what}')
        elif len(found) < count:
            found.append(event)
    if not found and recording.times_ns:
        found = [NotableEvent(recording.times_ns[len(recording.times_ns) // 2], 'half way')]
    return sorted(found, key=lambda event: event.t0_ns)


def before_contact(recording: Recording, found: list[NotableEvent]) -> list[NotableEvent]:
    """The events with a moment one second before the contact, where none is that near."""
    times = recording.times_ns
    if not times:
        return found
    at_ns = min(times, key=lambda t: abs(t - (recording.end_ns - BEFORE_NS)))
    early = NotableEvent(at_ns, 'one second before the contact')
    far = [e for e in found if abs(e.t0_ns - at_ns) > BEFORE_NS // 4]
    return sorted([*far, early], key=lambda event: event.t0_ns)


def _near(a: NotableEvent, b: NotableEvent) -> bool:
    return abs(a.t0_ns - b.t0_ns) <= APART_S * 1e9


def _ranked(recording: Recording, end: str) -> Iterator[NotableEvent]:
    scores = recording.all(events.Score)
    yield from _collision(scores)
    if end and recording.times_ns:
        yield NotableEvent(recording.end_ns, end)
    yield from _faults(recording)
    yield from _largest_error(scores)
    yield from _disagreement(recording)
    yield from motion(recording)


def _collision(scores: list[events.Score]) -> Iterator[NotableEvent]:
    """The first plan that would touch somebody soonest."""
    found = [
        (float(name.removeprefix(COLLISION).rstrip('s')), score.t0_ns)
        for score in scores
        for name, value in score.metrics.items()
        if name.startswith(COLLISION) and (value or 0.0) > 0
    ]
    if found:
        within_s, t0_ns = min(found)
        yield NotableEvent(
            t0_ns, f'the plan would touch another road user within {within_s:.0f} s'
        )


def _faults(recording: Recording) -> Iterator[NotableEvent]:
    """The first of the worst states with a fault, once a plan was let out."""
    plans = [p.stamp_ns for p in recording.all(events.Plan) if p.source == 0]
    faulty = [
        h
        for h in recording.all(events.Health)
        if h.faults and h.state >= DEGRADED and plans and h.t0_ns > min(plans)
    ]
    if faulty:
        health = max(faulty, key=lambda h: h.state)
        yield NotableEvent(health.t0_ns or health.stamp_ns, sentence(health).rstrip('.'))


def _largest_error(scores: list[events.Score]) -> Iterator[NotableEvent]:
    for name in ERRORS:
        measured = [(value, s.t0_ns) for s in scores if (value := s.metrics.get(name)) is not None]
        if measured:
            value, t0_ns = max(measured)
            after = f' after {name[6:-1]} s' if name.startswith('l2_at_') else ' on average'
            yield NotableEvent(t0_ns, f'largest error of the plan, {value:.1f} m{after}')
            return


def _disagreement(recording: Recording) -> Iterator[NotableEvent]:
    """Where the words and the plan differ most."""
    judged = [(w.agreement, w) for w in recording.all(events.Words) if w.agreement is not None]
    if judged:
        lowest, words = min(judged, key=lambda pair: pair[0])
        if lowest < 1:
            said = words.disagreement.rstrip('.') or f'agreement {lowest:.1f}'
            yield NotableEvent(words.t0_ns, f'words and plan differ: {said}')
