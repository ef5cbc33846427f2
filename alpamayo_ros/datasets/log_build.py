"""A log from sightings of any rate: resampled to 0.1 s, gaps closed or cut, made small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from pydantic import ValidationError

from alpamayo_ros.datasets.log_format import (
    DT_S,
    MAX_STEPS,
    Kind,
    Log,
    LogError,
    Provenance,
    Track,
)
from alpamayo_ros.datasets.log_map import (
    Drawn,
    Light,
    Yielding,
    lines,
    near,
    short,
    signals,
    unplaced,
    yields,
)
from alpamayo_ros.units import counted

GAP_S = 1.1  # closed by interpolation; a longer one cuts the track
AGENT_REACH_M = 200.0
STILL_MPS = 0.3
STANDS_M = 0.1  # who moves less stands in one place
APART_S = 1.0  # places so far apart say how fast somebody went; nearer ones are too noisy
SPEED_SHARE, SPEED_MPS = 1.5, 2.0  # a speed that differs by more than both is another one
ASTRAY_RAD = 0.8  # between heading and way; backwards is no wrong heading


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody as a recording has them: times [s] in order, centres [m], headings [rad].

    ``speed_mps`` None: computed from the places.
    """

    id: str
    kind: Kind
    length_m: float
    width_m: float
    time_s: Float[np.ndarray, ' n']
    xy: Float[np.ndarray, 'n 2']
    heading_rad: Float[np.ndarray, ' n']
    speed_mps: Float[np.ndarray, ' n'] | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """All that a log is made of."""

    name: str
    provenance: Provenance
    ego: Seen
    agents: Sequence[Seen]
    lines: Sequence[Drawn] = ()
    signals: Sequence[Light] = ()
    yields: Sequence[Yielding] = ()


def build(material: Material, extend_s: float = 0.0) -> Log:
    """The log; everybody who is there at the end goes straight on for ``extend_s`` more.

    LogError where the ego's track is too short, too long, or does not fit the format.
    """
    ego, about = material.ego, material.provenance
    if len(ego.time_s) < 2:
        raise LogError(
            f'{material.name}: the ego is seen {counted(len(ego.time_s), "time")}, expected 2'
        )
    _check_heading(ego, material.name)
    ego, *agents = given = [_agreeing(seen) for seen in (ego, *material.agents)]
    other = sum(a is not b for a, b in zip(given, (material.ego, *material.agents), strict=True))
    if other:
        tracks = counted(other, 'track')
        words = f'speeds, {tracks}: from the places, which the recorded ones contradict'
        about = about.model_copy(update={'assumed': (*about.assumed, words)})
    if lost := unplaced(material.lines):
        left = f'{counted(lost, "line")} of the map {"is" if lost == 1 else "are"}'
        words = f'{left} left out: a place that is no finite number'
        about = about.model_copy(update={'assumed': (*about.assumed, words)})
    start_s, end_s = float(ego.time_s[0]), float(ego.time_s[-1])
    if extend_s > 0:
        agents = [_onwards(a, end_s, extend_s) for a in agents]
        ego = _onwards(ego, end_s, extend_s)
        words = f'after {end_s - start_s:.1f} s everybody goes straight on, as fast as then'
        about = about.model_copy(update={'assumed': (*about.assumed, words)})
    steps = int(round((float(ego.time_s[-1]) - start_s) / DT_S, 6)) + 1
    if not 2 <= steps <= MAX_STEPS:
        raise LogError(
            f'{material.name}: {counted(steps, "step")} of 0.1 s; expected 2 to {MAX_STEPS}'
        )
    grid, origin = start_s + np.arange(steps) * DT_S, np.round(ego.xy[0])
    try:
        mine = _tracks(replace(ego, time_s=_closed(ego.time_s)), grid, origin)
        others = [t for a in agents for t in _tracks(a, grid, origin)]
        path = mine[0].states()[:, :2]
        return Log(
            name=material.name,
            provenance=about,
            steps=steps,
            ego=mine[0],
            agents=tuple(t for t in others if near(t.states()[:, :2], path, AGENT_REACH_M)),
            lines=tuple(lines(material.lines, origin, path)),
            signals=tuple(signals(material.signals, origin, path)),
            yields=tuple(yields(material.yields, origin)),
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = '.'.join(str(part) for part in first['loc'])
        raise LogError(f'{material.name}: {where}: {first["msg"]}') from None


def _way(seen: Seen) -> tuple[Float[np.ndarray, 'm 2'], np.ndarray]:
    """Steps of about ``APART_S`` without gaps [m], and the indices where they begin."""
    t = seen.time_s
    ends = np.searchsorted(t, t + APART_S - 1e-6)
    starts = np.nonzero(ends < len(t))[0]
    starts = starts[t[ends[starts]] - t[starts] <= APART_S + GAP_S]
    return seen.xy[ends[starts]] - seen.xy[starts], starts


def _agreeing(seen: Seen) -> Seen:
    """Without speeds that the places contradict in most of the track."""
    if seen.speed_mps is None:
        return seen
    steps, starts = _way(seen)
    if not len(steps):
        return seen
    ends = np.searchsorted(seen.time_s, seen.time_s[starts] + APART_S - 1e-6)
    went = np.hypot(*steps.T) / (seen.time_s[ends] - seen.time_s[starts])
    said = (seen.speed_mps[starts] + seen.speed_mps[ends]) / 2
    low, high = np.minimum(went, said), np.maximum(went, said)
    wrong = (high > SPEED_SHARE * low) & (high - low > SPEED_MPS)
    return replace(seen, speed_mps=None) if np.mean(wrong) > 0.5 else seen


def _check_heading(ego: Seen, name: str) -> None:
    """LogError where the ego heads elsewhere than it goes, as with degrees for radians."""
    steps, starts = _way(ego)
    moves = np.hypot(*steps.T) > SPEED_MPS * APART_S
    if not moves.any():
        return
    course = np.arctan2(steps[moves, 1], steps[moves, 0])
    off = np.abs((ego.heading_rad[starts][moves] - course + np.pi) % (2 * np.pi) - np.pi)
    median = float(np.median(np.minimum(off, np.pi - off)))
    if median > ASTRAY_RAD:
        said = f'the ego heads {np.degrees(median):.0f} degrees off its way'
        raise LogError(f'{name}: {said}; expected its heading along it [rad]')


def _closed(time_s: np.ndarray) -> np.ndarray:
    """The ego's times, if it is there all the time."""
    gap = float(np.diff(time_s).max())
    if gap > GAP_S:
        raise LogError(f'the ego is missing for {gap:.1f} s; expected at most {GAP_S} s')
    return time_s


def _tracks(seen: Seen, grid: np.ndarray, origin: np.ndarray) -> list[Track]:
    """Tracks on the grid; one more after each gap."""
    out = []
    cuts = np.nonzero(np.diff(seen.time_s) > GAP_S)[0] + 1
    for part in np.split(np.arange(len(seen.time_s)), cuts):
        if not len(part):
            continue
        t = seen.time_s[part]
        on = np.nonzero((grid >= t[0] - 1e-6) & (grid <= t[-1] + 1e-6))[0]
        if len(on):
            out.append(_track(seen, part, grid[on], int(on[0]), origin))
    return out


def _track(
    seen: Seen, part: np.ndarray, times: np.ndarray, first: int, origin: np.ndarray
) -> Track:
    t, xy = seen.time_s[part], seen.xy[part] - origin
    x, y = (np.interp(times, t, xy[:, k]) for k in (0, 1))
    heading = np.interp(times, t, np.unwrap(seen.heading_rad[part]))
    if seen.speed_mps is not None:
        speed = np.interp(times, t, seen.speed_mps[part])
    elif len(times) > 1:
        speed = np.hypot(np.gradient(x, times), np.gradient(y, times))
        speed[speed < STILL_MPS] = 0.0
    else:
        speed = np.zeros(1)
    stands = 1
    if len(times) > 1 and np.hypot(x - x[0], y - y[0]).max() < STANDS_M:
        stands, speed = len(times), np.zeros(1)
        x, y, heading = (np.median(v)[None] for v in (x, y, heading))
    return Track(
        id=seen.id[:80],
        kind=seen.kind,
        length_m=round(seen.length_m, 2),
        width_m=round(seen.width_m, 2),
        first=first,
        stands=stands,
        x_m=short(x),
        y_m=short(y),
        heading_rad=short(heading, 4),
        speed_mps=short(np.abs(speed)),
    )


def _onwards(seen: Seen, end_s: float, more_s: float) -> Seen:
    """With one more sighting ``more_s`` after the end, if it is there at the end."""
    t = seen.time_s
    if len(t) < 2 or t[-1] < end_s - DT_S:
        return seen
    k = int(np.searchsorted(t, t[-1] - 0.5)) if t[-1] - t[0] > 0.5 else 0
    velocity = (seen.xy[-1] - seen.xy[k]) / (t[-1] - t[k])
    if np.hypot(*velocity) < STILL_MPS:
        velocity = np.zeros(2)
    more = np.arange(DT_S, more_s + DT_S / 2, DT_S)
    speed = seen.speed_mps
    return replace(
        seen,
        time_s=np.concatenate([t, t[-1] + more]),
        xy=np.concatenate([seen.xy, seen.xy[-1] + more[:, None] * velocity]),
        heading_rad=np.concatenate([seen.heading_rad, np.full(len(more), seen.heading_rad[-1])]),
        speed_mps=None
        if speed is None
        else np.concatenate([speed, np.full(len(more), float(np.hypot(*velocity)))]),
    )
