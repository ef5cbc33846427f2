"""A graph beyond protobuf's 2 GiB: weights in one hashed file beside it, forced by a low bound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from alpamayo_ros.export import engine_build, outside
from alpamayo_ros.export.engine_build import build, understood
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.manifest import ModelFiles, read_model, write_manifest
from alpamayo_ros.runtime.onnx_session import open_session
from alpamayo_ros.runtime.tensorrt.engine_files import EngineEntry, EngineManifest, misfit
from alpamayo_ros.runtime.tensorrt.library import Library, open_library

PROFILE = load_profile('nano')
NAME, BESIDE = 'decode.onnx', 'decode.data'
X = np.random.default_rng(3).standard_normal((4, 64)).astype(np.float32)


def _model() -> Any:
    """Two products; the first reads what was stored in float16."""
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal((64, 64)).astype(dtype) for dtype in (np.float16, np.float32)]
    nodes = [
        helper.make_node('Cast', ['a'], ['wide'], to=TensorProto.FLOAT),
        helper.make_node('MatMul', ['x', 'wide'], ['h']),
        helper.make_node('MatMul', ['h', 'b'], ['y']),
    ]
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [4, 64]) for n in 'xy']
    kept = [numpy_helper.from_array(w, n) for w, n in zip(weights, 'ab', strict=True)]
    graph = helper.make_graph(nodes, 'g', values[:1], values[1:], kept)
    opset = [helper.make_opsetid('', 24)]
    return helper.make_model(graph, opset_imports=opset, ir_version=11)


def _folder(
    folder: Path, change: Callable[[Any], None] = lambda model: None, listed: bool = True
) -> Path:
    """A model folder with that graph in two parts."""
    written = outside.write(_model(), folder, NAME, bound=1)
    assert written == (NAME, BESIDE)
    model = onnx.ModelProto.FromString((folder / NAME).read_bytes())
    change(model)
    (folder / NAME).write_bytes(model.SerializeToString())
    write_manifest(folder, PROFILE, '1', 1, {}, dict.fromkeys(written if listed else [NAME], ''))
    return folder


@pytest.fixture
def files(tmp_path: Path) -> ModelFiles:
    """Read and verified."""
    found = read_model(_folder(tmp_path), [NAME])
    assert isinstance(found, ModelFiles), found
    return found


def _answer(session: Any) -> np.ndarray:
    assert not isinstance(session, Fault), session
    return np.asarray(session.run(None, {'x': X})[0])


def test_both_parts_are_read_and_give_the_same_answer(files: ModelFiles) -> None:
    """ONNX Runtime gets the bytes that were hashed, and the graph alone is refused."""
    assert set(files.data) == {NAME, BESIDE}
    assert len(files.data[NAME]) < 1000 < len(files.data[BESIDE])
    wanted = _answer(open_session(NAME, _model().SerializeToString()))
    apart = open_session(NAME, files.data[NAME], weights=files.data[BESIDE])
    assert np.array_equal(_answer(apart), wanted)
    alone = open_session(NAME, files.data[NAME])
    assert isinstance(alone, Fault) and BESIDE in alone.message


def test_together_they_are_the_graph_again(files: ModelFiles) -> None:
    """Bit for bit."""
    assert outside.whole(files.data[NAME], files.data[BESIDE]) == _model()


def test_below_the_bound_there_is_one_file(tmp_path: Path) -> None:
    """As all shipped graphs."""
    assert outside.write(_model(), tmp_path, NAME) == (NAME,)


def test_a_changed_byte_beside_is_refused(tmp_path: Path) -> None:
    """Before any parser."""
    place = _folder(tmp_path) / BESIDE
    data = bytearray(place.read_bytes())
    data[len(data) // 2] ^= 1
    place.write_bytes(data)
    found = read_model(tmp_path, [NAME])
    assert isinstance(found, Fault) and found.code is Code.MODEL_HASH
    assert BESIDE in found.message


def _elsewhere(model: Any) -> None:
    model.graph.initializer[0].external_data[0].value = '../decode.data'


def _beyond(model: Any) -> None:
    model.graph.initializer[1].external_data[1].value = '99999999'


def _empty(model: Any) -> None:
    model.graph.initializer[1].external_data[2].value = '0'


def _too_short(model: Any) -> None:
    model.graph.initializer[1].external_data[2].value = '100'


def _over_another(model: Any) -> None:
    model.graph.initializer[1].external_data[1].value = '0'


def _of_no_size(model: Any) -> None:
    model.graph.initializer[1].dims[0] = -64


def _of_no_type(model: Any) -> None:
    model.graph.initializer[1].data_type = TensorProto.STRING


def _negative(model: Any) -> None:
    model.graph.initializer[1].external_data[1].value = '-64'


def _one_more_key(model: Any) -> None:
    model.graph.initializer[0].external_data.add(key='checksum', value='0')


def _inside_a_node(model: Any) -> None:
    constant = onnx.TensorProto()
    constant.CopyFrom(model.graph.initializer[0])
    model.graph.node.insert(0, helper.make_node('Constant', [], ['c'], value=constant))


@pytest.mark.parametrize(
    ('change', 'code'),
    [
        (_elsewhere, Code.MODEL_UNSAFE),
        (_negative, Code.MODEL_UNSAFE),
        (_one_more_key, Code.MODEL_UNSAFE),
        (_inside_a_node, Code.MODEL_UNSAFE),
        (_beyond, Code.MODEL_FORMAT),
        (_empty, Code.MODEL_FORMAT),
        (_too_short, Code.MODEL_FORMAT),
        (_over_another, Code.MODEL_FORMAT),
        (_of_no_size, Code.MODEL_FORMAT),
        (_of_no_type, Code.MODEL_FORMAT),
    ],
)
def test_weights_anywhere_else_are_refused(
    tmp_path: Path, change: Callable[[Any], None], code: Code
) -> None:
    """Another file, other bytes, another field of the graph."""
    found = read_model(_folder(tmp_path, change), [NAME])
    assert isinstance(found, Fault) and found.code is code, found


def test_weights_that_no_manifest_lists_are_refused(tmp_path: Path) -> None:
    """Nothing that was not hashed is read."""
    found = read_model(_folder(tmp_path, listed=False), [NAME])
    assert isinstance(found, Fault) and found.code is Code.MODEL_MISSING
    assert BESIDE in found.message


def test_an_engine_is_built_of_both_parts(files: ModelFiles) -> None:
    """By TensorRT for RTX, from memory; from one part it would be the same engine in size."""
    library = open_library('tensorrt_rtx')
    if isinstance(library, Fault):
        pytest.skip(library.message)
    assert isinstance(library, Library)
    sizes = []
    for bound in (1, engine_build.MAX_PROTOBUF):
        parsed = understood(library, NAME, files, bound)
        assert not isinstance(parsed, Fault), parsed
        assert bool(parsed.keep[-1]) == (bound == 1)
        engine = build(library, parsed, {'x': ((4, 64),) * 3}, '8.9')
        assert isinstance(engine, bytes), engine
        sizes.append(len(engine))
    assert sizes[0] == sizes[1] > 64 * 64 * 2 * 2


def test_a_weight_of_another_size_is_not_understood(files: ModelFiles) -> None:
    """The library compares with what the graph says."""
    library = open_library('tensorrt_rtx')
    if isinstance(library, Fault):
        pytest.skip(library.message)
    model = outside.whole(files.data[NAME], files.data[BESIDE])
    weights = {name: data[:-2] for name, data in outside.take_apart(model, NAME).items()}
    found = engine_build.parse(library, NAME, model.SerializeToString(), weights)
    assert isinstance(found, Fault) and 'not understood' in found.message


def test_an_engine_of_other_weights_is_stale(files: ModelFiles) -> None:
    """The graph may be the same to the byte."""
    hashes = {entry.name: entry.sha256 for entry in files.manifest.files}
    entry = EngineEntry(
        graph=NAME, graph_sha256=hashes[NAME], data_sha256=hashes[BESIDE], file='decode.engine',
        bytes=1, sha256='0' * 64, inputs={},
    )  # fmt: skip
    manifest = EngineManifest(
        profile='nano', profile_sha256=files.manifest.profile_sha256, library='tensorrt_rtx',
        version='1', target='8.9', engines=(entry,),
    )  # fmt: skip
    here = ('tensorrt_rtx', '1', '8.9')
    assert misfit(manifest, files, *here) is None
    other = entry.model_copy(update={'data_sha256': '1' * 64})
    found = misfit(manifest.model_copy(update={'engines': (other,)}), files, *here)
    assert isinstance(found, Fault) and 'stale' in found.message
