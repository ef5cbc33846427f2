"""``alpamayo data``: every command teaches, says what it did, and fails with a sentence."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.bags.outline import about
from alpamayo_ros.cli.data import app

runner = CliRunner()


def run(*words):
    return runner.invoke(app, [str(word) for word in words])


@pytest.fixture(scope='module')
def drive(tmp_path_factory):
    out = tmp_path_factory.mktemp('data') / 'drive.mcap'
    done = run('simulate', out, '--seconds', 1.0)
    assert done.exit_code == 0, done.output
    assert 'drive.mcap: 178 messages, 10 steps' in done.output
    return out


def test_a_sound_bag(drive):
    done = run('check', drive)
    assert done.exit_code == 0
    assert 'drive.mcap: sound' in done.output
    assert 'origin: simulator' in done.output
    assert 'no checksum' not in done.output


def test_a_damaged_bag_exits_with_5_and_the_offset(drive, tmp_path):
    data = bytearray(drive.read_bytes())
    data[len(data) // 2] ^= 4
    (tmp_path / 'bad.mcap').write_bytes(data)
    done = run('check', tmp_path / 'bad.mcap', '--json')
    assert done.exit_code == 5
    result = json.loads(done.stdout)
    assert not result['sound']
    assert result['offset'] == 41
    assert 'chunk is damaged' in result['fault']
    assert result['messages'] < 178
    sealed = run('seal', tmp_path / 'bad.mcap')
    assert sealed.exit_code == 5
    assert 'not sealed: BAG_BROKEN' in sealed.stderr
    assert not (tmp_path / 'bad.mcap.sha256').exists()


def test_a_seal_shows_what_changed_since(drive, tmp_path):
    copy = tmp_path / 'drive.mcap'
    copy.write_bytes(drive.read_bytes())
    assert run('seal', copy).exit_code == 0
    assert run('check', copy).exit_code == 0
    assert run('seal', copy).exit_code == 2  # once
    other = tmp_path / 'other.mcap'
    assert run('simulate', other, '--seconds', 0.5).exit_code == 0
    other.replace(copy)  # whole, but another drive
    done = run('check', copy)
    assert done.exit_code == 5
    assert 'not the one that was sealed' in done.output


def test_what_can_be_read_is_recovered(tmp_path):
    """Also from what a killed recorder leaves, and from a db3 that is cut off."""
    long = tmp_path / 'long.mcap'
    assert run('simulate', long, '--seconds', 3, '--size', '320x180').exit_code == 0
    whole = [(m.topic, m.time_ns, m.message) for m in BagReader(long, raw=True)]
    part = tmp_path / 'drive.mcap.part'
    part.write_bytes(long.read_bytes()[:-60_000])
    done = run('recover', part, tmp_path / 'saved.mcap')
    assert done.exit_code == 5
    assert 'BAG_BROKEN: drive.mcap.part: cut off' in done.stderr
    reader = BagReader(tmp_path / 'saved.mcap', raw=True)
    saved = [(m.topic, m.time_ns, m.message) for m in reader]
    assert reader.fault is None
    assert saved == whole[: len(saved)]
    assert len(saved) > len(whole) / 3
    assert about(tmp_path / 'saved.mcap')['origin'] == 'recovered'
    cut = part.read_bytes()
    assert run('recover', part, tmp_path / 'drive.mcap').exit_code == 5  # its own name
    assert (tmp_path / 'drive.mcap').stat().st_size > len(cut) / 2 and part.read_bytes() == cut
    assert [p.name for p in tmp_path.glob('.bag-*')] == []
    assert run('recover', long, tmp_path / 'saved.mcap').exit_code == 2  # it exists
    assert run('recover', long, tmp_path / 'same.mcap').exit_code == 0


def test_an_image_without_its_end_or_with_a_hole_is_found(tmp_path):
    from alpamayo_ros.bags.sensor_writer import SensorBag
    from alpamayo_ros.simulation.drive.drive_bag import jpeg

    noise = np.random.default_rng(1).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    picture = jpeg(noise, (48, 32))
    with SensorBag(tmp_path / 'a.mcap') as bag:
        bag.compressed_image('/front', 10**9, 'camera', picture)
        bag.compressed_image('/front', 2 * 10**9, 'camera', picture[:-2])
        bag.compressed_image('/front', 3 * 10**9, 'camera', picture[:-200] + picture[-2:])
    done = run('check', tmp_path / 'a.mcap')
    assert done.exit_code == 5
    assert 'at 1.000 s' not in done.output
    assert 'image: /front at 2.000 s: IMG_TRUNCATED' in done.output
    assert 'image: /front at 3.000 s: IMG_TORN Corrupt JPEG data' in done.output


def test_what_cannot_be_converted_is_a_sentence(tmp_path):
    (tmp_path / 'v1.0-mini').mkdir()
    (tmp_path / 'v1.0-mini' / 'scene.json').write_text('{')
    done = run('convert', 'nuscenes', tmp_path, tmp_path / 'a.mcap')
    assert done.exit_code == 2
    assert 'scene.json is no JSON' in done.stderr
    assert run('simulate', tmp_path / 'a.mcap', '--size', '16by9').exit_code == 2


@pytest.mark.parametrize('name', ['surround_dgp', 'kitti_odometry', 'comma2k19', 'nuscenes'])
def test_every_converter_explains_itself(name):
    done = run('convert', name, '--help')
    assert done.exit_code == 0
    assert len(done.output.split()) > 40
