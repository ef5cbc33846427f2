"""Processes of a collecting step: so many at a time, and none outlives one that failed."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence

from alpamayo_ros.statuses import ConfigError, MachineError, Status

THREADS = {'OMP_NUM_THREADS': '1', 'LP_NUM_THREADS': '1'}
LOOK_S = 0.5


def run_workers(title: str, commands: Sequence[Sequence[str]], most: int) -> None:
    """Run all commands, ``most`` at a time; the others are ended where one fails, or Ctrl-C."""
    waiting, running = list(commands), list[subprocess.Popen[bytes]]()
    try:
        while waiting or running:
            while waiting and len(running) < most:
                running.append(subprocess.Popen(waiting.pop(0), env=os.environ | THREADS))
            time.sleep(LOOK_S)
            for process in [p for p in running if p.poll() is not None]:
                running.remove(process)
                _check_end(title, process.returncode)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def _check_end(title: str, status: int) -> None:
    """Nothing after a good end; else the error that fits: typed, of the machine, or a defect."""
    said = f'{title}: a worker ended with status {status}, see above; finished shards are kept'
    if status == Status.USAGE:
        raise ConfigError(said)
    if status == Status.ENVIRONMENT:
        raise MachineError(said)
    if status < 0:
        raise MachineError(
            f'{title}: a worker was ended by signal {-status} (9: often too little memory, fewer '
            '--workers need less); finished shards are kept, the same command goes on'
        )
    if status:
        raise RuntimeError(said)
