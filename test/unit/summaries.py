"""Summaries of a replay and of a suite as their commands write them (not a test itself)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from alpamayo_ros.evaluation.replay.figures import Cell
from alpamayo_ros.evaluation.replay.summary import Summary

NO_CANDIDATES = Cell(None, 0, 'it has one path, no candidates')
SILENT = Cell(None, 0, 'it says nothing and is not timed')
NO_OBJECTS = Cell(None, 0, 'the recording holds no ground_truth/objects')
SUMMARY = Summary(
    verdict='pass',
    sentence='84 of 88 timesteps with all inputs gave a plan, on average 1.91 m from what was '
    'driven over 6 s.',
    complete=True,
    notes=('The model is worse than constant velocity and turn rate in: l2_at_3s 2.31 m.',),
    counts={'timesteps': 90, 'plans': 84, 'stops': 2, 'refusals': 4},
    faults={'PLAN_WARN': 3, 'EGO_HISTORY': 4, 'NO_SUCH_FAULT': 1},
    lacks=(),
    metrics={
        'l2_at_1s': (Cell(0.41, 80), Cell(0.52, 80)),
        'l2_at_3s': (Cell(2.31, 60), Cell(1.42, 60)),
        'l2_at_6s': (Cell(8.9, 30), Cell(8.9, 30)),
        'min_ade_k_6s': (Cell(1.2, 30), NO_CANDIDATES),
        'collision_up_to_3s': (NO_OBJECTS, NO_OBJECTS),
        'collision_up_to_6s': (NO_OBJECTS, NO_OBJECTS),
        'planned_share': (Cell(0.933, 90), Cell(None, 0, 'it is no planner')),
        'coc_rouge_l': (Cell(None, 0, 'the recording holds no reference text'), SILENT),
        'agreement': (Cell(0.83, 84), SILENT),
        'cycle_ms_p50': (Cell(61.0, 84), SILENT),
    },
    timing={'wall_s': 12.0, 'stage_ms': {'encode': 20.0, 'reason': 31.0, 'denoise': 9.0}},
    identity={
        'bag': {'name': 'drive.mcap', 'sha256': 'cd' * 32, 'bytes': 123456},
        'rig': {'name': 'sim', 'sha256': 'ef' * 32},
        'model': {'profile': 'nano', 'runtime': 'onnx', 'manifest': 'ab' * 32},
        'package': '0.1.0',
    },
)


def replay(**changes: Any) -> dict[str, Any]:
    """summary.json of a replay, with some fields changed."""
    found: dict[str, Any] = json.loads(json.dumps(replace(SUMMARY, **changes).as_dict()))
    return found
