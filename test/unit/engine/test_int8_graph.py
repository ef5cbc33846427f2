"""Products in INT8: symmetric, per channel, the same sums everywhere, and TensorRT builds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from alpamayo_ros.export.engine_build import build, parse
from alpamayo_ros.export.engine_graph import engine_graph
from alpamayo_ros.export.int8.graph import (
    ACTIVATION,
    STAGES,
    WEIGHT,
    activations,
    observed,
    quantised,
)
from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.loader import model_dir
from alpamayo_ros.runtime.onnx_session import open_session
from alpamayo_ros.runtime.tensorrt.library import open_library

RNG = np.random.default_rng(1)
X = RNG.standard_normal((16, 64)).astype(np.float32)
A = RNG.standard_normal((64, 64)).astype(np.float16)
B = (RNG.standard_normal((64, 96)) * np.linspace(0.01, 1, 96)).astype(np.float32)


def _graph() -> bytes:
    """Two products of one activation, one of them stored in float16; and a narrow one."""
    nodes = [
        helper.make_node('Cast', ['a'], ['wide'], to=TensorProto.FLOAT),
        helper.make_node('MatMul', ['x', 'wide'], ['h']),
        helper.make_node('MatMul', ['x', 'b'], ['y']),
        helper.make_node('MatMul', ['x', 'narrow'], ['n']),
    ]
    parts = {'a': A, 'b': B, 'narrow': B[:, :15].copy()}
    kept = [numpy_helper.from_array(value, name) for name, value in parts.items()]
    sizes = {'y': [16, 96], 'n': [16, 15], 'h': [16, 64]}
    out = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in sizes.items()]
    given = helper.make_tensor_value_info('x', TensorProto.FLOAT, [16, 64])
    graph = helper.make_graph(nodes, 'g', [given], out, kept)
    opset = [helper.make_opsetid('', 24)]
    return helper.make_model(graph, opset_imports=opset, ir_version=11).SerializeToString()


RANGES = {'x': float(np.abs(X).max())}


def _constants(data: bytes) -> dict[str, Any]:
    graph = onnx.ModelProto.FromString(data).graph
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}


def _run(data: bytes) -> list[np.ndarray]:
    session = open_session('g.onnx', data)
    assert not isinstance(session, Fault), session
    return session.run(None, {'x': X})


def test_all_zero_points_are_zero_and_weights_have_a_scale_a_column() -> None:
    """What matrix units of TensorRT take."""
    found = _constants(quantised(_graph(), RANGES))
    points = {name: value for name, value in found.items() if name.endswith('.zero')}
    assert set(points) == {'x.zero', 'wide.zero', 'b.zero'}
    assert all(value.dtype == np.int8 and not value.any() for value in points.values())
    assert found['x.scale'] == np.float32(RANGES['x'] / ACTIVATION)
    assert np.allclose(found['b.scale'], np.abs(B).max(0) / WEIGHT)
    assert found['b.int8'].dtype == np.int8 and np.abs(found['b.int8']).max() == WEIGHT


def test_the_float_matrices_are_gone_and_narrow_ones_stay() -> None:
    """A product of 15 columns has no time to win."""
    found = _constants(quantised(_graph(), RANGES))
    assert 'a' not in found and 'b' not in found
    assert np.array_equal(found['narrow'], B[:, :15])


def test_it_computes_the_same_to_what_its_codes_hold() -> None:
    """Within the error that a step of each scale can make."""
    for found, wanted in zip(_run(quantised(_graph(), RANGES)), _run(_graph()), strict=True):
        assert np.abs(found - wanted).max() < 0.03 * np.abs(wanted).max() + 0.05


def test_sums_are_those_of_whole_numbers() -> None:
    """Largest codes of one sign: two products of seven and eight bits fit 16 bits, of eight not.

    On a processor whose instructions add up in 32 bits it holds for any codes.
    """
    data = quantised(_graph(), {'x': 0.01})  # all but a few of the codes are at their ends
    parts = _constants(data)
    codes = np.clip(np.rint(X / parts['x.scale']), -128, 127).astype(np.int64)
    wanted = (codes @ parts['b.int8'].astype(np.int64)) * parts['x.scale'] * parts['b.scale']
    assert np.allclose(_run(data)[0], wanted, rtol=1e-5, atol=1e-6)


def test_the_range_is_that_of_onnx_runtimes_own_calibrator(tmp_path: Path) -> None:
    """Its maximum, symmetric, is what a run of the observed graph shows."""
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        create_calibrator,
    )

    class Once(CalibrationDataReader):
        left = [{'x': X}]

        def get_next(self) -> dict[str, np.ndarray] | None:
            """One batch."""
            return self.left.pop() if self.left else None

    path = tmp_path / 'g.onnx'
    path.write_bytes(_graph())
    calibrator = create_calibrator(
        str(path), ['MatMul'], str(tmp_path / 'a.onnx'), CalibrationMethod.MinMax
    )
    calibrator.collect_data(Once())
    low, high = calibrator.compute_data().data['x'].range_value
    wider, names = observed(_graph())
    assert names == ['x']
    assert max(abs(low.item()), abs(high.item())) == pytest.approx(np.abs(X).max())
    assert open_session('g.onnx', wider).run(None, {'x': X})


@pytest.mark.parametrize('stage', STAGES)
def test_the_shipped_graphs_have_products_to_quantise(stage: str) -> None:
    """Attention between activations and rows of conditioning are not among them."""
    data = (model_dir(load_profile('nano')) / STAGES[stage]).read_bytes()
    assert len(activations(onnx.ModelProto.FromString(data))) >= 12


def test_tensorrt_builds_it_and_the_rewriting_leaves_it_in_int8() -> None:
    """No cast comes between codes and product, or the library would compute in float16."""
    library = open_library('tensorrt_rtx')
    if isinstance(library, Fault):
        pytest.skip(library.message)
    model = engine_graph(quantised(_graph(), RANGES))
    makers = {output: node for node in model.graph.node for output in node.output}
    kinds = [
        {makers[name].op_type for name in node.input if name in makers}
        for node in model.graph.node
        if node.op_type == 'MatMul'
    ]
    assert kinds.count({'DequantizeLinear'}) == 2
    parsed = parse(library, 'g.onnx', model.SerializeToString())
    assert not isinstance(parsed, Fault), parsed
    assert isinstance(build(library, parsed, {'x': ((16, 64),) * 3}, '8.9'), bytes)
