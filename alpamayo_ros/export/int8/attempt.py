"""One stage of a model in INT8: the ranges that fit it best, and how far it is from float."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from alpamayo_ros.export.int8.graph import STAGES, quantised
from alpamayo_ros.export.int8.parity import Known, Parity, compare, likeness
from alpamayo_ros.export.int8.ranges import SHARES, Ranges
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime import onnx_runtime
from alpamayo_ros.runtime.file_gate import data_file
from alpamayo_ros.runtime.manifest import ModelFiles
from alpamayo_ros.runtime.staged import StagedRuntime

TRIED = 8  # cycles of the calibration on which the ranges are compared


@dataclass(frozen=True, slots=True)
class Attempt:
    """The graph of ``stage`` in INT8, the runtime with it, and its :class:`Parity`.

    ``share``: of the activations of a call that a range holds; the others are cut off.
    """

    stage: str
    share: float
    data: bytes
    runtime: StagedRuntime
    parity: Parity


@dataclass(frozen=True, slots=True)
class Float:
    """The model as it is: its files, and what it makes of the cycles of both halves."""

    files: ModelFiles
    profile: ModelProfile
    runtime: StagedRuntime
    calibration: Sequence[Known]
    others: Sequence[Known]


def attempt(model: Float, stage: str, ranges: Ranges) -> Attempt | Fault:
    """``stage`` with the ranges of least error, compared on the cycles not calibrated on."""
    graph = STAGES[stage]
    source = model.files.get(graph)
    if isinstance(source, Fault):
        return source
    if data_file(graph) in model.files.data:
        return Fault(Code.MODEL_FORMAT, f'{graph} has its weights beside it: not made for INT8')
    step = max(1, len(model.calibration) // TRIED)
    tried = model.calibration[::step]
    best: tuple[float, float, bytes, StagedRuntime] | None = None
    for index, share in enumerate(SHARES):
        data = quantised(source, {name: float(r[index]) for name, r in ranges[graph].items()})
        runtime = with_graphs(model, {graph: data})
        if isinstance(runtime, Fault):
            return runtime
        _, error = likeness(runtime, model.runtime, stage, tried)
        if best is None or error < best[0]:
            best = error, share, data, runtime
    assert best is not None
    _, share, data, runtime = best
    parity = compare(runtime, model.runtime, stage, model.others)
    return Attempt(stage, share, data, runtime, parity)


def with_graphs(model: Float, graphs: Mapping[str, bytes]) -> StagedRuntime | Fault:
    """The model with some of its graphs replaced."""
    files = replace(model.files, data={**model.files.data, **graphs})
    return onnx_runtime.load(files, model.profile)
