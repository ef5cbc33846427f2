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

STEP_NS = 100_000_000


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
        seen = [*both, *([Fault(Code.FRAME_HISTORY)] if number < 5 else [])]
        found.add(seen, number * STEP_NS)
    (only,) = found.causes()
    assert only.as_dict() == {
        'code': 'ODOM_FRAME',
        'text': str(Fault(Code.ODOM_FRAME, 'first.')),
        'timesteps': 100,
        'consequences': ['ODOM_GAP'],
    }
    for number in range(100, 140):
        found.add([Fault(Code.PLAN_REJECTED)], number * STEP_NS)
    assert [c.chain.cause.code.name for c in found.causes()] == ['ODOM_FRAME', 'PLAN_REJECTED']


def test_what_a_gap_of_cameras_took_from_the_past_is_told_below_it() -> None:
    """Frames are lacking for longer than a second after the cameras are back, at the start too."""
    found, history = Unplanned(), Fault(Code.FRAME_HISTORY, 'timestep 1.')
    for number in range(6):
        found.add([history], number * STEP_NS)
    assert [c.as_dict()['code'] for c in found.causes()] == ['FRAME_HISTORY']
    front = Fault(Code.CAM_MANDATORY_LOST, 'front silent.', {'camera': 'front'})
    for number in range(30, 33):
        lost = [Fault(Code.CAMS_LOST, 'silent: front, rear'), *([front] if number > 30 else [])]
        found.add(lost, number * STEP_NS)
    for number in range(36, 43):
        found.add([history, Fault(Code.MODEL_LATE)], number * STEP_NS)
    first, second, third = (cause.as_dict() for cause in found.causes())
    assert (first['code'], first['timesteps']) == ('CAMS_LOST', 3 + 7)
    assert first['consequences'] == ['FRAME_HISTORY', 'MODEL_LATE']
    assert (second['code'], second['timesteps']) == ('FRAME_HISTORY', 6)
    assert (third['code'], third['timesteps']) == ('CAM_MANDATORY_LOST', 2)
    found.add([history], 100 * STEP_NS)  # long after: of another origin
    assert found.causes()[1].timesteps == 7


def test_a_gap_in_the_pictures_is_the_headline_of_a_replay(tmp_path, monkeypatch) -> None:
    images = replay_bag._images

    def with_gap(bag, drive: Drive, after_ns: int, step: int) -> None:
        if not 15 <= step < 35:
            images(bag, drive, after_ns, step)

    monkeypatch.setattr(replay_bag, '_images', with_gap)
    bag = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=4.5))
    words = ['--runtime', 'scripted', '--pictures', 'none', '--out', str(tmp_path / 'out')]
    CliRunner().invoke(main.app, ['replay', str(bag), *words])
    causes = json.loads((tmp_path / 'out' / 'summary.json').read_text())['causes']
    codes = [cause['code'] for cause in causes]
    assert codes.index('CAMS_LOST') < codes.index('FRAME_HISTORY')
    below = causes[codes.index('CAMS_LOST')]['consequences']
    assert {'FRAME_HISTORY', 'CAM_MANDATORY_LOST'} <= set(below)
    assert 'CAM_MANDATORY_LOST' not in codes  # the same loss, of one camera
