"""What ``alpamayo up`` prints: each change of state once, what is wrong once, a summary.

On a terminal the last line is the driver's status now.  Elsewhere there are plain lines only.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from alpamayo_ros.cli.operating.log_lines import ABSENCE, LogLine, codes, parsed, plain
from alpamayo_ros.cli.operating.onlooker import Onlooker
from alpamayo_ros.cli.operating.screen import Screen
from alpamayo_ros.cli.operating.summary import Tally
from alpamayo_ros.faults import Code, Severity
from alpamayo_ros.graph_spec import Graph

AGAIN_S = 10.0  # a fault that comes again sooner is counted and not told
HOLD_S = 1.5  # at the end of a drive inputs fall silent; that is told only if it lasts
PATIENCE_S = 20.0  # a driver that is not ready for so long says what it waits for
RESULT = 'result: '
TOLD = re.compile(r'(audit|capped|injection|the driver is ready)\b')  # of INFO, by any node
SPEAKERS = ('replay', 'recorder', 'bag_recorder', 'incident_recorder', 'viewer')
NOISE = 'Failed to publish log message to rosout'  # of a node that is being stopped
TO_DO = {'READY': 'to drive: alpamayo arm', 'FALLBACK': 'to drive on: alpamayo rearm'}


@dataclass(frozen=True, slots=True)
class Held:
    """A line that waits; ``silence``: it is about inputs that may only have come to their end."""

    due_s: float
    head: str
    text: str
    severity: Severity
    silence: bool


class Brief:
    """Chooses what is worth a line; ``by_hand``: a person arms."""

    def __init__(
        self,
        by_hand: bool,
        screen: Screen | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._by_hand, self._screen = by_hand, screen or Screen()
        self._clock_s, self._began_s = clock_s, clock_s()
        self._tally, self._lock = Tally(), threading.Lock()
        self._onlooker: Onlooker | None = None
        self._state = self._last_reason = self._last_cause = ''
        self._ready = self._waited = self._ending = False
        self._ends_itself = True
        self._told_s: dict[Code, float] = {}
        self._held: list[Held] = []

    def begin(self, graph: Graph, environment: Mapping[str, str]) -> None:
        """Say what starts, and begin to watch it."""
        self._ends_itself = any(node.ends_graph for node in graph.nodes)
        count = len(graph.nodes)
        with self._lock:
            self._say(graph.name, f'{count} nodes start; --verbose shows all that they say')
        self._onlooker = Onlooker(environment, self.status)

    def line(self, node: str, text: str) -> None:
        """What a node has printed, where a person should know it."""
        with self._lock:
            self._line(node, parsed(text))

    def _line(self, node: str, said: LogLine) -> None:
        if NOISE in said.text or (self._ending and said.level):
            return
        if said.severity is Severity.INFO:
            self._news(node, said.text)
        elif said.code is None:
            self._say(node if not said.level else said.level, said.text, said.severity)
        else:
            self._fault(said.code, said)

    def _news(self, node: str, text: str) -> None:
        if text.startswith(RESULT):
            self._tally.judged(text.removeprefix(RESULT))
        elif TOLD.match(text) or node in SPEAKERS and not text.endswith(('installed', ' cleared')):
            self._say(node, text)

    def _fault(self, code: Code, said: LogLine) -> None:
        """A fault that came: counted, and told where it was not told lately."""
        if code in ABSENCE and not self._ready:
            return  # the inputs have not begun; ``tick`` tells what takes too long
        self._tally.faults[code.name] += 1
        if self._clock_s() - self._told_s.get(code, -AGAIN_S) < AGAIN_S:
            return
        self._told_s[code] = self._clock_s()
        self._say(said.level, said.text, said.severity, hold=code in ABSENCE)

    def ended(self, node: str, status: int, restarts: int) -> None:
        """A node has ended by itself and is started again."""
        text = f'ended with status {status}; starting it again (number {restarts})'
        with self._lock:
            self._say(node, text, Severity.ERROR)

    def status(self, found: dict[str, Any]) -> None:
        """The driver's status, several times a second and at each change of state."""
        with self._lock:
            if not self._ending:
                self._status(found, self._clock_s())

    def _status(self, found: dict[str, Any], now_s: float) -> None:
        self._tally.status(found, now_s)
        self._last_reason = plain(found['reason'])
        self._last_cause = cause_in(found)
        if found['state'] != self._state:
            self._changed(found)
        self._screen.show(status_line(found))

    def _changed(self, found: dict[str, Any]) -> None:
        """Tell a change of state with its cause; the first one, INIT, is the start itself."""
        first, self._state = not self._state, found['state']
        if first and self._state == 'INIT':
            return
        self._ready = True
        text, named = self._last_reason, codes(self._last_reason)
        self._told_s.update(dict.fromkeys(named, self._clock_s()))
        if self._by_hand and self._state in TO_DO:
            text = f'{text}; {TO_DO[self._state]}' if text else TO_DO[self._state]
        loud = {'DEGRADED': Severity.WARN, 'FALLBACK': Severity.ERROR, 'FAULT': Severity.FATAL}
        severity = loud.get(self._state, Severity.INFO)
        self._say(self._state, text, severity, hold=bool(named) and named <= ABSENCE)

    def tick(self) -> None:
        """Tell what was held back and has lasted, and what a start waits for."""
        with self._lock:
            self._tick(self._clock_s())

    def _tick(self, now_s: float) -> None:
        while self._held and self._held[0].due_s <= now_s:
            held = self._held.pop(0)
            self._screen.print(held.head, held.text, held.severity)
        late = now_s - self._began_s > PATIENCE_S
        if late and not (self._ready or self._waited):
            self._waited = True
            waits = self._last_reason or 'the driver has said nothing yet'
            if not codes(waits):  # no decision was made yet, as while /clock stands
                waits = self._last_cause or waits
            self._say('waiting', f'{PATIENCE_S:.0f} s after the start: {waits}', Severity.WARN)
        if self._onlooker is not None and self._onlooker.left:
            self._onlooker = None
            self._screen.show('')
            self._say('status', 'cannot be read; alpamayo status says why', Severity.WARN)

    def end(self) -> None:
        """Stop watching and sum up; what falls silent at the end of a drive is no news."""
        with self._lock:
            self._ending = True
        if self._onlooker is not None:
            self._onlooker.end()
        self._screen.clear()
        for held in self._held:
            if not held.silence:
                self._screen.print(held.head, held.text, held.severity)
        for line in self._tally.lines(self._clock_s() - self._began_s):
            self._screen.plain(line)

    def _say(
        self, what: str, text: str, severity: Severity = Severity.INFO, hold: bool = False
    ) -> None:
        """A line now, or in a moment where the graph may be about to end; in order."""
        now_s = self._clock_s()
        stamped = f'{now_s - self._began_s:6.1f} s  {what:<9} '
        hold = hold and self._ends_itself
        if hold or self._held:
            due_s = max([now_s + HOLD_S * hold, *(held.due_s for held in self._held)])
            self._held.append(Held(due_s, stamped, text, severity, hold))
        else:
            self._screen.print(stamped, text, severity)


def cause_in(found: dict[str, Any]) -> str:
    """The text of the first fault in a status, which no other one leads to; '' for none."""
    return next((plain(f['text']) for f in found.get('faults', ()) if not f['cause']), '')


def status_line(found: dict[str, Any]) -> str:
    """State, speed, cap, age of the plan, words."""
    speed, cap, age = found['speed_mps'], found['speed_cap_mps'], found['plan_age_ms']
    parts = [
        f'{found["state"]:<8}',
        'speed unknown' if speed is None else f'{speed:4.1f} m/s',
        'no cap' if cap is None else f'cap {cap:.1f} m/s',
        'no plan' if age is None else f'plan {age:3.0f} ms old',
    ]
    return '  '.join([*parts, plain(found['words'] or found['reason'])]).rstrip()
