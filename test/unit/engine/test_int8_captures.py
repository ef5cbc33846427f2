"""Cycles for a calibration come from a process of its own, which may die once in a drive."""

from __future__ import annotations

import os
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from alpamayo_ros.cli.common.apart import apart, driving
from alpamayo_ros.cli.models import quantise_drives
from alpamayo_ros.cli.models.capture_process import keeping, opened
from alpamayo_ros.cli.models.quantise_drives import CALIBRATED, CAPTURES, cycles_of
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.simulation.batch import batch
from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.drive.drive import Drive
from alpamayo_ros.simulation.drive.planners import RuntimePlanner
from alpamayo_ros.simulation.scenario import load_scenario

TASK = batch.Task('', profile='nano')
SHORT = """
name: short
description: eight seconds
verdict: reach
duration_s: 8
goal_m: 20
start: {arc_m: 10, speed_mps: 0}
traffic: {oncoming: false}
"""
# Dies as SUMO has died, while a file is there, which it removes first.
DYING = """
import os, signal, sys
from pathlib import Path
from alpamayo_ros.cli.models import capture_process
from alpamayo_ros.simulation.batch.drive_process import answer

def dying(job, planner, options):
    left, most = Path(sys.argv[1]), int(sys.argv[2])
    if left.exists():
        left.unlink()
        os.kill(os.getpid(), signal.SIGABRT)
    return capture_process.captured(most, job, planner, options)

answer(dying, capture_process.opened)
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / 'short.yaml'
    path.write_text(SHORT)
    return path


def same(a: Any, b: Any) -> bool:
    """Equal in type, dtype and every bit, fields of fields included."""
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if is_dataclass(a):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return type(a) is type(b) and a == b


def test_cycles_of_another_process_are_those_of_a_drive_here(scenario: Path) -> None:
    here, options = opened(TASK)
    assert isinstance(here, RuntimePlanner) and isinstance(here.runtime, StagedRuntime)
    kept = keeping(here.runtime, 3)
    drive = Drive(
        load_scenario(str(scenario)), CALIBRATED + 1, RuntimePlanner(kept, here.profile), options
    )
    while len(kept.kept) < 3:
        drive.step()
    drive.close()
    found = cycles_of(str(scenario), here.runtime, 1, 3, TASK)
    assert len(found) == 3 and found[0].words and found[1].given.previous_text
    assert all(same(a, b) for a, b in zip(found, kept.kept, strict=True))


def test_a_capture_whose_process_dies_is_driven_once_more(
    scenario: Path, tmp_path: Path, monkeypatch, capfd: pytest.CaptureFixture[str]
) -> None:
    dies = tmp_path / 'dies'
    dies.touch()
    monkeypatch.setattr(quantise_drives, 'CAPTURES', ('-c', DYING, str(dies)))
    here, _ = opened(TASK)
    assert isinstance(here, RuntimePlanner) and isinstance(here.runtime, StagedRuntime)
    assert len(cycles_of(str(scenario), here.runtime, 0, 2, TASK)) == 2 and not dies.exists()
    said = capfd.readouterr().err
    assert 'short, seed 10000: a worker ended with status -6; its last words' in said
    assert said.rstrip().endswith('; driven once more')


def test_a_model_that_is_not_there_and_what_the_machine_refuses_are_sentences(
    scenario: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    job = Job(load_scenario(str(scenario)), 7, record=str(tmp_path / 'nowhere'))
    missing = batch.Task('', profile='nano', model=str(tmp_path / 'nothing'))
    with pytest.raises(typer.Exit) as ended, driving('alpamayo model quantise'):
        batch.drive(missing, [job], apart(missing, (*CAPTURES, '1')))
    said = capfd.readouterr().err
    assert ended.value.exit_code == 6 and 'Traceback' not in said
    assert said.startswith('alpamayo model quantise: MODEL_') and 'nothing' in said
    with pytest.raises(batch.BatchError, match=f'No such file.*{os.sep}nowhere'):
        batch.drive(TASK, [job], apart(TASK, (*CAPTURES, '1')))
    assert 'Traceback' not in capfd.readouterr().err
