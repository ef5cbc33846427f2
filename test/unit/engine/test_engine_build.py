"""Real engines by TensorRT for RTX, built without a GPU; and graphs that must not build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from alpamayo_ros.cli.main import app
from alpamayo_ros.export.engine_build import Parsed, build, parse, shape_ranges, targets
from alpamayo_ros.export.engine_graph import engine_graph
from alpamayo_ros.faults import Fault
from alpamayo_ros.model.tiny import tiny
from alpamayo_ros.profile import ModelProfile, load_profile
from alpamayo_ros.runtime.loader import model_dir
from alpamayo_ros.runtime.registry import GRAPHS
from alpamayo_ros.runtime.tensorrt.engine_files import EngineFiles, engine_dir, read_engines
from alpamayo_ros.runtime.tensorrt.library import Library, open_library

TARGET = '8.9'
# With the unrolled steps of its denoiser; the graph that ships has five.  At this size 0.5b and
# 3b are equal and 7b differs from them in untied embeddings, which 1.5-10b has too: a minute each,
# so they are built by night.
BY_NIGHT = pytest.mark.nightly
FAMILY = [
    ('alpamayo-0.5b', 1),
    pytest.param('alpamayo-3b', 1, marks=BY_NIGHT),
    pytest.param('alpamayo-7b', 1, marks=BY_NIGHT),
    ('alpamayo-1.5-10b', 2),
]
FLOAT, INT8 = TensorProto.FLOAT, TensorProto.INT8


@pytest.fixture(scope='module')
def rtx() -> Library:
    """The library, or the reason why these tests are skipped."""
    found = open_library('tensorrt_rtx')
    if isinstance(found, Fault):
        pytest.skip(found.message)
    return found


def _engine(library: Library, profile: ModelProfile, name: str, data: bytes) -> bytes | Fault:
    parsed = parse(library, name, data)
    if isinstance(parsed, Fault):
        return parsed
    return build(library, parsed, shape_ranges(profile, name, parsed.network), TARGET)


@pytest.mark.timeout(900)
def test_every_shipped_graph_builds(
    rtx: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By the command, for an Ada GPU; the check afterwards finds what was built."""
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    built = CliRunner().invoke(app, ['engine', 'build', '--profile', 'nano', '--target', TARGET])
    assert built.exit_code == 0, built.output
    found = read_engines(engine_dir('nano'), 'nano')
    assert isinstance(found, EngineFiles)
    assert set(found.data) == set(GRAPHS)
    assert (found.manifest.version, found.manifest.target) == (rtx.version, TARGET)
    checked = CliRunner().invoke(app, ['engine', 'check', '--profile', 'nano'])
    assert checked.exit_code == 0, checked.output
    assert '4 engines, built from these graphs and unaltered' in checked.output


@pytest.mark.timeout(900)
@pytest.mark.parametrize(('name', 'steps'), FAMILY)
def test_every_member_of_the_family_builds(rtx: Library, name: str, steps: int) -> None:
    """Tiny instances: each kind of trunk, backbone and denoiser."""
    torch = pytest.importorskip('torch')
    from alpamayo_ros.export import export_decode, export_stages
    from alpamayo_ros.model.vla import VLA

    profile = tiny(load_profile(name), sample_steps=steps)
    torch.manual_seed(1)
    model = VLA(profile).eval()
    makers: dict[str, Any] = {
        'encoder.onnx': export_stages.encoder_graph,
        'fusion.onnx': export_stages.fusion_graph,
        'decode.onnx': lambda m: export_decode.decode_graph(m.backbone, m.layout.max_sequence),
        'denoise.onnx': export_stages.denoise_graph,
    }
    for graph in GRAPHS:
        with torch.no_grad():
            data = makers[graph](model).SerializeToString()
        engine = _engine(rtx, profile, graph, engine_graph(data).SerializeToString())
        assert isinstance(engine, bytes), (graph, engine)


def test_float32_attention_does_not_build(rtx: Library) -> None:
    """The decode graph as it is shipped for ONNX Runtime; why the rewriting exists."""
    profile = load_profile('nano')
    data = (model_dir(profile) / 'decode.onnx').read_bytes()
    found = _engine(rtx, profile, 'decode.onnx', data)
    assert isinstance(found, Fault) and 'Attention' in found.message


def test_pictures_as_integers_are_not_understood(rtx: Library) -> None:
    """The encoder as it is shipped; the fault names the node."""
    profile = load_profile('nano')
    data = (model_dir(profile) / 'encoder.onnx').read_bytes()
    found = parse(rtx, 'encoder.onnx', data)
    assert isinstance(found, Fault)
    assert 'encoder.onnx is not understood: ' in found.message and 'UInt8' in found.message


def test_a_varying_size_needs_a_profile(rtx: Library) -> None:
    """Ranges that leave nothing open make no optimisation profile."""
    profile = load_profile('nano')
    data = engine_graph((model_dir(profile) / 'decode.onnx').read_bytes()).SerializeToString()
    parsed = parse(rtx, 'decode.onnx', data)
    assert isinstance(parsed, Parsed)
    ranges = shape_ranges(profile, 'decode.onnx', parsed.network)
    static = {name: (high, high, high) for name, (_, _, high) in ranges.items()}
    found = build(rtx, parsed, static, TARGET)
    assert isinstance(found, Fault) and 'no optimization profile' in found.message


def _quantised(zero_point: int) -> bytes:
    """x -> quantise -> dequantise -> product with quantised weights."""
    point = numpy_helper.from_array(np.array(zero_point, np.int8), 'point')
    scale = numpy_helper.from_array(np.array(0.05, np.float32), 'scale')
    weight = numpy_helper.from_array(np.arange(64, dtype=np.int8).reshape(8, 8), 'weight')
    nodes = [
        helper.make_node('QuantizeLinear', ['x', 'scale', 'point'], ['q']),
        helper.make_node('DequantizeLinear', ['q', 'scale', 'point'], ['d']),
        helper.make_node('DequantizeLinear', ['weight', 'scale', 'point'], ['w']),
        helper.make_node('MatMul', ['d', 'w'], ['y']),
    ]
    values = [helper.make_tensor_value_info(n, FLOAT, [4, 8]) for n in 'xy']
    graph = helper.make_graph(nodes, 'q', values[:1], values[1:], [point, scale, weight])
    opset = [helper.make_opsetid('', 24)]
    return helper.make_model(graph, opset_imports=opset, ir_version=11).SerializeToString()


def test_asymmetric_int8_is_refused_and_symmetric_builds(rtx: Library) -> None:
    """A zero point other than zero has no place in a matrix unit."""
    profile = load_profile('nano')
    assert isinstance(_engine(rtx, profile, 'q.onnx', _quantised(0)), bytes)
    found = _engine(rtx, profile, 'q.onnx', _quantised(3))
    assert isinstance(found, Fault) and 'zero point' in found.message


def test_operators_of_dynamic_quantisation_are_not_understood(rtx: Library) -> None:
    """What ONNX Runtime's dynamic INT8 writes."""
    nodes = [helper.make_node('DynamicQuantizeLinear', ['x'], ['q', 's', 'z'])]
    value = [helper.make_tensor_value_info('x', FLOAT, [4, 8])]
    out = [helper.make_tensor_value_info('q', TensorProto.UINT8, [4, 8])]
    graph = helper.make_graph(nodes, 'd', value, out)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 24)], ir_version=11)
    found = parse(rtx, 'd.onnx', model.SerializeToString())
    assert isinstance(found, Fault) and 'not understood' in found.message


def test_targets_are_named_by_compute_capability(rtx: Library) -> None:
    """Those of the library, in order; no data-centre Hopper among them."""
    found = targets(rtx)
    assert {'7.5', '8.0', '8.6', '8.9', '12.0'} <= set(found)
    assert found == sorted(found, key=float)


def test_a_graph_beyond_two_gigabytes_is_refused_by_size(rtx: Library) -> None:
    """Before the parser copies it; a length is enough."""

    class Long(bytes):
        def __len__(self) -> int:
            return 1 << 31

    found = parse(rtx, 'decode.onnx', Long())
    assert isinstance(found, Fault) and 'takes 2 GiB' in found.message


def test_onnx_is_the_one_that_checks() -> None:
    """The rewritten graph is a valid model of its own."""
    data = (model_dir(load_profile('nano')) / 'decode.onnx').read_bytes()
    model = engine_graph(data)
    onnx.checker.check_model(model)
    kinds = {
        v.name: v.type.tensor_type.elem_type for v in (*model.graph.input, *model.graph.output)
    }
    assert kinds['k0'] == kinds['new_k0'] == TensorProto.FLOAT16
    assert kinds['logits'] == kinds['extra'] == FLOAT
