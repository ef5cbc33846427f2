"""Files made to hang a reader or to fill its memory: each is refused by name, quickly."""

import os
import struct
import tracemalloc
from zlib import crc32

import lz4.frame
import numpy as np
import pytest
import yaml

from alpamayo_ros.bags import pack as packing
from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.bags.folder import SUMS, seal
from alpamayo_ros.bags.outline import outline
from alpamayo_ros.bags.pack import MOST_BYTES, unpack
from alpamayo_ros.bags.sensor_writer import SensorBag
from alpamayo_ros.faults import Code

NS = 1_000_000_000
zstd = packing.zstd


def write(path):
    with SensorBag(path) as bag:
        for i in range(5):
            twist = np.ones(3), np.zeros(3)
            bag.odometry('/odometry', NS + i, ('odom', 'base_link'), np.eye(4), *twist)
    return path


def fault_of(path):
    reader = BagReader(path)
    list(reader)
    assert reader.fault is not None and reader.fault.code is Code.BAG_BROKEN
    return reader.fault


# ---- what is no regular file --------------------------------------------------------------------
@pytest.mark.timeout(200)
@pytest.mark.parametrize('name', ['x.mcap', 'x.db3', 'metadata.yaml', SUMS])
def test_a_pipe_in_a_folder_is_refused(tmp_path, name):
    bag = tmp_path / 'drive'
    bag.mkdir()
    write(bag / 'a.mcap')
    if name == SUMS:
        (bag / 'metadata.yaml').write_text(yaml.safe_dump(metadata(['a.mcap'])))
    os.mkfifo(bag / name)
    assert f'{name}: this is no regular file' in fault_of(bag).message


@pytest.mark.timeout(200)
def test_a_pipe_for_a_bag_is_refused(tmp_path):
    os.mkfifo(tmp_path / 'x.mcap')
    assert 'x.mcap: this is no regular file' in fault_of(tmp_path / 'x.mcap').message
    assert not outline(tmp_path / 'x.mcap').whole


@pytest.mark.timeout(200)
def test_a_pipe_in_the_place_of_a_sealed_file_is_missing(tmp_path):
    bag = tmp_path / 'drive'
    bag.mkdir()
    write(bag / 'a.mcap')
    (bag / 'notes.txt').write_text('rain')
    seal(bag)
    (bag / 'notes.txt').unlink()
    os.mkfifo(bag / 'notes.txt')
    (bag / 'metadata.yaml').write_text(yaml.safe_dump(metadata(['a.mcap'])))
    assert 'notes.txt: a sealed file is missing' in fault_of(bag).message


def metadata(files):
    kind = {'name': '/odometry', 'type': 'nav_msgs/msg/Odometry', 'serialization_format': 'cdr'}
    about = {
        'relative_file_paths': files,
        'message_count': 5,
        'topics_with_message_count': [{'topic_metadata': kind, 'message_count': 5}],
    }
    return {'rosbag2_bagfile_information': about}


@pytest.mark.timeout(200)
def test_names_that_grow_without_end_are_refused(tmp_path):
    bag = tmp_path / 'drive'
    bag.mkdir()
    write(bag / 'a.mcap')
    names = 'a0: &a0 [x, x, x, x, x, x, x, x, x]\n'
    for i in range(1, 12):
        names += f'a{i}: &a{i} [{", ".join([f"*a{i - 1}"] * 9)}]\n'
    about = 'rosbag2_bagfile_information: {relative_file_paths: [*a11]}\n'
    (bag / 'metadata.yaml').write_text(names + about)
    assert 'it holds more than' in fault_of(bag).message


# ---- names that lead out of the folder ----------------------------------------------------------
@pytest.mark.timeout(200)
@pytest.mark.parametrize('name', ['../../other/a.mcap', '/etc/a.mcap', 'sub/../../a.mcap'])
def test_a_name_with_a_way_in_it_is_the_file_in_the_folder_or_missing(tmp_path, name):
    bag = tmp_path / 'here' / 'drive'
    bag.mkdir(parents=True)
    (tmp_path / 'other').mkdir()
    for elsewhere in (tmp_path / 'other', tmp_path / 'here', tmp_path):
        write(elsewhere / 'a.mcap')
    (bag / 'metadata.yaml').write_text(yaml.safe_dump(metadata([name])))
    assert "names ['a.mcap'], which are not in drive" in fault_of(bag).message
    assert list(BagReader(bag)) == []


@pytest.mark.timeout(200)
@pytest.mark.parametrize('name', ['../../../../etc/passwd', '/etc/passwd', 'sub/a.mcap'])
def test_a_seal_of_a_file_elsewhere_is_damaged(tmp_path, name):
    bag = tmp_path / 'drive'
    bag.mkdir()
    write(bag / 'a.mcap')
    (bag / 'metadata.yaml').write_text(yaml.safe_dump(metadata(['a.mcap'])))
    (bag / SUMS).write_text(f'{"0" * 64}  {name}\n')
    assert 'the seal is damaged' in fault_of(bag).message


@pytest.mark.timeout(200)
def test_a_seal_that_leaves_out_a_file_of_the_bag_is_damaged(tmp_path):
    """Cut to nothing, of another file, or with a piece added to the folder after it."""
    single = write(tmp_path / 'a.mcap')
    for text in ('', seal(write(tmp_path / 'b.mcap')).read_text()):
        (tmp_path / 'a.mcap.sha256').write_text(text)
        assert 'a.mcap.sha256: the seal does not name a.mcap' in fault_of(single).message
    bag = tmp_path / 'drive'
    bag.mkdir()
    write(bag / 'a.mcap')
    (bag / 'metadata.yaml').write_text(yaml.safe_dump(metadata(['a.mcap'])))
    lines = seal(bag).read_text().splitlines(keepends=True)
    for number, name in enumerate(('a.mcap', 'metadata.yaml')):
        (bag / SUMS).write_text(lines[1 - number])
        assert f'{SUMS}: the seal does not name {name}' in fault_of(bag).message


# ---- what unpacks to more than it says ----------------------------------------------------------
def chunked(path, data, compression, size):
    """An mcap whose first chunk holds ``data``, said to unpack to ``size`` bytes."""

    def text(words):
        return struct.pack('<I', len(words)) + words

    def record(opcode, body):
        return struct.pack('<BQ', opcode, len(body)) + body

    magic = b'\x89MCAP0\r\n'
    head = struct.pack('<QQQI', 0, 0, size, 0) + text(compression)
    body = record(1, text(b'ros2') + text(b'')) + record(
        6, head + struct.pack('<Q', len(data)) + data
    )
    end = record(15, struct.pack('<I', 0)) + record(2, struct.pack('<QQI', 0, 0, 0))
    path.write_bytes(magic + body + end + magic)
    return path


@pytest.mark.parametrize('compression', ['zstd', 'lz4'])
@pytest.mark.parametrize('said', [1000, MOST_BYTES + 1])
def test_a_chunk_that_unpacks_to_far_more_is_refused_before_it_is(tmp_path, compression, said):
    """A few kilobytes hold 64 MB of zeros; the reader never holds more than is said."""
    packer = zstd.compress if compression == 'zstd' else lz4.frame.compress
    packed = packer(bytes(1 << 26))
    assert len(packed) < 400_000
    path = chunked(tmp_path / 'a.mcap', packed, compression.encode(), said)
    tracemalloc.start()
    try:
        fault = fault_of(path)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 20_000_000
    words = 'it unpacks to more bytes than it may' if said == 1000 else 'at most 268435456'
    assert words in fault.message
    assert fault.values['offset'] > 0


@pytest.mark.parametrize('compression', ['zstd', 'lz4'])
def test_frames_one_after_the_other_are_one_chunk(compression):
    packer = zstd.compress if compression == 'zstd' else lz4.frame.compress
    both = packer(b'one') + packer(b'two')
    assert unpack(both, compression, 6) == unpack(both, compression) == b'onetwo'
    for damaged in (both[:-1], both + b'more', b''):
        with pytest.raises(ValueError, match=compression):
            unpack(damaged, compression)
    assert crc32(unpack(b'plain', '', 5)) == crc32(b'plain')
    with pytest.raises(ValueError, match='4 bytes announced, 5 found'):
        unpack(b'plain', '', 4)


def test_a_file_that_would_fill_the_disk_is_not_unpacked(tmp_path, monkeypatch):
    class Usage:
        free = 100_000

    (tmp_path / 'a.mcap.zstd').write_bytes(zstd.compress(bytes(5_000_000)))
    monkeypatch.setattr(packing.shutil, 'disk_usage', lambda _: Usage)
    with pytest.raises(ValueError, match='does not fit on the disk'):
        packing.unpack_file(tmp_path / 'a.mcap.zstd', tmp_path / 'a.mcap')
    assert (tmp_path / 'a.mcap').stat().st_size <= 90_000
