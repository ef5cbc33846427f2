"""Names that are no UTF-8, of topics and of the file, cost their own topic and no reading."""

import os
import sqlite3
import subprocess
import sys

from mcap.writer import CompressionType
from mcap.writer import Writer as FoxgloveWriter
from rosbags.rosbag2 import StoragePlugin, Writer

from alpamayo_ros.bags.bag import BagReader, BagWriter, typestore
from alpamayo_ros.bags.outline import outline
from alpamayo_ros.bags.recover import recover

NS = 1_000_000_000
STRING = 'std_msgs/msg/String'
STORE = typestore()
WORDS = bytes(STORE.serialize_cdr(STORE.types[STRING]('hello'), STRING))
SHOWN = r'/caf\xe9'


def packed(path):
    """Two topics in an mcap, one of them named in Latin-1."""
    with path.open('wb') as file:
        out = FoxgloveWriter(file, compression=CompressionType.NONE, enable_crcs=False)
        out.start('ros2', 'test')
        schema = out.register_schema(STRING, 'ros2msg', b'string data\n')
        for topic in ('/s', '/cafE'):
            channel = out.register_channel(topic, 'cdr', schema)
            for i in range(3):
                out.add_message(channel, NS + i, WORDS, NS + i)
        out.finish()
    path.write_bytes(path.read_bytes().replace(b'/cafE', b'/caf\xe9'))
    return path


def test_a_topic_of_an_mcap_named_in_latin_1_costs_nothing(tmp_path):
    path = packed(tmp_path / 'a.mcap')
    reader = BagReader(path)
    assert sorted(m.topic for m in reader) == ['/caf\\xe9'] * 3 + ['/s'] * 3
    assert reader.fault is None
    assert outline(path).counts == {'/s': 3, SHOWN: 3}
    assert recover(path, tmp_path / 'b.mcap').counts == {'/s': 3, SHOWN: 3}
    assert outline(tmp_path / 'b.mcap').counts == {'/s': 3, SHOWN: 3}


def test_a_topic_of_a_db3_named_in_latin_1_costs_nothing(tmp_path):
    with Writer(tmp_path / 'a', version=9, storage_plugin=StoragePlugin.SQLITE3) as out:
        for topic in ('/s', '/other'):
            known = out.add_connection(topic, STRING, typestore=STORE)
            out.write(known, NS, WORDS)
    file = next((tmp_path / 'a').glob('*.db3'))
    base = sqlite3.connect(file)
    base.execute("UPDATE topics SET name = CAST(x'2f636166e9' AS TEXT) WHERE name = '/other'")
    base.commit()
    base.close()
    reader = BagReader(file)
    assert sorted(m.topic for m in reader) == [SHOWN, '/s']
    assert reader.fault is None


def test_a_bag_whose_own_name_is_no_utf_8_is_checked(tmp_path):
    path = tmp_path / os.fsdecode(b'caf\xe9.mcap')
    with BagWriter(path) as bag:
        bag.write('/s', bag.new(STRING, data='hello'), NS)
    command = [sys.executable, '-m', 'alpamayo_ros', 'data', 'check', str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 'Traceback' not in done.stdout + done.stderr
    assert done.returncode == 0, done.stderr
    assert 'sound' in done.stdout


def test_a_part_that_git_lfs_has_not_fetched_is_named(tmp_path):
    with BagWriter(tmp_path / 'drive_0.mcap') as out:
        out.write('/s', STORE.types[STRING]('hello'), NS)
    (tmp_path / 'drive_1.mcap').write_text('version https://git-lfs.github.com/spec/v1\n')
    reader = BagReader(tmp_path)
    assert [m.topic for m in reader] == ['/s']
    assert 'drive_1.mcap is a Git LFS pointer' in str(reader.fault)
