"""Bags against independent software: Foxglove's mcap library and rosbags.

They read what we write, and we read what they write.
"""

import numpy as np
import pytest
from rosbags.rosbag2 import CompressionFormat, CompressionMode, Reader, StoragePlugin, Writer

from alpamayo_ros.bags.bag import BagReader, typestore
from alpamayo_ros.bags.sensor_writer import SensorBag

mcap_reader = pytest.importorskip('mcap.reader', reason='the mcap library is not installed')
from mcap.stream_reader import StreamReader  # noqa: E402
from mcap.writer import CompressionType  # noqa: E402
from mcap.writer import Writer as FoxgloveWriter  # noqa: E402

NS = 1_000_000_000
STORE = typestore()


def write(path, compression=''):
    """Three topics, 2.4 MB of messages, half of which can be packed."""
    with SensorBag(path, compression) as bag:
        for i in range(200):
            at = 5 * NS + i * NS // 100
            noise = np.random.default_rng(i).bytes(6000)
            bag.compressed_image('/front', at, 'camera', b'\xff\xd8\xff' + noise + bytes(6000))
            pose = np.eye(4)
            bag.odometry('/o', at + 3, ('odom', 'base_link'), pose, np.ones(3), np.zeros(3))
            bag.transforms('/tf', at + 1, {('odom', 'base_link'): pose})


def ours(path):
    reader = BagReader(path, raw=True, store=STORE)
    rows = [(m.topic, m.time_ns, m.message) for m in reader]
    assert reader.fault is None, reader.fault
    return rows


@pytest.mark.parametrize('compression', ['', 'zstd'])
def test_others_read_what_we_write(tmp_path, compression):
    path = tmp_path / 'a.mcap'
    write(path, compression)
    rows = ours(path)
    assert len(rows) == 600
    with Reader(path) as reader:
        assert [(c.topic, t, d) for c, t, d in reader.messages(reader.connections)] == rows
        assert reader.message_count == 600
        assert {c.topic: c.msgcount for c in reader.connections} == dict.fromkeys(
            ('/front', '/o', '/tf'), 200
        )
    with path.open('rb') as file:
        found = mcap_reader.make_reader(file, validate_crcs=True)
        assert [(c.topic, m.log_time, m.data) for _, c, m in found.iter_messages()] == rows
        summary = found.get_summary()
        assert summary.statistics.message_count == 600
        assert len(summary.chunk_indexes) == summary.statistics.chunk_count >= 3
        assert {c.compression for c in summary.chunk_indexes} == {compression}
    with path.open('rb') as file:  # the CRC of the data as a whole, too
        assert len(list(StreamReader(file, validate_crcs=True).records)) > 600
    if compression:
        assert path.stat().st_size < 0.7 * sum(len(row[2]) for row in rows)


@pytest.mark.parametrize('compression', list(CompressionType))
@pytest.mark.parametrize('chunking', [True, False])
def test_we_read_what_foxglove_writes(tmp_path, compression, chunking):
    """Also messages that were not recorded in order, and files without chunks."""
    path = tmp_path / 'a.mcap'
    data = STORE.serialize_cdr(STORE.types['std_msgs/msg/String']('hello'), 'std_msgs/msg/String')
    with path.open('wb') as file:
        kinds = {'enable_crcs': True, 'enable_data_crcs': True, 'use_chunking': chunking}
        out = FoxgloveWriter(file, 2000, compression, **kinds)
        out.start('ros2', 'test')
        schema = out.register_schema('std_msgs/msg/String', 'ros2msg', b'string data\n')
        channel = out.register_channel('/s', 'cdr', schema)
        times = [i * 1000 + (i % 7) * 20_000 for i in range(400)]
        for i, time_ns in enumerate(times):
            out.add_message(channel, time_ns, bytes(data), time_ns, i)
        out.add_attachment(0, 0, 'notes.txt', 'text/plain', b'rain')
        out.finish()
    rows = ours(path)
    assert [t for _, t, _ in rows] == sorted(times)
    reader = BagReader(path, store=STORE)
    assert {m.message.data for m in reader} == {'hello'}
    assert reader.unchecked == 0


WRITES = [
    (plugin, mode)
    for plugin in StoragePlugin
    for mode in CompressionMode
    # sqlite3 has no compression of its own
    if plugin is not StoragePlugin.SQLITE3 or mode is not CompressionMode.STORAGE
]


@pytest.mark.parametrize(('plugin', 'mode'), WRITES)
def test_we_read_what_rosbags_writes(tmp_path, plugin, mode):
    write(tmp_path / 'a.mcap')
    rows = ours(tmp_path / 'a.mcap')
    out = Writer(tmp_path / 'bag', version=9, storage_plugin=plugin)
    out.set_compression(mode, CompressionFormat.ZSTD)
    with out, Reader(tmp_path / 'a.mcap') as reader:
        to = {
            c.id: out.add_connection(c.topic, c.msgtype, typestore=STORE)
            for c in reader.connections
        }
        for connection, time_ns, data in reader.messages():
            out.write(to[connection.id], time_ns, data)
    assert ours(tmp_path / 'bag') == rows
