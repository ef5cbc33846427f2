"""Checkpoints on disk: links, hashes in blocks, tensors by headers, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from math import prod
from pathlib import Path

import pytest

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.model.released.tensors import tensors
from alpamayo_ros.profile import ModelProfile, load_profile
from alpamayo_ros.runtime.nvidia import checkpoint
from alpamayo_ros.runtime.nvidia.adoption import Choices, adopt, read_adoption, verify

WHOLE = load_profile('nvidia-1.5-10b')


def few_layers(layers: int = 1) -> ModelProfile:
    """The profile with ``layers`` of each kind: fewer tensors, the widths as they are."""
    data = WHOLE.model_dump()
    data['vision'] |= {'layers': layers, 'fusion_layers': 1}
    data['backbone'] |= {'layers': layers}
    data['denoiser'] |= {'layers': layers}
    return ModelProfile.model_validate(data)


SMALL = few_layers()


def write(folder: Path, shapes: dict[str, tuple[int, ...]], shards: int = 2) -> None:
    """Sparse shards of bfloat16 zeros, and their index."""
    folder.mkdir(exist_ok=True)
    names, homes = sorted(shapes), {}
    for i in range(shards):
        here, at = {}, 0
        for name in names[i::shards]:
            end = at + 2 * prod(shapes[name])
            here[name] = {'dtype': 'BF16', 'shape': shapes[name], 'data_offsets': [at, end]}
            homes[name], at = f'model-{i}.safetensors', end
        text = json.dumps(here).encode()
        with (folder / f'model-{i}.safetensors').open('wb') as file:
            file.write(len(text).to_bytes(8, 'little') + text)
            file.truncate(8 + len(text) + at)
    (folder / checkpoint.INDEX).write_text(json.dumps({'weight_map': homes}))
    (folder / 'config.json').write_text('{}')


def told(folder: Path, profile: ModelProfile = SMALL) -> Fault | None:
    """What is wrong with a folder; None where nothing is."""
    files = checkpoint.files_of(folder)
    shapes = files if isinstance(files, Fault) else checkpoint.shapes_of(files)
    return shapes if isinstance(shapes, Fault) else checkpoint.compare(shapes, profile)


def test_the_whole_table_is_compared_by_headers_alone(tmp_path):
    write(tmp_path / 'c', tensors(WHOLE), shards=5)  # 22 GB that take no room
    assert told(tmp_path / 'c', WHOLE) is None
    found = told(tmp_path / 'c')
    assert found is not None and 'unknown: expert.layers.1.' in found.message


NORM, HEAD = 'expert.norm.weight', 'vlm.lm_head.weight'


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({NORM: None}, f'1 missing: {NORM}'),
        ({'vlm.extra.weight': (3,)}, '1 unknown: vlm.extra.weight'),
        ({NORM: (2049,)}, f'1 of another shape: {NORM} (2049,), expected (2048,)'),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(tmp_path, change, message):
    shapes = {**tensors(SMALL), **change}
    write(tmp_path / 'c', {name: shape for name, shape in shapes.items() if shape is not None})
    found = told(tmp_path / 'c')
    assert found is not None and found.code is Code.MODEL_FORMAT and message in found.message


def test_a_shard_that_is_cut_off_or_disagrees_with_the_index_is_refused(tmp_path):
    write(tmp_path / 'c', {NORM: (8,), HEAD: (4, 2)})
    shard = tmp_path / 'c/model-0.safetensors'
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-1])
    assert 'its tensors end at byte' in str(told(tmp_path / 'c'))
    shard.write_bytes(b'\xff' * 8 + whole)
    assert 'its header claims' in str(told(tmp_path / 'c'))
    shard.write_bytes(whole)
    (tmp_path / 'c' / checkpoint.INDEX).write_text('{"weight_map": {}}')
    assert f'disagree on {NORM}' in str(told(tmp_path / 'c'))


def record(tmp_path: Path):
    """An adopted folder as a Hugging Face cache lays it out: names that link to blobs."""
    blobs, snapshot = tmp_path / 'blobs', tmp_path / 'snapshots'
    blobs.mkdir()
    snapshot.mkdir()
    (blobs / 'a1').write_bytes(bytes(range(256)) * 64)
    (snapshot / 'model.safetensors').symlink_to('../blobs/a1')
    files = checkpoint.files_of(snapshot)
    assert not isinstance(files, Fault)
    paths = {str(snapshot / name): place for name, place in files.items()}
    made = adopt(SMALL, snapshot, Choices(interpreter='python', vlm='v'), paths)
    assert not isinstance(made, Fault)
    return made, blobs / 'a1', snapshot / 'model.safetensors'


def test_a_link_of_a_cache_is_followed_once_and_may_not_move(tmp_path):
    made, blob, link = record(tmp_path)
    assert made.files[0].leads_to == str(blob) and verify(made) is None
    (tmp_path / 'other').write_bytes(blob.read_bytes())
    link.unlink()
    link.symlink_to('../other')
    found = verify(made)
    assert found is not None and found.code is Code.MODEL_UNSAFE and 'now to' in found.message
    link.unlink()
    (tmp_path / 'hop').symlink_to(blob)
    link.symlink_to('../hop')
    found = checkpoint.files_of(link.parent)
    assert isinstance(found, Fault) and 'no plain file' in found.message


def test_one_flipped_bit_is_refused(tmp_path):
    made, blob, _ = record(tmp_path)
    data = bytearray(blob.read_bytes())
    data[9000] ^= 1
    blob.write_bytes(data)
    found = verify(made)
    assert found is not None and found.code is Code.MODEL_HASH
    assert found.values['bytes'] == found.values['expected_bytes']


def test_a_record_of_another_profile_or_a_torn_one_says_what_to_type(tmp_path):
    made, _, _ = record(tmp_path)
    place = tmp_path / 'record.json'
    place.write_text(made.to_json())
    assert read_adoption(place, SMALL) == made
    for found, code in (
        (read_adoption(place, WHOLE), Code.MODEL_FORMAT),
        (read_adoption(tmp_path / 'none.json', SMALL), Code.MODEL_MISSING),
    ):
        assert isinstance(found, Fault) and found.code is code
        assert 'alpamayo model adopt FOLDER --profile' in found.message
    place.write_text(place.read_text()[:-20])
    assert isinstance(read_adoption(place, SMALL), Fault)


HASH = r"""
import re, sys
from pathlib import Path
from alpamayo_ros.runtime.nvidia.checkpoint import files_of, hashed, shapes_of
files = files_of(Path(sys.argv[1]))
assert len(shapes_of(files)) > 50
print(hashed(max(files.values(), key=lambda path: path.stat().st_size))[0])
print(re.search(r'VmHWM:\s+(\d+)', Path('/proc/self/status').read_text())[1])
"""


@pytest.mark.slow
def test_a_file_of_a_gigabyte_is_hashed_in_less_than_200_megabytes(tmp_path):
    write(tmp_path / 'c', tensors(SMALL))
    command = [sys.executable, '-c', HASH, str(tmp_path / 'c')]
    size, kilobytes = map(int, subprocess.check_output(command, text=True).split())
    assert size > 1e9 and kilobytes < 200 * 1024
