"""The events of a drive that are worth a picture, found in its motion and its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording, newest

STANDING_MPS, MOVING_MPS = 0.1, 1.0  # standing counts once the car has moved
BRAKING_MPS2, BEND_RPS = -0.8, 0.12  # milder than this is not worth a picture
SMOOTH_S = 0.5
APART_S = 2.0  # between two events of one drive
ACTIVE, FALLBACK = 2, 4  # states of ``Health``


@dataclass(frozen=True, slots=True)
class NotableEvent:
    """An instant and what makes it notable."""

    t0_ns: int
    what: str


def notable(recording: Recording, count: int = 2) -> list[NotableEvent]:
    """Up to ``count`` events, in the order of time."""
    return sorted(ranked(recording, count), key=lambda event: event.t0_ns)


def ranked(recording: Recording, count: int) -> list[NotableEvent]:
    """Up to ``count`` events: a fault before hardest braking, standing and the sharpest bend."""
    found: list[NotableEvent] = []
    for event in (*_faults(recording), *motion(recording)):
        apart = all(abs(event.t0_ns - f.t0_ns) > APART_S * 1e9 for f in found)
        if apart and len(found) < count:
            found.append(event)
    if not found and recording.times_ns:
        found = [NotableEvent(recording.times_ns[len(recording.times_ns) // 2], 'half way')]
    return found


def notable_words(
    recording: Recording, count: int, holds: Callable[[events.Words], bool] = lambda words: True
) -> list[events.Words]:
    """Words said at notable events first, then words that differ from those.

    Only words that ``holds`` lets through.
    """
    said = sorted(filter(holds, recording.all(events.Words)), key=lambda w: w.t0_ns)
    keys = [w.t0_ns for w in said]
    chosen = [newest(said, keys, m.t0_ns) for m in ranked(recording, count)]
    out: list[events.Words] = []
    for words in (*chosen, *said):
        if words is not None and words.perception and words.rationale not in {
            w.rationale for w in out
        }:  # fmt: skip
            out.append(words)
    return out[:count]


def _faults(recording: Recording) -> list[NotableEvent]:
    """The first FALLBACK or FAULT after the first ACTIVE."""
    was_active = False
    for health in recording.all(events.Health):
        was_active |= health.state == ACTIVE
        if was_active and health.state >= FALLBACK:
            return [NotableEvent(health.t0_ns or health.stamp_ns, health.reason)]
    return []


def motion(recording: Recording) -> list[NotableEvent]:
    """Hardest braking, standing and the sharpest bend, as far as there were any.

    Before the driver has begun the car is held by somebody else.
    """
    table = recording.ego
    if len(table) < 10 or not recording.times_ns:
        return []
    begun = (h.stamp_ns for h in recording.all(events.Health) if h.state == ACTIVE)
    first_ns = max(next(begun, 0), recording.times_ns[0])
    start_s, end_s = first_ns / 1e9 + 1.0, recording.end_ns / 1e9
    time_s = np.arange(start_s, end_s, 0.1)
    if len(time_s) < 10:
        return []
    speed = np.interp(time_s, table[:, 0], table[:, 4])
    yaw = np.interp(time_s, table[:, 0], table[:, 5])
    window = np.ones(round(SMOOTH_S / 0.1)) / round(SMOOTH_S / 0.1)
    acceleration = np.convolve(np.gradient(speed, 0.1), window, 'same')
    acceleration[:3], acceleration[-3:] = 0.0, 0.0
    out = []
    braking, bend = int(acceleration.argmin()), int(np.abs(yaw).argmax())
    has_driven = np.maximum.accumulate(speed) > MOVING_MPS
    standing = np.flatnonzero((speed < STANDING_MPS) & has_driven)
    if acceleration[braking] < BRAKING_MPS2:
        text = f'hardest braking, {acceleration[braking]:.1f} m/s²'
        out.append(NotableEvent(round(time_s[braking] * 1e9), text))
    if len(standing):
        out.append(NotableEvent(round(time_s[standing[len(standing) // 2]] * 1e9), 'standing'))
    if abs(yaw[bend]) > BEND_RPS:
        side = 'left' if yaw[bend] > 0 else 'right'
        text = f'sharpest bend, to the {side} at {speed[bend]:.1f} m/s'
        out.append(NotableEvent(round(time_s[bend] * 1e9), text))
    return out
