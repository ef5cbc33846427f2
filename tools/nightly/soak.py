"""A graph that drives for minutes: do memory, file descriptors or shared memory grow?"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from graph import Graph
from left_behind import LOCK, LeftBehind, opened

from alpamayo_ros.simulation.scenario import load_scenario

SAMPLE_S = 5.0
WARM_UP_SHARE = 0.25  # of the time, before the lines are fitted: caches fill, threads start
SPEED_MPS = 2.2  # 10 minutes on 1400 m of road
GROWTH_MB = 10.0  # of a process along its fitted line: what minutes can tell from noise
FAULT = 'F03@{start}s:2s'  # once a minute: a stop, and a start again
NODE = re.compile(r'alpamayo_ros\.(?:nodes\.(\w+)|(model_process)) ')


@dataclass(slots=True)
class Curve:
    """What a process held, sample by sample."""

    at_s: list[float] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)
    files: list[float] = field(default_factory=list)
    segments: list[float] = field(default_factory=list)

    def add(self, at_s: float, pid: int) -> None:
        """One sample; none of a process that is gone."""
        try:
            status = Path(f'/proc/{pid}/status').read_text()
            files = len(list(Path(f'/proc/{pid}/fd').iterdir()))
        except OSError:
            return
        self.at_s.append(at_s)
        self.rss_mb.append(int(re.findall(r'VmRSS:\s+(\d+)', status)[0]) / 1024)
        self.files.append(float(files))
        self.segments.append(float(len(opened(pid, LOCK))))

    def figures(self, from_s: float) -> dict[str, Any]:
        """Levels and slopes from ``from_s`` on; ``held``: nothing grows that this could tell."""
        late = np.array(self.at_s) >= from_s
        at_s = np.array(self.at_s)[late]
        span_s = float(np.ptp(at_s)) if len(at_s) else 0.0
        out: dict[str, Any] = {'samples': len(at_s), 'rss_mb': round(max(self.rss_mb), 1)}
        out['files'] = [int(min(self.files)), int(max(self.files))]
        slopes = {n: slope(at_s, np.array(getattr(self, n))[late]) for n in GROWING}
        out |= {f'{n}_per_h': round(3600 * found, 2) for n, found in slopes.items()}
        out['held'] = (
            len(at_s) > 2
            and slopes['rss_mb'] * span_s <= GROWTH_MB
            and slopes['files'] * span_s < 1.0
            and slopes['segments'] * span_s < 1.0
        )
        return out


GROWING = ('rss_mb', 'files', 'segments')


def slope(at_s: Sequence[float] | np.ndarray, values: np.ndarray) -> float:
    """Of the line of least squares, per second; 0 where there are too few samples for one."""
    if len(at_s) < 2:
        return 0.0
    return float(np.polyfit(at_s, values, 1)[0])


def scenario(folder: Path, seconds: float) -> Path:
    """A straight empty road long enough, with a camera that fails once a minute."""
    found = load_scenario('winding_road').model_dump(mode='json')
    found |= {'name': 'soak', 'description': 'drive slowly for minutes', 'goal_m': 1400.0}
    found |= {'duration_s': seconds, 'start': {'arc_m': 10.0, 'speed_mps': 0.0}}
    found |= {'road': {'straight': True, 'length_m': 1500.0}, 'traffic': {'oncoming': False}}
    starts = range(30, max(31, round(seconds) - 20), 60)
    found['faults'] = ';'.join(FAULT.format(start=start) for start in starts)
    path = folder / 'soak.yaml'
    path.write_text(yaml.safe_dump(found))
    return path


def processes(graph: Graph) -> dict[str, int]:
    """Process ids by node; the model's is ``model_process``, the supervisor's ``up``."""
    out = {'up': graph.process.pid}
    for pid in graph.pids('alpamayo_ros'):
        try:
            command = Path(f'/proc/{pid}/cmdline').read_bytes().replace(b'\0', b' ').decode()
        except OSError:
            continue
        if found := NODE.search(command):
            out[next(filter(None, found.groups()))] = pid
    return out


def soak(
    graph: Graph, left: LeftBehind, seconds: float, say: Callable[[str], None]
) -> dict[str, Any]:
    """Watch a graph until ``seconds`` have passed or it has ended; the figures by process."""
    curves: dict[tuple[str, int], Curve] = {}
    begin_s = time.monotonic()
    while (at_s := time.monotonic() - begin_s) < seconds and graph.process.poll() is None:
        found = processes(graph)
        left.note(found.values())
        for name, pid in found.items():
            curves.setdefault((name, pid), Curve()).add(at_s, pid)
        say(f'{at_s:6.0f} s  {len(found)} processes')
        time.sleep(SAMPLE_S)
    from_s = WARM_UP_SHARE * seconds
    whole = {f'{name} {pid}': c.figures(from_s) for (name, pid), c in curves.items() if c.at_s}
    return {'lasted_s': round(time.monotonic() - begin_s, 1), 'processes': whole}
