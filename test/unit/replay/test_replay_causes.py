"""A replay names the cause of missing plans first: terminal, page, summary.json."""

import json

import pytest
import replay_bag
import yaml
from replay_bag import Drive
from typer.testing import CliRunner

from alpamayo_ros.cli import main
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import share_dir
from alpamayo_ros.replay.unplanned import Unplanned


@pytest.mark.parametrize(
    ('change', 'code', 'came'),
    [
        (lambda rig: rig['odometry'].update(frame_id='map'), 'ODOM_FRAME', "'map'"),
        (lambda rig: rig['cameras'][0].update(frame_id='eye'), 'CAM_IDENTITY', "'eye'"),
    ],
)
def test_a_wrong_name_in_the_rig_is_the_headline(tmp_path, change, code, came) -> None:
    bag = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=2.0))
    rig = yaml.safe_load((share_dir() / 'config' / 'rigs' / 'sim.yaml').read_text())
    rig.setdefault('odometry', {})
    change(rig)
    (tmp_path / 'mine.yaml').write_text(yaml.safe_dump(rig))
    words = ['--runtime', 'scripted', '--rig', str(tmp_path / 'mine.yaml')]
    done = CliRunner().invoke(
        main.app, ['replay', str(bag), *words, '--out', str(tmp_path / 'out')]
    )
    assert done.exit_code == 3, done.output
    found = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    first = found['causes'][0]
    assert first['code'] == code and came in first['text'] and Code[code].remedy in first['text']
    assert first['consequences'] and code not in first['consequences']
    page = (tmp_path / 'out' / 'report.html').read_text()
    for text in (done.stdout, found['sentence'], page):
        assert text.index(code) < min(text.find(n) % len(text) for n in first['consequences'])


def test_the_commonest_cause_leads_and_a_rare_one_is_left_to_the_table() -> None:
    found = Unplanned()
    for number in range(100):
        both = [Fault(Code.ODOM_FRAME, 'first.'), Fault(Code.ODOM_GAP)]
        found.add([*both, *([Fault(Code.FRAME_HISTORY)] if number < 5 else [])])
    (only,) = found.causes()
    assert only.as_dict() == {
        'code': 'ODOM_FRAME',
        'text': str(Fault(Code.ODOM_FRAME, 'first.')),
        'timesteps': 100,
        'consequences': ['ODOM_GAP'],
    }
    for _ in range(40):
        found.add([Fault(Code.PLAN_REJECTED)])
    assert [c.chain.cause.code.name for c in found.causes()] == ['ODOM_FRAME', 'PLAN_REJECTED']
