"""An ONNX Runtime session on one CPU thread, and the static-cache session of the decode graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from jaxtyping import Float
from onnxruntime.capi import onnxruntime_pybind11_state as state

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.runtime.chunks import Chunk
from alpamayo_ros.runtime.file_gate import data_file
from alpamayo_ros.runtime.graph_feeds import decode_feed

BROKEN = (
    state.Fail,
    state.InvalidArgument,
    state.InvalidGraph,
    state.InvalidProtobuf,
    state.NotImplemented,
    state.RuntimeException,
)  # what ONNX Runtime raises for a model it cannot use
PROVIDERS = ('CPUExecutionProvider',)
CODES = b'QuantizeLinear'  # an operator of graphs in INT8 (alpamayo_ros/export/int8)
# With either of these ONNX Runtime 1.32 recognises few of their products or refuses the graph.
WRONG_FOR_CODES = ('MatMulAddFusion', 'CommonSubexpressionElimination')


def open_session(
    name: str, data: bytes, providers: tuple[str, ...] = PROVIDERS, weights: bytes | None = None
) -> Any:
    """A session from verified bytes, or a ``Fault``; ONNX Runtime's own fallback counts as one.

    ``weights``: what lies in the file beside a graph beyond 2 GiB.

    One thread, no spinning: two spinning threads were 2 to 2.6 times slower than one under load
    (docs/design.md, "Runtimes").
    """
    absent = [p for p in providers if p not in onnxruntime.get_available_providers()]
    if absent:
        have = ', '.join(onnxruntime.get_available_providers())
        return Fault(Code.MODEL_PROVIDER, f'ONNX Runtime has no {absent[0]} here; it has {have}')
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    options.log_severity_level = 3
    if weights is None and data_file(name).encode() in data:  # it would look for it on disk
        return Fault(Code.MODEL_MISSING, f'{name} has its weights in {data_file(name)}')
    if weights is not None:
        sizes = [data_file(name)], [weights], [len(weights)]
        options.add_external_initializers_from_files_in_memory(*sizes)
    left_out = list(WRONG_FOR_CODES) if CODES in data else None
    try:
        session = onnxruntime.InferenceSession(
            data, options, providers=list(providers), disabled_optimizers=left_out
        )
    except BROKEN as error:
        return Fault(Code.MODEL_FORMAT, f'{name}: {error}'[:500])
    if session.get_providers()[: len(providers)] != list(providers):
        got = ', '.join(session.get_providers())
        return Fault(Code.MODEL_PROVIDER, f'{name}: asked for {", ".join(providers)}, got {got}')
    return session


class DecodeSession:
    """The decode graph with its key/value cache bound in place: input and output are one."""

    def __init__(self, session: Any) -> None:
        self._session = session
        shapes = {i.name: i.shape for i in session.get_inputs()}
        self.slots = int(shapes['mask'][3])
        self._cache = {n: np.zeros(s, np.float32) for n, s in shapes.items() if n[0] in 'kv'}
        self._values = {
            n: onnxruntime.OrtValue.ortvalue_from_numpy(a) for n, a in self._cache.items()
        }
        self._order = [*(f'new_{n}' for n in self._cache), 'logits', 'hidden']
        self._binding = session.io_binding()
        for name, value in self._values.items():
            self._binding.bind_ortvalue_input(name, value)
            self._binding.bind_ortvalue_output(f'new_{name}', value)

    def clear(self) -> None:
        """Zero the cache (a NaN in a masked slot would still spread)."""
        for name, value in self._values.items():
            value.update_inplace(np.zeros_like(self._cache[name]))

    def run(self, chunk: Chunk) -> tuple[Float[np.ndarray, 'n V'], Float[np.ndarray, 'n D']]:
        """Logits and hidden states of the tokens of ``chunk``."""
        for name, values in decode_feed(chunk).items():
            self._binding.bind_cpu_input(name, values)
        self._binding.bind_output('logits')
        self._binding.bind_output('hidden')
        self._session.run_with_iobinding(self._binding)
        outputs = dict(zip(self._order, self._binding.get_outputs(), strict=True))
        return np.array(outputs['logits'].numpy()[0]), np.array(outputs['hidden'].numpy()[0])
