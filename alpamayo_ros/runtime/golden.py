"""The answer a model gave to made-up input when it was exported.

Warm-up must repeat it before the state INIT is left (docs/faults.md, "States").
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Runtime
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.runtime.manifest import read_model

GOLDEN = 'golden.json'
TOLERANCE_M = 0.01  # another CPU's rounding moves a point by micrometres, a wrong weight by metres


class Golden(BaseModel):
    """Token ids, and the last point (x, y, heading) of every candidate."""

    model_config = ConfigDict(extra='forbid', frozen=True)
    token_ids: tuple[int, ...]
    last_points: tuple[tuple[float, float, float], ...]
    tolerance_m: Annotated[float, Field(gt=0, le=0.1)] = TOLERANCE_M


def answer(runtime: Runtime, profile: ModelProfile) -> Golden:
    """What ``runtime`` says now."""
    frames, given, noise = made_up_input(profile)
    reasoning = runtime.reason(runtime.encode(frames), given)
    plans = runtime.denoise(reasoning.condition, noise)
    points = tuple((float(x), float(y), float(h)) for x, y, h in plans[:, -1])
    return Golden(token_ids=reasoning.token_ids, last_points=points)


def check_golden(runtime: Runtime, profile: ModelProfile, data: bytes) -> Fault | None:
    """Compare with the answer at export; also warms the runtime up."""
    try:
        wanted = Golden.model_validate_json(data)
    except ValidationError as error:
        return Fault(Code.MODEL_FORMAT, f'{GOLDEN}: {error.errors()[0]["msg"]}')
    came = answer(runtime, profile)
    if len(came.last_points) != len(wanted.last_points):
        return Fault(Code.MODEL_FORMAT, f'{GOLDEN}: another number of candidates')
    far = float(np.abs(np.array(came.last_points) - np.array(wanted.last_points)).max())
    if came.token_ids == wanted.token_ids and far <= wanted.tolerance_m:
        return None
    numbers = {'deviation_m': far, 'limit_m': wanted.tolerance_m}
    same = 'same' if came.token_ids == wanted.token_ids else 'other'
    return Fault(Code.MODEL_GOLDEN, f'{runtime.identity.kind}: {same} words', numbers)


@cache
def tell_unproven(folder: Path) -> None:
    """Say on stderr, once a process and model, that there is no answer to repeat.

    The line has the form of a node's warning: ``alpamayo up`` shows it among them.
    """
    print(
        f'WARN: {folder} has no {GOLDEN}: whether this machine computes what the model computed '
        'when it was exported is not checked. Export it again; for a model in INT8 for engines, '
        f'alpamayo engine verify --model {folder} compares plans.',
        file=sys.stderr,
        flush=True,
    )


def write_golden(folder: Path, profile: ModelProfile) -> Fault | None:
    """Run the freshly written graphs and keep their answer in ``golden.json``."""
    from alpamayo_ros.runtime import registry

    entry = registry.find(registry.DEFAULT)
    if isinstance(entry, Fault):
        return entry
    files = read_model(folder, entry.files)
    material = files if isinstance(files, Fault) else registry.Material(profile, files)
    runtime = material if isinstance(material, Fault) else entry.load(material)
    if isinstance(runtime, Fault):
        return runtime
    (folder / GOLDEN).write_text(answer(runtime, profile).model_dump_json(indent=1) + '\n')
    runtime.close()
    return None
