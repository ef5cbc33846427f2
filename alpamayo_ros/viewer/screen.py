"""Events, as a recording or a running graph has them, on the page of the viewer.

One timeline, ``drive``: seconds since the first event.  A graph that comes back with its clock at
the beginning goes on behind what was shown, so that a page that follows shows it.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from alpamayo_ros import palette
from alpamayo_ros.film.captions import split
from alpamayo_ros.film.dashboard import PARTS, STATES
from alpamayo_ros.film.director import STOP_SOURCES
from alpamayo_ros.film.top_view import arc_length, to_base
from alpamayo_ros.recording import events
from alpamayo_ros.recording.timeline import when
from alpamayo_ros.sensing.projection import on_ground, project
from alpamayo_ros.sensing.rig import RigCamera
from alpamayo_ros.viewer import view_scene as scene
from alpamayo_ros.viewer.layout import AHEAD_M, TIMELINE
from alpamayo_ros.viewer.view_scene import State, Strips, above

REDRAW_NS = 100_000_000
BACK_NS = 2_000_000_000  # odometry that is so much older is of another drive
PAUSE_NS = 1_000_000_000  # from one drive to the next on the timeline
TICKS_M = range(10, int(AHEAD_M), 10)
LEVELS = ('INFO', 'INFO', 'INFO', 'WARN', 'ERROR', 'CRITICAL')  # of each state


class Screen:
    """Logs to ``stream``, a RecordingStream of the module ``rerun``."""

    def __init__(
        self, rerun: Any, stream: Any, state: State, cameras: Mapping[str, RigCamera]
    ) -> None:
        """``cameras``: of the rig, to draw the plan into the picture that looks ahead."""
        self._rr, self._out, self.state = rerun, stream, state
        self._ahead = min(cameras.values(), key=lambda c: abs(c.mount.yaw_rad), default=None)
        self._size: tuple[int, int] | None = None
        self._start_ns: int | None = None
        self._last_ns = 0  # newest odometry
        self._drawn_ns = -REDRAW_NS
        self._seen_ns: dict[str, int] = {}
        self._said: tuple[int, str] = (-1, '')
        self._words: dict[str, str] = {}
        self._still()

    def take(self, event: events.Event) -> None:
        """Show what an event says, at its time."""
        if isinstance(event, events.Ego):
            self._follow(event.stamp_ns)
        self.state.take(event)
        if isinstance(event, events.Route):
            return
        if isinstance(event, events.Plan) and event.topic != 'trajectory':
            return  # the same plan again, as the controller gets it
        now_ns = self._at(when(event))
        if isinstance(event, events.Ego):
            self._seen_ns['odometry'] = now_ns
            self._number('speed/driven', event.speed_mps)
        elif isinstance(event, events.Plan):
            self._plan(event)
        elif isinstance(event, events.Candidates) and event.text:
            self._words = self._words or split(event.text)
        elif isinstance(event, events.Timing):
            self._number('ages/cycle', event.wall_ms)
        elif isinstance(event, events.Words):
            self._words = {name: getattr(event, name) for name in PARTS}
        elif isinstance(event, events.Health):
            self._health(event, now_ns)
        planned = isinstance(event, (events.Candidates, events.Plan))
        if planned or now_ns - self._drawn_ns >= REDRAW_NS:
            self._draw(now_ns)

    def picture(self, camera: str, stamp_ns: int, data: bytes) -> None:
        """Show a compressed picture; its bytes are passed on as they are."""
        now_ns = self._at(stamp_ns)
        kind = 'image/png' if data.startswith(b'\x89PNG') else 'image/jpeg'
        self._log(f'camera/{camera}', self._rr.EncodedImage(contents=data, media_type=kind))
        if self._ahead is not None and camera == self._ahead.name:
            self._seen_ns['picture'] = now_ns
            if self._size is None:
                self._size = PillowImage.open(io.BytesIO(data)).size

    def silent(self, text: str) -> None:
        """Say that the driver says nothing any more, and show no plan of it."""
        self._at(self._last_ns)
        self._log('words', self._rr.TextDocument(f'SILENT  {text}'))
        self._log('log', self._rr.TextLog(f'SILENT: {text}', level='ERROR'))
        self._forget()

    def _forget(self) -> None:
        """Take away what the driver said."""
        self._said, self._words = (-1, ''), {}
        self.state.plan = self.state.candidates = None
        if self._ahead is not None:
            self._strips(f'camera/{self._ahead.name}/plan', Strips([], []), 1.0)
        self._draw(self._last_ns)

    def _follow(self, stamp_ns: int) -> None:
        """Begin again, behind what was shown, where the clock of a graph begins again."""
        if self._start_ns is not None and stamp_ns < self._last_ns - BACK_NS:
            self._start_ns -= self._last_ns - stamp_ns + PAUSE_NS
            self._last_ns = stamp_ns
            self._at(stamp_ns)
            self.state.driven, self._seen_ns = [], {}
            self._forget()
        self._last_ns = max(self._last_ns, stamp_ns)

    def note(self, text: str) -> None:
        """Say something where the words stand, for the whole drive."""
        self._log('words', self._rr.TextDocument(text), static=True)

    def _at(self, time_ns: int) -> int:
        """Set the time of what is logged next; 0, of a graph without a clock, is no time."""
        time_ns = time_ns or self._last_ns
        if self._start_ns is None and time_ns:
            self._start_ns = time_ns
        self._out.set_time(TIMELINE, duration=(time_ns - (self._start_ns or 0)) / 1e9)
        return time_ns

    def _log(self, path: str, shown: Any, static: bool = False) -> None:
        self._out.log(path, shown, static=static)

    def _number(self, path: str, value: float | None) -> None:
        if value is not None and math.isfinite(value):
            self._log(path, self._rr.Scalars(float(value)))

    def _strips(self, path: str, strips: Strips, radius_m: float, static: bool = False) -> None:
        shown = self._rr.LineStrips2D(
            strips.lines,
            colors=strips.colours,
            radii=[radius_m] * len(strips.lines),
            labels=strips.labels or None,
        )
        self._log(path, shown, static)

    def _still(self) -> None:
        """What never changes: the car, and how far ahead is how far."""
        car = self.state.car
        body = above(scene.outline((car.centre_m, 0.0, 0.0), car.length_m, car.width_m))
        self._strips('above/car', Strips([body], [palette.EGO]), 0.12, static=True)
        ticks = [np.array([[-23.0, -float(m)], [-22.0, -float(m)]]) for m in TICKS_M]
        labels = [f'{m} m' for m in TICKS_M]
        self._strips('above/ahead', Strips(ticks, [(110, 118, 129)] * len(ticks), labels), 0.05,
                     static=True)  # fmt: skip
        colours = {'speed/driven': palette.EGO, 'speed/planned': palette.PLAN}
        colours |= {'ages/plan': palette.PLAN, 'ages/cycle': palette.OTHER}
        colours |= {'ages/picture': palette.EGO}
        for path, colour in colours.items():
            line = self._rr.SeriesLines(colors=colour, names=path.partition('/')[2])
            self._log(path, line, static=True)

    def _draw(self, now_ns: int) -> None:
        """The plan view as it is now."""
        self._drawn_ns, state = now_ns, self.state
        self._strips('above/road', scene.roadway(state), 0.06)
        self._strips('above/others', scene.others(state), 0.12)
        self._strips('above/candidates', scene.rivals(state, now_ns), 0.07)
        if state.driven:
            way = to_base(np.array(state.driven), state.pose)
            ways = [above(part) for part in scene.near(way)]
            self._strips('above/driven', Strips(ways, [palette.DRIVEN] * len(ways)), 0.1)
        points, stops = scene.chosen(state)
        lines = [above(points)] if len(points) > 1 else []
        colour = palette.STOP if stops else palette.PLAN
        self._strips('above/plan', Strips(lines, [colour] * len(lines)), 0.25)

    def _plan(self, plan: events.Plan) -> None:
        """The speed it asks for, and its path in the picture that looks ahead."""
        self._number('speed/planned', plan.speed_mps[0] if plan.speed_mps else None)
        camera, size = self._ahead, self._size
        if camera is None or size is None:
            return
        points = dense(np.vstack([[0.0, 0.0], scene.clean(plan.x_m, plan.y_m)]))
        pixels, seen = project(camera, on_ground(points))
        scale = np.array([size[0] / camera.width, size[1] / camera.height])
        pixels = pixels * scale
        inside = seen & (pixels >= 0).all(axis=1) & (pixels < size).all(axis=1)
        line = pixels[inside]
        stop = plan.source in STOP_SOURCES
        strips = Strips(
            [line] if len(line) > 1 else [],
            [palette.STOP if stop else palette.PLAN] * (len(line) > 1),
        )
        self._strips(f'camera/{camera.name}/plan', strips, size[0] / 250)

    def _health(self, health: events.Health, now_ns: int) -> None:
        """Ages, words and, where it changes, the state."""
        self._number('ages/plan', health.plan_age_ms)
        for name, seen_ns in self._seen_ns.items():
            self._number(f'ages/{name}', max(0, now_ns - seen_ns) / 1e6)
        state = STATES[health.state]
        reason = '; '.join(health.messages) or health.reason
        lines = [f'**{name}**  {said}' for name, said in self._words.items() if said]
        text = '  \n'.join([f'**{state}**  {reason}', *lines])
        shown = self._rr.TextDocument(text, media_type=self._rr.MediaType.MARKDOWN)
        self._log('words', shown)
        now = (health.state, ' '.join(health.faults))
        if now != self._said:
            self._said = now
            level = LEVELS[health.state]
            self._log('log', self._rr.TextLog(f'{state}: {reason}', level=level))


def dense(line: scene.Line, step_m: float = 0.5) -> scene.Line:
    """A line in steps of at most ``step_m``, so that little is lost where it leaves a picture."""
    arc = arc_length(line)
    at = np.linspace(0.0, arc[-1], max(2, round(arc[-1] / step_m)))
    return np.stack([np.interp(at, arc, line[:, i]) for i in (0, 1)], axis=1)
