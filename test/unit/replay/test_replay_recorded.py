"""Real recordings and damaged ones through the offline replay."""

import json
import random

import pytest
import replay_bag
from replay_bag import Drive

from alpamayo_ros.datasets import comma2k19, kitti_odometry
from alpamayo_ros.datasets import dgp as surround_dgp
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.replay.options import Options
from alpamayo_ros.replay.run import ReplayError, run
from alpamayo_ros.reports import report_replay

SCRIPTED = Options(runtime='scripted', incomplete=True, limit_s=9.0)
DAMAGED = 20


@pytest.mark.parametrize(
    ('folder', 'convert', 'missing', 'evaluable', 'pictures'),
    [
        ('surround_dgp', surround_dgp.convert, 'history: 0.2', '', 18),
        ('comma2k19_40', comma2k19.convert, 'camera front', 'l2_at_6s', 0),
    ],
)
def test_converted_recordings(
    shared_data, tmp_path, folder, convert, missing, evaluable, pictures
):
    bag = tmp_path / 'drive.mcap'
    convert(shared_data(folder), bag)
    with pytest.raises(ReplayError, match=missing):
        run(bag, tmp_path / 'o', Options(runtime='scripted'))
    result = run(bag, tmp_path / 'o', SCRIPTED)
    found = result.summary.as_dict()
    assert found['complete'] and found['verdict'] == 'not evaluable'
    assert found['counts']['pictures'] == pictures
    assert any(missing in sentence for sentence in found['lacks'])
    for name, cell in found['metrics'].items():
        assert cell['model'] is None and cell['reason'].startswith('not evaluable: '), name
    if evaluable:
        baseline = found['metrics'][evaluable]['baseline']
        assert 0.3 < baseline < 40.0
        assert found['metrics']['l2_at_1s']['baseline'] < baseline
    page = report_replay.page(found, Recording(result.recording))
    assert 'Not evaluable' in page


def test_one_camera_of_six_is_evaluated_with_the_others_black(shared_data, tmp_path):
    bag = tmp_path / 'drive.mcap'
    kitti_odometry.convert(shared_data('kitti_odometry_2'), bag)
    with pytest.raises(ReplayError, match='camera rear'):
        run(bag, tmp_path / 'o', Options(runtime='scripted'))
    found = run(bag, tmp_path / 'o', SCRIPTED).summary.as_dict()
    assert found['counts']['pictures'] == found['counts']['sets'] == 51
    assert found['counts']['plans'] > 20
    cell = found['metrics']['l2_at_1s']
    assert 3 > cell['model'] > cell['baseline'] > 0.3  # the double drives straight on
    assert found['verdict'] == 'not evaluable'  # whatever was planned, it was not the whole model
    assert found['sentence'].startswith('With 5 of the cameras black: ')
    assert any('front_left, front_right, rear_left, rear, rear_right' in n for n in found['notes'])
    assert not {'CAMS_LOST', 'CAM_LOST'} & set(found['faults'])


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp('whole') / 'a.mcap'
    return replay_bag.write(path, Drive(seconds=1.2, raw=True)).read_bytes()


@pytest.mark.parametrize('seed', range(DAMAGED))
def test_damaged_bags_end_with_a_partial_report(whole, tmp_path, seed):
    """Odd seeds are cut off, even ones have a bit flipped in what every reader must look at."""
    rng, data = random.Random(seed), bytearray(whole)
    if seed % 2:
        del data[rng.randrange(40, len(data)) :]
    else:
        data[rng.randrange(len(data) - 8)] ^= 1 << rng.randrange(8)
    bag = tmp_path / 'damaged.mcap'
    bag.write_bytes(data)
    (tmp_path / 'damaged.rig.yaml').write_text(json.dumps(replay_bag.RIG.model_dump(mode='json')))
    result = run(bag, tmp_path / 'o', Options(runtime='', pictures='none'))
    found = json.loads((tmp_path / 'o' / 'summary.json').read_text())
    assert found['complete'] is False and found['verdict'] == 'fail'
    assert 'BAG_BROKEN' in found['broken'] and 'byte ' in found['broken']
    assert f'{result.summary.counts["messages"]} messages were read' in found['broken']
