"""The moments of a drive that a person who looks for weaknesses wants to see, worst first."""

from __future__ import annotations

from collections.abc import Iterator

from alpamayo_ros.film.video import sentence
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports.moments import Notable, motion

APART_S = 1.0  # moments closer than this are one, with all its reasons
DEGRADED = 3  # Health.state
ERRORS = ('l2_at_3s', 'l2_at_2s', 'l2_at_1s', 'ade')  # the first that was measured says how wrong
COLLISION = 'collision_up_to_'  # and the horizon


def worst(recording: Recording, count: int = 6, end: str = '') -> list[Notable]:
    """Up to ``count`` moments in the order of time; ``end``: how a drive ended badly, if it did.

    Collision, bad end, fault, largest error and disagreement of words come before the hardest
    braking, standing and the sharpest bend.
    """
    found: list[Notable] = []
    for moment in _ranked(recording, end):
        near = [i for i, f in enumerate(found) if _near(f, moment)]
        if near:
            first = found[near[0]]
            found[near[0]] = Notable(first.t0_ns, f'{first.what}; {moment.what}')
        elif len(found) < count:
            found.append(moment)
    if not found and recording.times_ns:
        found = [Notable(recording.times_ns[len(recording.times_ns) // 2], 'half way')]
    return sorted(found, key=lambda moment: moment.t0_ns)


def _near(a: Notable, b: Notable) -> bool:
    return abs(a.t0_ns - b.t0_ns) <= APART_S * 1e9


def _ranked(recording: Recording, end: str) -> Iterator[Notable]:
    scores = recording.all(events.Score)
    yield from _collision(scores)
    if end and recording.times_ns:
        yield Notable(recording.times_ns[-1], end)
    yield from _faults(recording)
    yield from _largest_error(scores)
    yield from _disagreement(recording)
    yield from motion(recording)


def _collision(scores: list[events.Score]) -> Iterator[Notable]:
    """The first plan that would touch somebody soonest."""
    found = [
        (float(name.removeprefix(COLLISION).rstrip('s')), score.t0_ns)
        for score in scores
        for name, value in score.metrics.items()
        if name.startswith(COLLISION) and (value or 0.0) > 0
    ]
    if found:
        within_s, t0_ns = min(found)
        yield Notable(t0_ns, f'the plan would touch another road user within {within_s:.0f} s')


def _faults(recording: Recording) -> Iterator[Notable]:
    """The first of the worst states with a fault, once a plan was let out."""
    plans = [p.stamp_ns for p in recording.all(events.Plan) if p.source == 0]
    faulty = [
        h
        for h in recording.all(events.Health)
        if h.faults and h.state >= DEGRADED and plans and h.t0_ns > min(plans)
    ]
    if faulty:
        health = max(faulty, key=lambda h: h.state)
        yield Notable(health.t0_ns or health.stamp_ns, sentence(health).rstrip('.'))


def _largest_error(scores: list[events.Score]) -> Iterator[Notable]:
    for name in ERRORS:
        measured = [(value, s.t0_ns) for s in scores if (value := s.metrics.get(name)) is not None]
        if measured:
            value, t0_ns = max(measured)
            after = f' after {name[6:-1]} s' if name.startswith('l2_at_') else ' on average'
            yield Notable(t0_ns, f'largest error of the plan, {value:.1f} m{after}')
            return


def _disagreement(recording: Recording) -> Iterator[Notable]:
    """Where the words and the plan differ most."""
    judged = [(w.agreement, w) for w in recording.all(events.Words) if w.agreement is not None]
    if judged:
        lowest, words = min(judged, key=lambda pair: pair[0])
        if lowest < 1:
            said = words.disagreement.rstrip('.') or f'agreement {lowest:.1f}'
            yield Notable(words.t0_ns, f'words and plan differ: {said}')
