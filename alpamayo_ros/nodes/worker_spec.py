"""The model's process as the planner's parameters describe it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits
from alpamayo_ros.nodes.common.node import ConfigurationError
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime import registry
from alpamayo_ros.runtime.process.child import WorkerSpec
from alpamayo_ros.runtime.process.worker import Worker
from alpamayo_ros.runtime.scripted import Script
from alpamayo_ros.statuses import Status

HANG_GUARD_S = 30.0  # of wall time in lockstep, where simulated time waits for the model


def check_runtime(settings: Any) -> None:
    """ConfigurationError where there is no such runtime, its package is missing, or keys clash."""
    found = registry.find(settings.runtime)
    if isinstance(found, Fault):
        raise ConfigurationError(f'planner refuses to configure: runtime: {found}')
    if settings.words_every_s and settings.words_concurrent:
        raise ConfigurationError(
            f'planner refuses to configure: words_every_s is {settings.words_every_s:g} and '
            'words_concurrent is true; the two exclude each other, leave one of them out'
        )


def worker_spec(settings: Any, profile: ModelProfile, limits: Limits) -> WorkerSpec:
    """In lockstep no wall-clock deadline but the guard against a hang; else the limits'.

    What a profile asks for at least (``deadlines``) counts where the parameters are shorter.
    """
    least = profile.deadlines
    return WorkerSpec(
        profile=profile,
        limits=limits,
        period_s=max(settings.period_s, least.period_s if least else 0.0),
        startup_s=max(settings.startup_s, least.startup_s if least else 0.0),
        kind=settings.runtime,
        folder=Path(settings.model) if settings.model else None,
        script=Script(**json.loads(settings.script)) if settings.script else None,
        minimum_release=settings.minimum_release,
        trusted_keys=Path(settings.trusted_keys) if settings.trusted_keys else None,
        words_every_s=settings.words_every_s,
        words_concurrent=settings.words_concurrent,
        slack=settings.slack,
        guard_s=HANG_GUARD_S if settings.lockstep else None,
    )


def refusal(fault: Fault) -> ConfigurationError:
    """Why it does not start; a damaged model has a status of its own."""
    error = ConfigurationError(f'planner refuses to start: {fault}')
    if registry.status_of(fault) == Status.DAMAGED:
        error.status = Status.DAMAGED
    return error


def not_taken(worker: Worker) -> list[Fault]:
    """Why an input was not taken: it does not fit, or there is nobody to take it."""
    found = worker.faults()
    if worker.state == 'warm' and found:
        return found
    return [*found, worker.failed or Fault(Code.MODEL_ABSENT, f'It is {worker.state}.')]
