"""Fault matrix, rows F42 to F45: model files that are damaged, swapped or hostile."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from safetensors.numpy import save

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime import file_gate, manifest
from alpamayo_ros.runtime.manifest import ModelFiles, check_profile, read_model, write_manifest

PROFILE = load_profile('nano')
WEIGHTS = 'weights.safetensors'


def make_folder(folder: Path, extra: dict[str, bytes] | None = None) -> Path:
    values = np.arange(512, dtype=np.float32).reshape(16, 32)
    (folder / WEIGHTS).write_bytes(save({'a': values}))
    (folder / 'card.md').write_text('made by a test\n')
    names = {WEIGHTS: 'float32', 'card.md': ''}
    for name, data in (extra or {}).items():
        (folder / name).write_bytes(data)
        names[name] = ''
    write_manifest(folder, PROFILE, '1.0', 3, {'seed': 1}, names)
    return folder


def refuse_to_parse(monkeypatch: pytest.MonkeyPatch) -> None:
    def parser(*_: object) -> None:
        raise AssertionError('a parser saw bytes that were not verified')

    monkeypatch.setattr(manifest, 'check_bytes', parser)


def code_of(result: ModelFiles | Fault) -> Code | None:
    return result.code if isinstance(result, Fault) else None


def test_good_folder_gives_the_bytes(tmp_path: Path) -> None:
    files = read_model(make_folder(tmp_path))
    assert isinstance(files, ModelFiles)
    assert files.data[WEIGHTS] == (tmp_path / WEIGHTS).read_bytes()
    assert files.manifest.training == {'seed': 1}
    assert check_profile(files, PROFILE) is None
    missing = files.get('encoder.onnx')
    assert isinstance(missing, Fault) and missing.code is Code.MODEL_MISSING
    assert 'encoder.onnx' in missing.message and WEIGHTS in missing.message


def test_only_wanted_files_are_read(tmp_path: Path) -> None:
    make_folder(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    files = read_model(tmp_path, ['card.md'])
    assert isinstance(files, ModelFiles) and list(files.data) == ['card.md']


@pytest.mark.parametrize('keep', [0, 1000, -1])
def test_f42_truncated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: int) -> None:
    make_folder(tmp_path)
    data = (tmp_path / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(data[:keep])
    refuse_to_parse(monkeypatch)
    fault = read_model(tmp_path, [WEIGHTS])
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_HASH
    assert fault.message.count('expected') == 1 and len(fault.message.split()[-1]) == 64


def test_f42_longer_than_listed(tmp_path: Path) -> None:
    make_folder(tmp_path)
    with (tmp_path / WEIGHTS).open('ab') as file:
        file.write(b'0')
    assert code_of(read_model(tmp_path)) is Code.MODEL_HASH


def test_f43_one_bit_200_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_folder(tmp_path)
    good = (tmp_path / WEIGHTS).read_bytes()
    refuse_to_parse(monkeypatch)
    for seed in range(200):
        data = bytearray(good)
        bit = int(np.random.default_rng(seed).integers(len(data) * 8))
        data[bit // 8] ^= 1 << bit % 8
        (tmp_path / WEIGHTS).write_bytes(data)
        assert code_of(read_model(tmp_path, [WEIGHTS])) is Code.MODEL_HASH, f'seed {seed}'


def test_f44_older_release(tmp_path: Path) -> None:
    fault = read_model(make_folder(tmp_path), minimum_release=4)
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_ROLLBACK
    assert fault.values == {'release': 3.0, 'minimum': 4.0}


def test_f44_manifest_of_another_profile(tmp_path: Path) -> None:
    files = read_model(make_folder(tmp_path))
    assert isinstance(files, ModelFiles)
    other = PROFILE.model_copy(update={'candidates': 9})
    fault = check_profile(files, other)
    assert fault is not None and fault.code is Code.MODEL_FORMAT
    described = PROFILE.model_copy(update={'description': 'other words'})
    assert check_profile(files, described) is None


@pytest.mark.parametrize(
    ('change', 'code'),
    [
        ({'surprise': 1}, Code.MODEL_FORMAT),
        ({'schema_version': 2}, Code.MODEL_FORMAT),
        ({'release': -1}, Code.MODEL_FORMAT),
        ({'files': [{'name': '../x.onnx', 'bytes': 1, 'sha256': '0' * 64}]}, Code.MODEL_UNSAFE),
        ({'files': [{'name': 'a/b.onnx', 'bytes': 1, 'sha256': '0' * 64}]}, Code.MODEL_UNSAFE),
        ({'files': [{'name': 'w.pt', 'bytes': 1, 'sha256': '0' * 64}]}, Code.MODEL_UNSAFE),
        ({'files': [{'name': 'x.onnx', 'bytes': 1, 'sha256': 'f' * 63}]}, Code.MODEL_FORMAT),
        ({'files': [{'name': 'x.onnx', 'bytes': 1, 'sha256': '0' * 64}] * 2}, Code.MODEL_FORMAT),
        ({'files': [{'name': 'x.onnx', 'bytes': 1, 'sha256': '0' * 64}]}, Code.MODEL_HASH),
    ],
)
def test_bad_manifest_is_refused(tmp_path: Path, change: dict[str, object], code: Code) -> None:
    make_folder(tmp_path)
    text = json.loads((tmp_path / 'manifest.json').read_text())
    (tmp_path / 'manifest.json').write_text(json.dumps({**text, **change}))
    assert code_of(read_model(tmp_path)) is code


def test_no_folder_and_no_manifest(tmp_path: Path) -> None:
    assert code_of(read_model(tmp_path / 'absent')) is Code.MODEL_MISSING
    fault = read_model(tmp_path)
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_MISSING
    assert 'manifest.json' in fault.message


def test_f45_pickle_beside_the_model(tmp_path: Path) -> None:
    make_folder(tmp_path)
    (tmp_path / 'weights.pt').write_bytes(b'\x80\x04.')
    fault = read_model(tmp_path)
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_UNSAFE
    assert 'weights.pt' in fault.message


@pytest.mark.parametrize(
    'name',
    ['x.engine', 'x.plan', 'x.TRT', 'x.h5', 'x.joblib', 'sub/weights.pt', 'a/b/c.so', 'd.pt/x'],
)
def test_f45_what_can_run_beside_or_below_the_model(tmp_path: Path, name: str) -> None:
    make_folder(tmp_path)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(b'')
    fault = read_model(tmp_path)
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_UNSAFE
    assert name.partition('/x')[0] in fault.message


def test_plain_words_beside_the_model_are_no_matter(tmp_path: Path) -> None:
    make_folder(tmp_path)
    (tmp_path / 'notes').mkdir()
    (tmp_path / 'notes' / 'README.txt').write_text('words')
    assert isinstance(read_model(tmp_path), ModelFiles)


@pytest.mark.parametrize('target', ['/etc/passwd', '.', 'nowhere', WEIGHTS])
@pytest.mark.parametrize('name', ['link', 'sub/link', 'sub/below/link.md'])
def test_f45_a_link_beside_or_below_the_model(tmp_path: Path, name: str, target: str) -> None:
    make_folder(tmp_path)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).symlink_to(target)
    fault = read_model(tmp_path, ['card.md'])
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_UNSAFE
    assert f'holds the link {name};' in fault.message


def test_a_folder_that_is_reached_through_a_link_is_read(tmp_path: Path) -> None:
    (tmp_path / 'model').mkdir()
    make_folder(tmp_path / 'model')
    (tmp_path / 'link').symlink_to(tmp_path / 'model')
    assert isinstance(read_model(tmp_path / 'link'), ModelFiles)


def test_no_link_lies_in_what_ships(repository: Path) -> None:
    shipped = [p for name in ('models', 'config') for p in (repository / name).rglob('*')]
    assert shipped and not [p for p in shipped if p.is_symlink()]


@pytest.mark.parametrize('name', [WEIGHTS, 'manifest.json'])
def test_f45_a_folder_under_the_name_of_a_file(tmp_path: Path, name: str) -> None:
    make_folder(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    assert code_of(read_model(tmp_path)) is Code.MODEL_UNSAFE


def test_f42_a_claim_of_16_gib_takes_no_memory(tmp_path: Path) -> None:
    text = json.loads((make_folder(tmp_path) / 'manifest.json').read_text())
    for entry in text['files']:
        entry['bytes'] = file_gate.MAX_FILE
    (tmp_path / 'manifest.json').write_text(json.dumps(text))
    tracemalloc.start()
    try:
        assert code_of(read_model(tmp_path)) is Code.MODEL_HASH
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_f42_what_many_files_claim_together_is_bounded(tmp_path: Path) -> None:
    text = json.loads((make_folder(tmp_path) / 'manifest.json').read_text())
    more = [
        {**text['files'][0], 'name': f'{i}.data', 'bytes': file_gate.MAX_FILE} for i in range(3)
    ]
    text['files'] += more
    (tmp_path / 'manifest.json').write_text(json.dumps(text))
    found = read_model(tmp_path)
    assert isinstance(found, Fault) and 'a model has at most' in found.message


@pytest.mark.parametrize('where', ['first', 'last'])
def test_f44_a_doubled_key_is_refused(tmp_path: Path, where: str) -> None:
    """The last of two equal keys would win: a second ``release`` is a way round the check."""
    text = (make_folder(tmp_path) / 'manifest.json').read_text().strip()
    more = '"release": 99'
    text = f'{{{more}, {text[1:]}' if where == 'first' else f'{text[:-1]}, {more}}}'
    (tmp_path / 'manifest.json').write_text(text)
    fault = read_model(tmp_path)
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_FORMAT
    assert "'release' stands in it twice" in fault.message


def test_a_manifest_nested_without_end(tmp_path: Path) -> None:
    make_folder(tmp_path)
    (tmp_path / 'manifest.json').write_text('[' * 200_000 + ']' * 200_000)
    assert code_of(read_model(tmp_path)) is Code.MODEL_FORMAT


@pytest.mark.parametrize('name', [WEIGHTS, 'manifest.json'])
def test_f45_symlink(tmp_path: Path, name: str) -> None:
    folder = tmp_path / 'model'
    folder.mkdir()
    make_folder(folder)
    (folder / name).rename(tmp_path / name)
    (folder / name).symlink_to(tmp_path / name)
    assert code_of(read_model(folder)) is Code.MODEL_UNSAFE


def test_f45_pipe_does_not_hang(tmp_path: Path) -> None:
    make_folder(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    os.mkfifo(tmp_path / WEIGHTS)
    assert code_of(read_model(tmp_path)) is Code.MODEL_UNSAFE


def test_f45_swap_after_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file swapped while its bytes are checked: the parser gets the bytes that were hashed."""
    good = (make_folder(tmp_path) / WEIGHTS).read_bytes()
    seen: list[bytes] = []

    def swap(name: str, data: bytes) -> Fault | None:
        (tmp_path / name).write_bytes(b'evil')
        seen.append(data)
        return file_gate.check_bytes(name, data)

    monkeypatch.setattr(manifest, 'check_bytes', swap)
    files = read_model(tmp_path, [WEIGHTS])
    assert isinstance(files, ModelFiles)
    assert files.data[WEIGHTS] == good == seen[0]


def outside_model(location: str, nested: bool = False) -> bytes:
    tensor = TensorProto(name='w', data_type=TensorProto.FLOAT, dims=[4])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key='location', value=location)
    out = helper.make_tensor_value_info('y', TensorProto.FLOAT, [4])
    node = helper.make_node('Constant', [], ['y'], value=tensor)
    if nested:
        inner = helper.make_graph([node], 'inner', [], [out])
        node = helper.make_node('If', ['c'], ['y'], then_branch=inner, else_branch=inner)
        graph = helper.make_graph([node], 'outer', [], [out])
    else:
        graph = helper.make_graph([], 'outer', [], [out], [tensor])
    return onnx.ModelProto(graph=graph, ir_version=10).SerializeToString()


@pytest.mark.parametrize('nested', [False, True])
def test_f45_external_data(tmp_path: Path, nested: bool) -> None:
    data = outside_model('../../etc/passwd', nested)
    fault = read_model(make_folder(tmp_path, {'encoder.onnx': data}))
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_UNSAFE
    assert '../../etc/passwd' in fault.message


def external() -> TensorProto:
    tensor = TensorProto(name='w', data_type=TensorProto.FLOAT, dims=[1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key='location', value='../../etc/passwd')
    return tensor


def sparse_constant() -> onnx.ModelProto:
    node = onnx.NodeProto(op_type='Constant', output=['y'])
    sparse = onnx.SparseTensorProto(values=external(), dims=[4])
    node.attribute.add(
        name='sparse_value', type=onnx.AttributeProto.SPARSE_TENSOR, sparse_tensor=sparse
    )
    return onnx.ModelProto(graph=onnx.GraphProto(node=[node]))


def training_info() -> onnx.ModelProto:
    model = onnx.ModelProto()
    model.training_info.add().initialization.initializer.append(external())
    return model


def inside_a_function() -> onnx.ModelProto:
    model = onnx.ModelProto()
    model.functions.add(name='F', domain='own').node.extend(sparse_constant().graph.node)
    return model


@pytest.mark.parametrize('make', [sparse_constant, training_info, inside_a_function])
def test_f45_external_data_in_whichever_field(make: Callable[[], onnx.ModelProto]) -> None:
    fault = file_gate.check_bytes('x.onnx', make().SerializeToString())
    assert fault is not None and fault.code is Code.MODEL_UNSAFE
    assert '../../etc/passwd' in fault.message


def test_f45_an_operator_that_loads_a_compiled_engine() -> None:
    node = helper.make_node(
        'EPContext', [], ['y'], domain='com.microsoft', embed_mode=0, ep_cache_context='/tmp/x'
    )
    model = onnx.ModelProto(graph=helper.make_graph([node], 'g', [], []))
    fault = file_gate.check_bytes('x.onnx', model.SerializeToString())
    assert fault is not None and fault.code is Code.MODEL_UNSAFE
    assert 'EPContext' in fault.message


def test_f45_custom_operator(tmp_path: Path) -> None:
    node = helper.make_node('Run', [], ['y'], domain='evil.example')
    graph = helper.make_graph([node], 'g', [], [])
    data = onnx.ModelProto(graph=graph, ir_version=10).SerializeToString()
    fault = read_model(make_folder(tmp_path, {'encoder.onnx': data}))
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_UNSAFE
    assert 'evil.example' in fault.message


def header(size: int, text: bytes) -> bytes:
    return size.to_bytes(8, 'little') + text


@pytest.mark.parametrize(
    'data',
    [
        b'',
        b'\0' * 4,
        header(1 << 40, b'{}'),
        header(2, b'[]'),
        header(2, b'{x'),
        header(600_000, b'[' * 300_000 + b']' * 300_000),
        header(9, b'{"w":NaN}'),
        header(15, b'{"a":1,"a": 2}\n'),
    ],
)
def test_bad_safetensors_header(data: bytes) -> None:
    fault = file_gate.check_bytes(WEIGHTS, data)
    assert fault is not None and fault.code is Code.MODEL_FORMAT


def test_not_an_onnx_model() -> None:
    fault = file_gate.check_bytes('x.onnx', b'\xff\xff\xff')
    assert fault is not None and fault.code is Code.MODEL_FORMAT
