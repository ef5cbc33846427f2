"""Progress of a replay where stamps span days, and a replay that can evaluate nothing."""

import pytest
import replay_bag
from replay_bag import START_NS, Drive
from typer.testing import CliRunner

from alpamayo_ros.bags.bag import BagReader, BagWriter
from alpamayo_ros.bags.outline import outline
from alpamayo_ros.cli import main
from alpamayo_ros.replay.lasting import first_of, lasting_s
from alpamayo_ros.replay.options import Options
from alpamayo_ros.replay.run import run
from alpamayo_ros.units import NS

DAY_NS = 86_400 * NS
ODOMETRY = f'{replay_bag.NAMESPACE}/odometry'


@pytest.fixture(scope='module')
def two_days(tmp_path_factory):
    """A second of a drive, and what follows a day later."""
    folder = tmp_path_factory.mktemp('days')
    whole = replay_bag.write(folder / 'whole.mcap', Drive(seconds=2.0))
    with BagWriter(folder / 'days.mcap') as out:
        for m in BagReader(whole):
            late = DAY_NS if m.time_ns > START_NS + NS else 0
            stamp = m.message.header.stamp
            object.__setattr__(stamp, 'sec', stamp.sec + late // NS)
            out.write(m.topic, m.message, m.time_ns + late)
    return folder / 'days.mcap'


def test_a_hole_of_a_day_is_no_day_of_progress(two_days, tmp_path):
    told = []
    summary = run(two_days, tmp_path, Options(runtime='', pictures='none'), told.append).summary
    assert {round(now.total_s, 2) for now in told} == {1.98}
    done = [now.done_s for now in told]
    assert done == sorted(done) and done[-1] == pytest.approx(1.98, abs=1e-6)
    assert summary.timing['recorded_s'] == pytest.approx(1.98, abs=1e-3)


def test_a_limit_counts_what_was_recorded(two_days):
    found = outline(two_days)
    assert lasting_s(found, [ODOMETRY]) == pytest.approx(1.98)
    assert lasting_s(found, ['/none']) == 0.0
    times = [m.time_ns - START_NS for m in first_of(BagReader(two_days, {ODOMETRY}), 1.5)]
    assert len(times) == 77 and times[-1] == DAY_NS + round(1.52 * NS)
    assert len(list(first_of(BagReader(two_days, {ODOMETRY}), 0.0))) == 101


def test_a_stamp_of_another_clock_ends_no_limited_replay(tmp_path):
    with BagWriter(tmp_path / 'a.mcap') as out:
        for time_ns in (0, *(START_NS + i * NS // 10 for i in range(30))):
            out.write('/s', out.new('std_msgs/msg/String', data=''), time_ns)
    assert len(list(first_of(BagReader(tmp_path / 'a.mcap'), 1.0))) == 12


def test_nothing_evaluated_is_not_evaluable_without_a_model_too(tmp_path):
    bag = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=1.2, odometry=False))
    words = ['replay', str(bag), '--no-model', '--incomplete', '--out', str(tmp_path / 'o')]
    done = CliRunner().invoke(main.app, [*words, '--pictures', 'none'])
    assert done.exit_code == 3, done.output
    assert 'nothing of the baseline can be evaluated' in done.stdout
    assert 'odometry: no nav_msgs/Odometry on' in done.stdout
