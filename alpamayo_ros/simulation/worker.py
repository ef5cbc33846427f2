"""The process that drives for ``simulation.batch``: ``python -m alpamayo_ros.simulation.worker
TASK``; seeds come in line by line, rows of JSON go out.
"""

from __future__ import annotations

import json
import os
import sys
from typing import cast

import cv2

from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.worker_main import die_with
from alpamayo_ros.simulation.ablation import AblatedPlanner, Ablation
from alpamayo_ros.simulation.batch import Task
from alpamayo_ros.simulation.planners import Planner, open_planner
from alpamayo_ros.simulation.rollout import Objects, Options, rollout
from alpamayo_ros.simulation.scenario import load_scenario


def open_task(task: Task) -> tuple[Planner, Options] | str:
    """Planner and options of a task, or why there is none."""
    planner = open_planner(task.planner, load_profile(task.profile), task.model or None)
    if isinstance(planner, Fault):
        return str(planner)
    if task.ablate:
        planner = AblatedPlanner(planner, cast(Ablation, task.ablate))
    return planner, Options(cast(Objects, task.objects), task.latency_steps, task.prompt)


def main() -> None:
    """Answer until the input closes; whatever a library prints goes to stderr."""
    die_with(os.getppid())
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)
    cv2.setNumThreads(1)
    task = Task(**json.loads(sys.argv[1]))
    scenario, opened = load_scenario(task.scenario), open_task(task)
    if isinstance(opened, str):
        print(json.dumps({'error': opened}), file=answers, flush=True)
        return
    planner, options = opened
    who = {'name': planner.name, 'manifest_sha256': planner.manifest_sha256}
    print(json.dumps(who), file=answers, flush=True)
    for line in sys.stdin:
        row = rollout(scenario, int(line), planner, options)
        print(json.dumps(row.as_dict()), file=answers, flush=True)


if __name__ == '__main__':
    main()
