"""What ``alpamayo up`` says at the end of a run."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from alpamayo_ros.units import counted

SHOWN = 6  # faults that are named


class Tally:
    """Time in each state, faults by how often they came, and what the simulator judged."""

    def __init__(self) -> None:
        self.state_s: dict[str, float] = {}
        self.faults: Counter[str] = Counter()
        self.result: dict[str, Any] = {}
        self._last: tuple[str, float] | None = None
        self._status: dict[str, Any] = {}

    def status(self, found: dict[str, Any], now_s: float) -> None:
        """The newest status; the state before it has lasted until now."""
        if self._last is not None:
            state, since_s = self._last
            self.state_s[state] = self.state_s.get(state, 0.0) + now_s - since_s
        self._last, self._status = (found['state'], now_s), found

    def judged(self, text: str) -> None:
        """The simulator's result, as JSON."""
        try:
            found = json.loads(text)
        except ValueError:
            return
        self.result = found if isinstance(found, dict) else {}

    def lines(self, took_s: float) -> list[str]:
        """The summary, a line an idea."""
        found = [f'ended after {took_s:.0f} s{self._counts()}']
        whole_s = sum(self.state_s.values())
        if whole_s:
            spans = ', '.join(f'{n} {s:.0f} s' for n, s in self.state_s.items() if s >= 0.5)
            found += [f'  states: {spans}'] if spans else []
        if self.faults:
            most = self.faults.most_common()
            named = ', '.join(f'{n} {k}x' if k > 1 else n for n, k in most[:SHOWN])
            more = f' and {len(most) - SHOWN} more' if len(most) > SHOWN else ''
            found.append(f'  faults: {named}{more}')
        return found + self._verdict()

    def _counts(self) -> str:
        s = self._status
        if not s:
            return '; the driver was never heard'
        counts = ', '.join(counted(s[f'{one}s'], one) for one in ('plan', 'stop', 'refusal'))
        missed = s['deadline_misses']
        return f': {counts}' + (f', {counted(missed, "deadline")} missed' if missed else '')

    def _verdict(self) -> list[str]:
        r = self.result
        try:
            touched = f'touched {r["contact"]}' if r['collisions'] else 'touched nothing'
            return [
                f'  {r["name"]}, seed {r["seed"]}: {r["distance_m"]:.0f} m in '
                f'{r["duration_s"]:.0f} s, {touched}, score {r["score"]:.2f}, ended by {r["end"]}'
            ]
        except (KeyError, TypeError, ValueError):
            return []
