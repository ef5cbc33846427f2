"""A growing recording: atomic, survives a full disk as a whole bag, loses nothing silently."""

import errno
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from shipped import limits

from alpamayo_ros.bags.bag import BagReader, described
from alpamayo_ros.bags.disk_room import DiskRoom
from alpamayo_ros.bags.outline import about
from alpamayo_ros.bags.record_plan import check_plan, read_plan
from alpamayo_ros.bags.schema import typestore
from alpamayo_ros.bags.sink import BagSink
from alpamayo_ros.bringup import GRAPHS
from alpamayo_ros.faults import Code
from alpamayo_ros.graph_options import Options
from alpamayo_ros.recording.events import Route
from alpamayo_ros.recording.limited_writer import LimitedWriter
from alpamayo_ros.recording.recording import Writer
from alpamayo_ros.sensing.rig import load_rig

NS = 1_000_000_000
STORE = typestore()
TOPIC = described('/words', 'std_msgs/msg/String', STORE)
ROOMY = DiskRoom(Path('.'), limits(), lambda folder: 10**12)


def words(size, seed=0):
    """A serialised std_msgs/String of letters that do not compress."""
    letters = np.random.default_rng(seed).integers(97, 123, size, np.uint8).tobytes().decode()
    return bytes(STORE.serialize_cdr(STORE.types['std_msgs/msg/String'](letters), TOPIC.type))


def test_the_file_has_its_name_only_when_it_is_complete(tmp_path):
    path = tmp_path / 'a.mcap'
    sink = BagSink(path, ROOMY, 'zstd', {'origin': 'recorded'})
    for i in range(30):
        sink.take(TOPIC, '', i * NS, words(1000, i))
        assert not path.exists()
    assert sink.part.exists()
    assert sink.close() == path
    assert [p.name for p in tmp_path.iterdir()] == ['a.mcap']
    reader = BagReader(path)
    assert [m.time_ns for m in reader] == [i * NS for i in range(30)]
    assert reader.fault is None and reader.unchecked == 0
    assert about(path)['origin'] == 'recorded'


class Small:
    """A file on a disk that takes ``room`` bytes."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def write(self, data):
        fits = max(0, self.room - self.file.tell())
        if not fits:
            raise OSError(errno.ENOSPC, 'No space left on device')
        return self.file.write(bytes(data)[:fits])

    def __getattr__(self, name):
        return getattr(self.file, name)


def test_a_full_disk_ends_the_recording_and_what_fits_is_whole(tmp_path):
    sink = BagSink(tmp_path / 'a.mcap', ROOMY)
    sink._writer._file = Small(sink._file, 3_500_000)
    for i in range(100):
        sink.take(TOPIC, '', i * NS, words(100_000, i))
    path = sink.close()
    assert sink.fault.code is Code.DISK_FULL
    assert 'No space left' in sink.fault.message
    reader = BagReader(path)
    got = [m.time_ns for m in reader]
    assert reader.fault is None
    assert got == [i * NS for i in range(len(got))]
    assert 25 < len(got) == sink.written < 36
    assert about(path)['ended'] == 'DISK_FULL'
    assert path.stat().st_size <= 3_500_000


def test_a_disk_without_room_leaves_the_marked_part(tmp_path):
    sink = BagSink(tmp_path / 'a.mcap', ROOMY)
    sink._writer._file = Small(sink._file, 60)
    sink.take(TOPIC, '', NS, words(10))
    assert sink.close() is None
    assert sink.fault.code is Code.DISK_FULL
    assert [p.name for p in tmp_path.iterdir()] == ['a.mcap.part']


def test_a_slow_disk_drops_and_counts(tmp_path):
    sink = BagSink(tmp_path / 'a.mcap', ROOMY, queue_bytes=250_000)
    with sink._lock:  # the writer cannot take anything out
        sink._held = 240_000
    sink.take(TOPIC, '', NS, words(20_000))
    sink.take(TOPIC, '', 2 * NS, words(2_000))
    sink.close()
    assert (sink.counts['/words'], sink.lost['/words']) == (1, 1)
    assert about(tmp_path / 'a.mcap')['lost'] == '1 on /words'


def test_what_was_flushed_survives_a_crash(tmp_path):
    """Nothing was closed: the part can be read up to its end, and is said to be cut off."""
    sink = BagSink(tmp_path / 'a.mcap', ROOMY)
    sink.take(TOPIC, '', NS, words(1000))
    end_s = time.monotonic() + 300
    while sink.part.stat().st_size < 1000 and time.monotonic() < end_s:
        time.sleep(0.05)
    copy = tmp_path / 'crashed.mcap'
    copy.write_bytes(sink.part.read_bytes())
    sink.close()
    reader = BagReader(copy)
    assert len(list(reader)) == 1
    assert reader.fault.code is Code.BAG_BROKEN
    assert 'there is no footer' in reader.fault.message


# ---- config/record.yaml -----------------------------------------------------------------------
def test_the_shipped_plan_records_every_input_of_the_rig():
    plan, rig = read_plan(), load_rig('sim')
    for camera in rig.cameras:
        assert plan.wants(f'/alpamayo/{camera.topic}')
        assert plan.wants(f'/alpamayo/{camera.info_topic}')
    for name in ('odometry', 'ground_truth/objects', 'nav_instruction', 'route'):
        assert plan.wants(f'/alpamayo/{name}')
    assert not plan.wants('/alpamayo/trajectory')
    assert plan.compression == 'zstd'


def test_the_storage_options_turn_every_checksum_on(repository):
    options = yaml.safe_load((repository / 'config' / 'record_storage.yaml').read_text())
    assert options['noChunkCRC'] is options['noSummaryCRC'] is False
    assert options['enableDataCRC'] is True


def test_a_pattern_adds_topics(tmp_path):
    file = tmp_path / 'r.yaml'
    tree = {'record': {'topics': ['/a'], 'regex': '/lidar/.*'}, 'storage': {}}
    file.write_text(yaml.safe_dump({'rosbag2_recorder': {'ros__parameters': tree}}))
    plan = read_plan(file)
    assert plan.wants('/a') and plan.wants('/lidar/points')
    assert not plan.wants('/b') and not plan.wants('/x/lidar/points')
    assert plan.compression == ''


@pytest.mark.parametrize(
    ('record', 'storage', 'words_'),
    [
        ({'topics': 'all'}, {}, 'list of topic names'),
        ({'topics': ['odometry']}, {}, 'no / in front'),
        ({'topics': [], 'all_topics': True}, {}, 'list the topics'),
        ({'topics': []}, {'storage_id': 'sqlite3'}, 'storage_id is mcap'),
        ({'topics': []}, {'storage_preset_profile': 'best'}, 'one of none, fastwrite'),
        ({'topics': [], 'regex': '('}, {}, r'record\.regex'),
        ({}, {}, 'list of topic names'),
        ({'topics': [], 'regex': 7}, {}, r'r\.yaml:4: record\.regex: expected str, got 7'),
        ({'topics': [], 'all_topics': 'x'}, {}, "all_topics: expected bool, got 'x'"),
        ({'topics': [], 'start_paused': 1e12}, {}, 'start_paused: expected bool'),
        ({'topic': ['/a']}, {}, "no key 'topic' in record; did you mean topics"),
        ({'topics': []}, {'max_bagfile_sise': 1}, 'did you mean max_bagfile_size'),
    ],
)
def test_a_plan_that_would_record_something_else_is_refused(tmp_path, record, storage, words_):
    file = tmp_path / 'r.yaml'
    tree = {'/**': {'ros__parameters': {'record': record, 'storage': storage}}}
    file.write_text(yaml.safe_dump(tree))
    with pytest.raises(ValueError, match=words_):
        read_plan(file)


@pytest.mark.parametrize(
    ('beside', 'said'),
    [
        ({'use_sim_time': [1]}, r'use_sim_time: expected bool, got'),
        ({'recrod': 1}, 'recrod'),
    ],
)
def test_what_stands_beside_the_parts_of_a_plan_is_checked(tmp_path, beside, said):
    file = tmp_path / 'r.yaml'
    tree = {'record': {'topics': ['/a']}, 'storage': {}, **beside}
    file.write_text(yaml.safe_dump({'/**': {'ros__parameters': tree}}))
    with pytest.raises(ValueError, match=said):
        read_plan(file)


def test_keys_without_an_effect_are_named(tmp_path, capsys):
    file = tmp_path / 'r.yaml'
    tree = {'record': {'topics': ['/a'], 'node_prefix': 'x'}, 'storage': {'max_bagfile_size': 9}}
    file.write_text(yaml.safe_dump({'/**': {'ros__parameters': tree}}))
    check_plan(str(file), str(tmp_path / 'new.mcap'))
    said = capsys.readouterr().err
    assert said.count('\n') == 1 and 'record.node_prefix, storage.max_bagfile_size' in said


@pytest.mark.parametrize('name', ['vehicle', 'simulator'])
def test_the_graph_gets_a_bag_recorder(name):
    graph = GRAPHS[name](Options(bag_out='drive.mcap', lockstep=name == 'simulator'))
    node, last = graph.nodes[0], dict(graph.nodes[-1].parameters)
    assert node.name == 'bag_recorder' and not node.respawn
    parameters = dict(node.parameters)
    assert (parameters['file'], parameters['record']) == ('drive.mcap', '')
    assert parameters['use_sim_time'] is (name == 'simulator')
    assert last.get('bagged', True) is True  # lockstep waits for it
    assert 'bag_recorder' not in [n.name for n in GRAPHS[name](Options()).nodes]


@pytest.mark.parametrize(
    ('left', 'code'), [(6.0e9, None), (4.9e9, Code.DISK_WARN), (4.9e8, Code.DISK_FULL)]
)
def test_room_is_judged_by_the_limits(tmp_path, left, code):
    """A folder's recording, and a bag: both warn, then end as whole files; the caller goes on."""
    room = DiskRoom(tmp_path, limits(), lambda folder: left)
    sink, writer = BagSink(tmp_path / 'a.mcap', room), LimitedWriter(Writer(tmp_path / 'r'), room)
    for i in range(3):
        sink.take(TOPIC, '', i * NS, words(10))
        writer.write(Route(i, [[0.0, 0.0]]))
    writer.close()
    sink.close()
    found = [fault and fault.code for fault in (sink.fault or sink.warning, writer.fault)]
    assert found == [code, code]
    kept = 0 if code is Code.DISK_FULL else 3
    assert len(list(BagReader(tmp_path / 'a.mcap'))) == kept
    assert len((tmp_path / 'r' / 'events.jsonl').read_text().splitlines()) == kept


def test_a_folder_whose_disk_takes_no_more_ends_the_recording(tmp_path):
    """The writer raises ENOSPC: DISK_FULL, and what comes later is dropped."""
    writer = LimitedWriter(Writer(tmp_path), DiskRoom(tmp_path, limits(), lambda folder: 10**12))
    writer._writer._events = Small(writer._writer._events, 0)
    writer.write(Route(0, [[0.0, 0.0]]))
    assert writer.fault.code is Code.DISK_FULL and 'No space left' in writer.fault.message
    writer.flush()
    assert writer.ended
    writer.close()
