"""Damaged recordings: 20 cut off and 20 with a flipped bit, of each format.

None may crash the reader, none may be read as whole, none may lose a message without a word.
"""

import random
import shutil

import numpy as np
import pytest
from rosbags.rosbag2 import Reader, StoragePlugin, Writer

from alpamayo_ros.bags.bag import BagReader, typestore
from alpamayo_ros.bags.folder import SUMS, seal
from alpamayo_ros.bags.sensor_writer import SensorBag
from alpamayo_ros.faults import Code
from alpamayo_ros.sensing.rig import load_rig

NS = 1_000_000_000
STORE = typestore()
COPIES = 20
STEPS = 100
FRONT = load_rig('sim').camera('front')


def write(path):
    """100 steps, about 1.3 MB: two chunks."""
    pixels = np.random.default_rng(0)
    with SensorBag(path) as bag:
        for i in range(STEPS):
            stamp = 1000 * NS + i * NS // 10
            data = b'\xff\xd8\xff' + pixels.integers(0, 255, 12_000, np.uint8).tobytes()
            bag.compressed_image('/front', stamp, 'camera', data)
            bag.camera_info('/front/info', stamp, FRONT)
            twist = np.array([10.0, 0, 0]), np.zeros(3)
            bag.odometry('/odometry', stamp, ('odom', 'base_link'), np.eye(4), *twist)


def by_rosbags(source, folder, plugin):
    """The same messages, written by another writer."""
    with Writer(folder, version=9, storage_plugin=plugin) as out, Reader(source) as reader:
        kinds = {c.id: (c.topic, c.msgtype) for c in reader.connections}
        to = {n: out.add_connection(*k, typestore=STORE) for n, k in kinds.items()}
        for connection, time_ns, data in reader.messages():
            out.write(to[connection.id], time_ns, data)
    return folder


def read(path):
    reader = BagReader(path, store=STORE)
    return list(reader), reader


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """One drive as our mcap, as an mcap without checksums, and as a db3."""
    folder = tmp_path_factory.mktemp('whole')
    write(folder / 'ours.mcap')
    plain = by_rosbags(folder / 'ours.mcap', folder / 'plain', StoragePlugin.MCAP)
    lite = by_rosbags(folder / 'ours.mcap', folder / 'lite', StoragePlugin.SQLITE3)
    return {'ours': folder / 'ours.mcap', 'plain': plain, 'db3': lite}


def storage(path):
    """The storage file of a bag."""
    return path if path.is_file() else next(p for p in path.iterdir() if p.suffix != '.yaml')


def spoiled(path, tmp_path, change):
    """A copy of a bag whose storage file's bytes went through ``change``."""
    target = tmp_path / path.name
    if path.is_dir():
        shutil.copytree(path, target, dirs_exist_ok=True)
    else:
        shutil.copy(path, target)
    file = storage(target)
    file.write_bytes(change(bytearray(file.read_bytes())))
    return target


def flip(seed):
    """One bit, anywhere."""

    def change(data):
        chance = random.Random(seed)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        return data

    return change


def check_fault(reader, got, total=3 * STEPS):
    """What every report of damage says."""
    fault = reader.fault
    assert fault.code is Code.BAG_BROKEN
    assert fault.values['messages'] == len(got) == reader.count <= total
    verb = 'message was' if len(got) == 1 else 'messages were'
    assert f'{len(got)} {verb} read before it' in fault.message
    assert [m.time_ns for m in got] == sorted(m.time_ns for m in got)


@pytest.mark.parametrize('kind', ['ours', 'plain', 'db3'])
def test_undamaged_bags_are_whole(whole, kind):
    got, reader = read(whole[kind])
    assert reader.fault is None
    assert len(got) == 3 * STEPS
    assert reader.unchecked == (0 if kind == 'ours' else 3 * STEPS)


@pytest.mark.parametrize('kind', ['ours', 'plain', 'db3'])
def test_twenty_that_are_cut_off(whole, kind, tmp_path):
    reference, _ = read(whole[kind])
    size, partial = storage(whole[kind]).stat().st_size, 0
    for i in range(COPIES):
        cut = size * i // COPIES if i else 1
        got, reader = read(spoiled(whole[kind], tmp_path, lambda data, cut=cut: data[:cut]))
        check_fault(reader, got)
        assert 0 <= reader.fault.values.get('offset', -1) <= cut, reader.fault.message
        assert [(m.topic, m.time_ns) for m in got] == [
            (m.topic, m.time_ns) for m in reference[: len(got)]
        ]
        partial += len(got) > 0
    assert partial > 0  # what lies before the damage is read


def test_twenty_flipped_bits_in_an_mcap_of_ours(whole, tmp_path):
    named = 0
    for seed in range(COPIES):
        got, reader = read(spoiled(whole['ours'], tmp_path, flip(seed)))
        check_fault(reader, got)
        named += 'offset' in reader.fault.values
    assert named == COPIES


def test_twenty_flipped_bits_in_a_sealed_db3(whole, tmp_path):
    """sqlite3 has no checksum; the seal has."""
    for seed in range(COPIES):
        bag = tmp_path / f'lite_{seed}'
        shutil.copytree(whole['db3'], bag)
        seal(bag)
        file = storage(bag) if storage(bag).name != SUMS else next(bag.glob('*.db3'))
        file.write_bytes(flip(seed)(bytearray(file.read_bytes())))
        got, reader = read(bag)
        check_fault(reader, got)
        shutil.rmtree(bag)


@pytest.mark.parametrize('kind', ['plain', 'db3'])
def test_without_checksum_nothing_is_lost_silently(whole, kind, tmp_path):
    """A flip may go unseen inside a message, and only there; the reader says that it may."""
    unseen = 0
    for seed in range(COPIES):
        got, reader = read(spoiled(whole[kind], tmp_path, flip(seed)))
        if reader.fault is not None:
            check_fault(reader, got)
            continue
        unseen += 1
        assert len(got) == 3 * STEPS
        assert reader.unchecked == 3 * STEPS
    assert unseen  # otherwise this test is about nothing


def test_every_byte_of_an_mcap_of_ours_counts(tmp_path):
    """Any flip in the frame of the file (everything but the pictures) is found."""
    small = tmp_path / 'small.mcap'
    with SensorBag(small) as bag:
        bag.odometry('/o', NS, ('odom', 'base_link'), np.eye(4), np.ones(3), np.zeros(3))
    data = small.read_bytes()
    for at in range(0, len(data), 23):
        copy = bytearray(data)
        copy[at] ^= 0x10
        small.write_bytes(copy)
        got, reader = read(small)
        check_fault(reader, got, 1)


def test_the_sentence_names_place_count_and_topic(whole, tmp_path):
    def spoil(data):
        data[700_000] ^= 1
        return data

    got, reader = read(spoiled(whole['ours'], tmp_path, spoil))
    assert got == []
    assert 'ours.mcap: a chunk is damaged: its checksum is' in reader.fault.message
    assert '(byte 41)' in reader.fault.message or 'byte' in reader.fault.message

    def second(data):
        data[1_200_000] ^= 1
        return data

    got, reader = read(spoiled(whole['ours'], tmp_path, second))
    assert 200 < len(got) < 300
    assert reader.fault.values['offset'] > 1_000_000
    assert 'the last on /' in reader.fault.message


def test_the_topic_of_an_undecodable_message_is_named(tmp_path):
    path = tmp_path / 'a.mcap'
    with SensorBag(path) as bag:
        bag.camera_info('/front/info', NS, FRONT)
        data = b'\0\1\0\0' + bytes(20) + b'\xff\xff\xff\x7f'
        bag._writer.write(bag._channels['/front/info'], 2 * NS, data)
    got, reader = read(path)
    assert len(got) == 1
    assert 'sensor_msgs/msg/CameraInfo cannot be decoded' in reader.fault.message
    assert 'on /front/info' in reader.fault.message


def test_counts_that_disagree_with_metadata(whole, tmp_path):
    bag = tmp_path / 'lite'
    shutil.copytree(whole['db3'], bag)
    text = (bag / 'metadata.yaml').read_text()
    assert text.count('message_count: 100') == 3
    text = text.replace('message_count: 100', 'message_count: 101', 1)
    (bag / 'metadata.yaml').write_text(text.replace('message_count: 300', 'message_count: 301'))
    got, reader = read(bag)
    assert len(got) == 300
    assert '100 messages found, metadata.yaml says 101 on /' in reader.fault.message


def test_a_folder_without_metadata_is_read_and_said_to_be_unfinished(whole, tmp_path):
    bag = tmp_path / 'lite'
    shutil.copytree(whole['db3'], bag)
    (bag / 'metadata.yaml').unlink()
    got, reader = read(bag)
    assert len(got) == 300
    assert 'ros2 bag reindex lite' in reader.fault.message


def test_an_unfinished_journal_is_no_whole_recording(whole, tmp_path):
    bag = tmp_path / 'lite'
    shutil.copytree(whole['db3'], bag)
    (bag / 'lite.db3-wal').write_bytes(b'more')
    got, reader = read(bag)
    assert 'was not closed' in reader.fault.message


def test_a_message_of_no_topic_is_not_skipped(whole, tmp_path):
    import sqlite3

    bag = tmp_path / 'lite'
    shutil.copytree(whole['db3'], bag)
    with sqlite3.connect(next(bag.glob('*.db3'))) as base:
        base.execute('UPDATE messages SET topic_id = 77 WHERE id = 50')
    base.close()
    got, reader = read(bag)
    assert len(got) == 49
    assert 'message 50 is of topic 77, which is not there' in reader.fault.message


def test_a_changed_definition_is_refused(tmp_path):
    from alpamayo_ros.bags.mcap_writer import McapWriter
    from alpamayo_ros.bags.parts import Topic

    with (tmp_path / 'a.mcap').open('wb') as file:
        writer = McapWriter(file)
        topic = Topic('/speed', 'std_msgs/msg/Float32', 'float64 data\nstring unit\n')
        writer.write(writer.channel(topic), NS, b'\0\1\0\0' + bytes(16))
        writer.close()
    reader = BagReader(tmp_path / 'a.mcap', {'/speed'})
    assert list(reader) == []
    assert 'std_msgs/msg/Float32 was recorded with other fields' in reader.fault.message


@pytest.mark.parametrize('kind', ['ours', 'db3'])
def test_types_of_a_bag_that_is_cut_off(whole, kind, tmp_path):
    bag = spoiled(whole[kind], tmp_path, lambda data: data[: len(data) * 9 // 10])
    reader = BagReader(bag)
    assert set(reader.types()) == {'/front', '/front/info', '/odometry'}
    assert reader.fault.code is Code.BAG_BROKEN


def test_what_is_no_bag_is_said(tmp_path):
    for name, content in (
        ('a.mcap', b'PK' * 99),
        ('a.db3', b'PK' * 99),
        ('a.bag', b'#ROSBAG V2.0'),
    ):
        (tmp_path / name).write_bytes(content)
        got, reader = read(tmp_path / name)
        assert got == []
        assert reader.fault.code is Code.BAG_BROKEN
    assert BagReader(tmp_path / 'a.mcap').types() == {}
