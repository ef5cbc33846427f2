"""No recording is written over another one, nor over what a killed recorder left."""

import re
from pathlib import Path

import pytest

from alpamayo_ros.bags.disk_room import DiskRoom
from alpamayo_ros.bags.new_bag import check_new_bag
from alpamayo_ros.bags.sink import BagSink
from alpamayo_ros.cli.data import app
from alpamayo_ros.graph_options import Options
from alpamayo_ros.limits import load_limits
from alpamayo_ros.preflight import check_graph
from alpamayo_ros.statuses import ConfigError

THERE = {
    'drive.mcap': 'drive.mcap is there already, and no recording is written over another',
    'drive.mcap.part': 'what a killed recording left, for alpamayo data recover',
    'drive.mcap.sha256': 'the seal of an earlier recording',
}


@pytest.mark.parametrize('name', THERE)
def test_a_recording_takes_no_others_place(name: str, tmp_path: Path) -> None:
    bag = tmp_path / 'drive.mcap'
    check_new_bag(bag)
    (tmp_path / name).write_bytes(b'mine')
    with pytest.raises(ConfigError, match=re.escape(THERE[name])):
        check_new_bag(bag)
    with pytest.raises(ConfigError, match=re.escape(THERE[name])):
        check_graph('vehicle', Options(shadow=True, rig='sim', bag_out=str(bag)))
    with pytest.raises(ConfigError, match='name another file, or remove it'):
        BagSink(bag, DiskRoom(tmp_path, load_limits()))
    for words in (['simulate', str(bag)], ['convert', 'comma2k19', str(tmp_path), str(bag)]):
        with pytest.raises(ConfigError, match=re.escape(THERE[name])):
            app(words, standalone_mode=False)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b'mine'


def test_another_ending_is_refused_before_a_process_starts(tmp_path: Path) -> None:
    options = Options(bag_out=str(tmp_path / 'drive'))
    with pytest.raises(ConfigError, match=r"written as .mcap, not 'drive'; try drive.mcap"):
        check_graph('simulator', options)
