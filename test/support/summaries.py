"""Summaries of a replay and of a suite as their commands write them (not a test itself)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from alpamayo_ros.metrics import scores
from alpamayo_ros.replay.replay_figures import Cell
from alpamayo_ros.replay.replay_summary import Summary
from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.batch.suite import scored
from alpamayo_ros.simulation.scenario import Scenario

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
    timing={
        'recorded_s': 9.0,
        'wall_s': 3.0,
        'times_real_time': 3.0,
        'stage_ms': {'encode': 20.0, 'reason': 31.0, 'denoise': 9.0},
    },
    identity={
        'bag': {'name': 'drive.mcap', 'sha256': 'cd' * 32, 'bytes': 123456},
        'rig': {'name': 'sim', 'sha256': 'ef' * 32},
        'model': {'profile': 'nano', 'runtime': 'onnx', 'manifest_sha256': 'ab' * 32},
        'package': '0.1.0',
    },
)


def replay(**changes: Any) -> dict[str, Any]:
    """summary.json of a replay, with some fields changed."""
    found: dict[str, Any] = json.loads(json.dumps(replace(SUMMARY, **changes).as_dict()))
    return found


def row(name: str, seed: int = 0, **changes: Any) -> dict[str, Any]:
    """A row of a suite, of a drive that went well."""
    raw = {
        'name': name, 'seed': seed, 'mode': 'lockstep', 'duration_s': 25.0, 'distance_m': 180.0,
        'collisions_at_fault': 0, 'offroad_s': 0.0, 'progress': 0.95, 'score': 1.0,
        'end': 'goal', 'right': True, 'contact': '', 'red_lights': 0, 'comfort': 0.9,
        'coc_facts': [8, 1, 1], 'agreement': 0.8, **changes,
    }  # fmt: skip
    family = name.rpartition('_')[0]
    scenario = Scenario(name=name, description='a test', duration_s=30, family=family)
    return scored(Job(scenario, seed), raw)


def rows() -> list[dict[str, Any]]:
    """Three families: one that hits somebody, one that stalls, one that does well."""
    hit = {'collisions_at_fault': 1, 'end': 'collision', 'right': False, 'contact': 'pedestrian'}
    out = [row('crossing_pedestrian_a', s, **(hit if s else {})) for s in (0, 1)]
    out += [row('crossing_pedestrian_b', s) for s in (0, 1)]
    out += [row('night_a', s, progress=0.4, end='stalled', right=False) for s in (0, 1)]
    return [*out, *(row(f'cut_in_{x}', s) for x in 'ab' for s in (0, 1))]


def suite(found: list[dict[str, Any]] | None = None, **changes: Any) -> dict[str, Any]:
    """What ``alpamayo sim --suite test --json`` writes."""
    found = rows() if found is None else found
    names = sorted({r['family'] for r in found})
    out = {
        'suite': 'test', 'seeds': [0, 1], 'limit': None, **scores.summarise(found),
        'families': {f: scores.summarise([r for r in found if r['family'] == f]) for f in names},
        'planner': {'name': 'onnx', 'manifest_sha256': 'ab' * 32},
        'task': {'planner': 'onnx', 'objects': 'none', 'ablate': '', 'profile': 'nano'},
        'version': '0.1.0', 'code_sha256': 'cd' * 32, 'rows': found,
        'timing': {'seconds': 60.0, 'workers': 2, 'ray': False}, **changes,
    }  # fmt: skip
    copied: dict[str, Any] = json.loads(json.dumps(out))
    return copied
