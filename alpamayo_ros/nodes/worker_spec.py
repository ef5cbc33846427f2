"""The model's process as the planner's parameters describe it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from alpamayo_ros.nodes.common.params import Param
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime import registry
from alpamayo_ros.runtime.process.child import WorkerSpec
from alpamayo_ros.runtime.scripted import Script

PARAMETERS = (
    Param('runtime', str, '', f'Who answers. {registry.HELP}', choices=registry.NAMES),
    Param('model', str, '', 'Folder of the model; empty: the one that ships for the profile.'),
    Param('script', str, '', 'Fields of runtime.Script as JSON, for tests; empty: none.'),
    Param('period_s', float, 's', 'A cycle longer than this is reported as late.', 0.01, 30.0),
    Param('overrun_s', float, 's', 'A cycle longer than this is dropped.', 0.01, 30.0),
    Param('deadline_s', float, 's', 'A cycle longer than this ends in SIGKILL.', 0.01, 60.0),
    Param('startup_s', float, 's', 'Longest time to load and warm up the model.', 1.0, 600.0),
)


def worker_spec(settings: Any, profile: ModelProfile) -> WorkerSpec:
    """In lockstep no wall-clock deadline but the guard against a hang; else the parameters'."""
    folder = Path(settings.model) if settings.model else None
    script = Script(**json.loads(settings.script)) if settings.script else None
    common = {'kind': settings.runtime, 'folder': folder, 'script': script}
    if settings.lockstep:
        return WorkerSpec.lockstep(profile, startup_s=settings.startup_s, **common)
    return WorkerSpec(
        profile,
        **common,
        period_s=settings.period_s,
        overrun_s=settings.overrun_s,
        deadline_s=settings.deadline_s,
        startup_s=settings.startup_s,
    )
