"""One drive of the demo: the graph of ``bringup.py`` in its own processes, followed as it runs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alpamayo_ros.bringup import GRAPHS
from alpamayo_ros.cli.operating.every_line import EveryLine
from alpamayo_ros.cli.operating.supervisor import Supervisor
from alpamayo_ros.graph_options import Options
from alpamayo_ros.recording.recording import EVENTS
from alpamayo_ros.reports.demo_summary import ScenarioRow
from alpamayo_ros.runtime.registry import is_test_double
from alpamayo_ros.statuses import Status

WALL_LIMIT_S = 900.0  # a drive takes a minute or two; what hangs is ended by the simulator
FOLLOW_S = 0.25
DOMAINS = range(40, 100)  # below 102, above which DDS ports may clash with ephemeral ones
LOG_LINES = 12
SCRIPT_MPS = 4.0


class DriveError(Exception):
    """A drive could not be finished; the text says what happened and what to do next."""


@dataclass(frozen=True, slots=True)
class Drive:
    """What to drive: the seed makes the world; ``duration_s`` ends it if nothing else does."""

    scenario: str
    seed: int
    mode: str
    duration_s: float
    description: str

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f'{self.scenario}_{self.seed}_{self.mode}'


@dataclass
class Now:
    """What a running drive is doing: simulated time and speed, state of the graph, its intent."""

    began_ns: int = 0
    elapsed_s: float = 0.0
    speed_mps: float = 0.0
    reason: str = ''
    intent: str = ''


def drive(
    what: Drive, planner: Options, folder: Path, tell: Callable[[Now], None]
) -> tuple[ScenarioRow, dict[str, Any]]:
    """Drive it; the row for the summary and the simulator's own result.

    ``planner``: runtime, model and profile.  KeyboardInterrupt when a person ended it; DriveError
    when the graph failed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    result, log = folder / 'result.json', folder / 'graph.log'
    options = replace(
        planner, scenario=what.scenario, seed=what.seed, lockstep=what.mode == 'lockstep',
        duration_s=what.duration_s, output=str(result), record=str(folder),
        about=what.description,
        parameters=_script(folder) if is_test_double(planner.runtime) else '',
    )  # fmt: skip
    os.environ.setdefault('ROS_DOMAIN_ID', str(DOMAINS[os.getpid() % len(DOMAINS)]))
    ended = threading.Event()
    follower = threading.Thread(
        target=_follow, args=(folder / EVENTS, tell, ended), name='follow', daemon=True
    )
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    with log.open('w', encoding='utf-8') as out:
        supervisor = Supervisor(GRAPHS['simulator'](options), EveryLine(out))
        follower.start()
        try:
            status = supervisor.run(WALL_LIMIT_S)
        finally:
            ended.set()
            follower.join()
            for number, handler in before.items():
                signal.signal(number, handler)
            time.sleep(0.1)  # the last lines of the logs
    if supervisor.stopping:
        raise KeyboardInterrupt
    if status != 0 or not result.is_file():
        raise DriveError(_explain(what, status, log))
    found = json.loads(result.read_text())
    return ScenarioRow.model_validate(found), found


def _script(folder: Path) -> str:
    """A parameter file that lets the test double drive off, straight on."""
    path = folder / 'script.param.yaml'
    path.write_text(
        f'/**/planner:\n  ros__parameters:\n    script: \'{{"speed_mps": {SCRIPT_MPS}}}\'\n'
    )
    return str(path)


def _follow(path: Path, tell: Callable[[Now], None], ended: threading.Event) -> None:
    """Read what the recorder appends and tell what the drive is doing."""
    now, file = Now(), None
    while not ended.wait(FOLLOW_S):
        if file is None:
            if not path.is_file():
                continue
            file = path.open(encoding='utf-8')
        _read(file, now)
        tell(now)
    if file is not None:
        file.close()


def _read(file: Any, now: Now) -> None:
    while True:
        at = file.tell()
        line = file.readline()
        if not line.endswith('\n'):
            file.seek(at)
            return
        if line.startswith(('{"kind":"image"', '{"kind":"plan"', '{"kind":"candidates"')):
            continue
        record = json.loads(line)
        if record['kind'] == 'ego':
            now.began_ns = now.began_ns or record['stamp_ns']
            now.elapsed_s = (record['stamp_ns'] - now.began_ns) / 1e9
            now.speed_mps = record['speed_mps']
        elif record['kind'] == 'words':
            now.intent = record['intent']
        elif record['kind'] == 'health':
            now.reason = record['reason']


def _explain(what: Drive, status: int, log: Path) -> str:
    """What a person should know of a drive that failed."""
    lines = [line for line in log.read_text(errors='replace').splitlines() if 'INFO:' not in line]
    said = '\n  '.join(lines[-LOG_LINES:])
    reason = {
        0: f'Still driving after {WALL_LIMIT_S:.0f} s: the machine is too busy for the demo',
        Status.USAGE: 'A node refused to configure',
        Status.ENVIRONMENT: 'The driver was not ready in time, or a timestep got no reply',
    }.get(status, f'The graph ended with status {status} and without a result')
    return (
        f'{what.scenario}, seed {what.seed}: {reason}. Its last words:\n  {said}\n'
        f'The whole log is {log}. Next: .venv/bin/alpamayo doctor'
    )
