"""Recordings as they come from the field: sound ones are read, and a part costs only that part."""

import numpy as np
import pytest
import yaml
from mcap.records import Schema
from mcap.writer import CompressionType
from mcap.writer import Writer as FoxgloveWriter
from rosbags.rosbag2 import StoragePlugin, Writer

from alpamayo_ros.bags.bag import BagReader, BagWriter, typestore
from alpamayo_ros.bags.folder import seal
from alpamayo_ros.bags.mcap_records import PREFIX, encoded, parse
from alpamayo_ros.bags.outline import outline
from alpamayo_ros.bags.pack import zstd
from alpamayo_ros.bags.recover import recover
from alpamayo_ros.bags.sensor_writer import SensorBag
from alpamayo_ros.cli import data_bags

NS = 1_000_000_000
STORE = typestore()
STRING = 'std_msgs/msg/String'
WORDS = bytes(STORE.serialize_cdr(STORE.types[STRING]('hello'), STRING))


def foxglove(path, *channels, profile='ros2'):
    """Ten messages on /s and three on each further (topic, encoding, schema)."""
    with path.open('wb') as file:
        out = FoxgloveWriter(file, compression=CompressionType.NONE)
        out.start(profile, 'test')
        known = out.register_channel(
            '/s', 'cdr', out.register_schema(STRING, 'ros2msg', b'string data\n')
        )
        for i in range(10):
            out.add_message(known, NS + i, WORDS, NS + i)
        for topic, encoding, schema in channels:
            number = out.register_schema(*schema) if schema else 0
            channel = out.register_channel(topic, encoding, number)
            for i in range(3):
                out.add_message(channel, NS + i, b'{"n": %d}' % i, NS + i)
        out.finish()
    return path


def strings(path, times_ns, topic='/s'):
    with BagWriter(path) as bag:
        for time_ns in times_ns:
            bag.write(topic, bag.new(STRING, data=str(time_ns)), time_ns)
    return path


def read(path, topics=None):
    reader = BagReader(path, topics, store=typestore())
    return list(reader), reader


# ---- a channel that is not CDR concerns its own topic only --------------------------------------
ODD = {
    'json': ('/notes', 'json', ('notes', 'jsonschema', b'{"type":"object"}')),
    'without schema': ('/notes', 'json', None),
    'without definition': ('/notes', 'cdr', None),
    'binary schema': ('/notes', 'protobuf', ('Notes', 'protobuf', b'\x0a\xff\xfe\x00')),
    'unknown type': ('/notes', 'cdr', ('vendor_msgs/msg/Status', 'ros2msg', b'')),
    'no definition at all': ('/notes', 'cdr', ('vendor_msgs/msg/Status', 'ros2msg', b'int64[ a')),
    'events of a service': ('/notes', 'cdr', ('a/srv/Add_Event', 'ros2msg', b'int64 a\n---\n')),
    'fields of another release': ('/notes', 'cdr', ('std_msgs/msg/Bool', 'ros2msg', b'int8 a')),
}


@pytest.mark.parametrize('kind', ODD)
def test_an_odd_channel_costs_no_other_topic(tmp_path, kind):
    path = foxglove(tmp_path / 'a.mcap', ODD[kind])
    got, reader = read(path)
    assert reader.fault is None
    assert [m.message.data for m in got if m.topic == '/s'] == ['hello'] * 10
    assert [m.message for m in got if m.topic == '/notes'] == [b'{"n": %d}' % i for i in range(3)]
    assert set(reader.unread) == {'/notes'}
    assert outline(path).counts == {'/s': 10, '/notes': 3}
    got, reader = read(path, {'/s'})
    assert (len(got), reader.fault, reader.unread) == (10, None, {})
    got, reader = read(path, {'/notes'})
    assert got == [] and '/notes' in reader.fault.message
    assert seal(path).exists()


def test_a_topic_of_another_release_that_is_needed_ends_the_reading(tmp_path):
    path = foxglove(tmp_path / 'a.mcap', ODD['fields of another release'])
    assert list(reader := BagReader(path, raw=True)) and reader.fault is None
    reader = BagReader(path, raw=True, needed={'/notes'})
    assert '/notes' not in {m.topic for m in reader}
    assert 'was recorded with other fields' in reader.fault.message


def test_a_type_named_without_its_middle_part_is_that_type(tmp_path):
    said = ('/short', 'cdr', ('std_msgs/Int32', 'ros2msg', b'int32 data'))
    path = foxglove(tmp_path / 'a.mcap', said)
    got = list(reader := BagReader(path, {'/short'}, raw=True))
    assert reader.fault is None
    assert [m.type for m in got] == ['std_msgs/msg/Int32'] * 3
    assert outline(path).types['/short'] == 'std_msgs/msg/Int32'


@pytest.mark.parametrize('kind', ODD)
def test_an_odd_channel_is_recovered_as_it_is(tmp_path, kind):
    path = foxglove(tmp_path / 'a.mcap', ODD[kind])
    found = recover(path, tmp_path / 'b.mcap')
    assert (found.damage, found.counts) == ('', {'/s': 10, '/notes': 3})
    rows = [
        [(m.topic, m.type, m.time_ns, m.message) for m in BagReader(p, raw=True)]
        for p in (path, tmp_path / 'b.mcap')
    ]
    assert sorted(rows[0]) == sorted(rows[1])
    assert BagReader(path).types() == BagReader(tmp_path / 'b.mcap').types()


def test_check_names_what_it_did_not_look_into(tmp_path, capsys):
    path = foxglove(tmp_path / 'a.mcap', ODD['json'])
    with pytest.raises(data_bags.typer.Exit) as leave:
        data_bags.check(path)
    assert leave.value.exit_code == 0
    printed = capsys.readouterr().out
    assert f'{path}: sound' in printed
    assert "not looked into: /notes: messages are 'json', only cdr can be read" in printed


def test_a_vendors_type_in_a_db3_without_definitions(tmp_path):
    with Writer(tmp_path / 'a', version=9, storage_plugin=StoragePlugin.SQLITE3) as out:
        known = out.add_connection('/s', STRING, typestore=STORE)
        other = out.add_connection(
            '/vendor',
            'vendor_msgs/msg/Status',
            msgdef='uint8 level\n',
            rihs01='RIHS01_' + '0' * 64,
        )
        out.write(known, NS, WORDS)
        out.write(other, NS + 1, b'\0\1\0\0\7')
    import sqlite3

    base = sqlite3.connect(next((tmp_path / 'a').glob('*.db3')))
    base.execute('DELETE FROM message_definitions')
    base.commit()
    base.close()
    got, reader = read(tmp_path / 'a')
    assert reader.fault is None and len(got) == 2
    assert 'vendor_msgs/msg/Status is not known here' in reader.unread['/vendor']


def test_a_file_without_a_profile_is_read_and_another_profile_refused(tmp_path):
    got, reader = read(foxglove(tmp_path / 'a.mcap', profile=''))
    assert reader.fault is None and len(got) == 10
    got, reader = read(foxglove(tmp_path / 'b.mcap', profile='ros1'))
    assert got == [] and "the profile is 'ros1', not ros2" in reader.fault.message


def test_a_record_may_be_longer_than_is_known_and_not_shorter():
    schema = Schema(id=7, data=b'string data', encoding='ros2msg', name=STRING)
    body = encoded(schema)[PREFIX.size :]
    assert parse(Schema.read, body) == parse(Schema.read, body + b'later') == schema
    for length in range(len(body)):
        with pytest.raises(ValueError, match=r'bytes announced|ends within'):
            parse(Schema.read, body[:length])


# ---- files in the order of their first time -----------------------------------------------------
def test_twelve_splits_without_metadata_are_read_in_the_order_of_time(tmp_path):
    bag = tmp_path / 'drive'
    bag.mkdir()
    for i in range(12):
        strings(bag / f'drive_{i}.mcap', range(i * NS, (i + 1) * NS, NS // 4))
    got, reader = read(bag)
    assert [m.time_ns for m in got] == list(range(0, 12 * NS, NS // 4))
    assert 'ros2 bag reindex' in reader.fault.message  # and nothing else
    recover(bag, tmp_path / 'b.mcap')
    assert [m.time_ns for m in read(tmp_path / 'b.mcap')[0]] == [m.time_ns for m in got]


def folder(bag, parts):
    """A split recording with metadata; ``parts``: times of each file."""
    bag.mkdir()
    for i, times_ns in enumerate(parts):
        strings(bag / f'{i}.mcap', times_ns)
    count = sum(map(len, parts))
    topic = {'name': '/s', 'type': STRING, 'serialization_format': 'cdr'}
    about = {
        'relative_file_paths': [f'{i}.mcap' for i in range(len(parts))],
        'message_count': count,
        'topics_with_message_count': [{'topic_metadata': topic, 'message_count': count}],
    }
    text = yaml.safe_dump({'rosbag2_bagfile_information': about})
    (bag / 'metadata.yaml').write_text(text)
    return bag


def test_files_that_overlap_are_merged_by_time(tmp_path):
    parts = [[1, 2, 5, 9], [4, 6, 7], [8, 12], [20, 21]]
    got, reader = read(folder(tmp_path / 'drive', [[i * NS for i in p] for p in parts]))
    assert reader.fault is None
    assert [m.time_ns // NS for m in got] == sorted(sum(parts, []))
    assert reader.unchecked == 0


def test_a_damaged_part_leaves_what_lies_before_it(tmp_path):
    bag = folder(tmp_path / 'drive', [[1, 2, 3], [4, 5, 6]])
    (bag / '1.mcap').write_bytes((bag / '1.mcap').read_bytes()[:100])
    got, reader = read(bag)
    assert [m.time_ns for m in got] == [1, 2, 3]
    assert '1.mcap' in reader.fault.message and 'offset' in reader.fault.values


def test_a_damaged_part_that_overlaps_leaves_the_files_before_it(tmp_path):
    bag = folder(tmp_path / 'drive', [[1, 2, 6], [4, 5, 7], [6, 9]])
    data = bytearray((bag / '1.mcap').read_bytes())
    data[200] ^= 1  # in its chunk
    (bag / '1.mcap').write_bytes(data)
    got, reader = read(bag)
    assert [m.time_ns for m in got] == [1, 2, 6]
    assert '1.mcap: a chunk is damaged' in reader.fault.message


@pytest.mark.parametrize('length', [100_000, 40_000])  # what is left: above and below a block
def test_a_packed_file_that_is_cut_off_is_read_as_far_as_it_goes(length, tmp_path):
    bag = folder(tmp_path / 'drive', [[NS, 2 * NS]])
    noise = np.random.default_rng(0).integers(97, 123, (60, length), np.uint8)
    with BagWriter(bag / '0.mcap') as out:
        for i in range(60):
            out.write('/s', out.new(STRING, data=noise[i].tobytes().decode()), i * NS)
    data = zstd.compress((bag / '0.mcap').read_bytes(), 1)
    (bag / '0.mcap').unlink()
    (bag / '0.mcap.zstd').write_bytes(data[: len(data) // 2])
    text = (bag / 'metadata.yaml').read_text().replace('0.mcap', '0.mcap.zstd')
    (bag / 'metadata.yaml').write_text(text)
    got, reader = read(bag)
    assert 10 < len(got) < 31
    assert [m.time_ns for m in got] == [i * NS for i in range(len(got))]
    assert '0.mcap' in reader.fault.message and reader.fault.values['offset'] > 10 * length
    assert recover(bag, tmp_path / 'b.mcap').counts == {'/s': len(got)}


# ---- rates and spans ----------------------------------------------------------------------------
def test_the_rate_of_a_topic_is_that_of_its_own_intervals(tmp_path):
    with SensorBag(tmp_path / 'a.mcap') as bag:
        for i in range(100):
            if not 40 < i < 60:  # a hole in the middle is a hole, not a slower topic
                twist = np.ones(3), np.zeros(3)
                pose = ('odom', 'base_link'), np.eye(4)
                bag.odometry('/o', 5 * NS + i * NS // 50, *pose, *twist)
        for i in range(10):
            bag.write('/s', bag.new(STRING, data=''), 90 * NS + i * NS)
        bag.write('/once', bag.new(STRING, data=''), 7 * NS)
    found = outline(tmp_path / 'a.mcap')
    assert found.rate_hz('/o') == pytest.approx(50.0)
    assert found.rate_hz('/s') == pytest.approx(1.0)
    assert found.rate_hz('/once') == found.rate_hz('/none') == 0.0
    assert found.span_s == pytest.approx(94.0)
    assert found.strays() == []


def test_a_stray_time_is_told_and_changes_no_span(tmp_path):
    with BagWriter(tmp_path / 'a.mcap') as bag:
        bag.write('/robot_description', bag.new(STRING, data='<robot/>'), 0)
        for i in range(20):
            bag.write('/s', bag.new(STRING, data=''), 1_760_000_000 * NS + i * NS // 10)
    found = outline(tmp_path / 'a.mcap')
    assert found.span_s == pytest.approx(1.9)
    assert found.rate_hz('/s') == pytest.approx(10.0)
    (text,) = found.strays()
    assert '/robot_description at 0.000 s: 1760000000 s from all others' in text


def test_a_split_without_messages_has_no_span(tmp_path):
    found = outline(folder(tmp_path / 'drive', [[5 * NS, 6 * NS, 7 * NS], []]))
    assert found.whole
    assert found.bounds_s == (5.0, 7.0)
    got, reader = read(tmp_path / 'drive')
    assert reader.fault is None and len(got) == 3
    assert outline(strings(tmp_path / 'empty.mcap', [])).span_s == 0.0


@pytest.mark.parametrize('chunking', [True, False])
def test_times_without_message_indexes_come_from_the_messages(tmp_path, chunking):
    path = tmp_path / 'a.mcap'
    with path.open('wb') as file:
        from mcap.writer import IndexType

        plain = CompressionType.NONE
        out = FoxgloveWriter(file, 200, plain, index_types=IndexType.NONE, use_chunking=chunking)
        out.start('ros2', 'test')
        number = out.register_schema(STRING, 'ros2msg', b'string data\n')
        channel = out.register_channel('/s', 'cdr', number)
        for i in range(30):
            out.add_message(channel, NS + i * NS // 20, WORDS, NS)
        out.finish()
    found = outline(path)
    assert found.whole and found.counts == {'/s': 30}
    assert found.rate_hz('/s') == pytest.approx(20.0)


def test_what_was_advertised_and_never_sent_is_not_recorded(tmp_path):
    from alpamayo_ros.replay.setup import recorded

    with Writer(tmp_path / 'a', version=9, storage_plugin=StoragePlugin.SQLITE3) as out:
        out.add_connection('/silent', STRING, typestore=STORE)
        out.write(out.add_connection('/s', STRING, typestore=STORE), NS, WORDS)
    found = outline(tmp_path / 'a')
    assert found.types == {'/silent': STRING, '/s': STRING}
    assert recorded(found) == {'/s': STRING}
