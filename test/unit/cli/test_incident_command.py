"""``alpamayo replay`` of an incident, as a person types it."""

import json
import re

import incidents
import pytest
from typer.testing import CliRunner

from alpamayo_ros.cli import main
from alpamayo_ros.faults import Code, Fault


@pytest.fixture(scope='module')
def path(tmp_path_factory):
    return incidents.write(tmp_path_factory.mktemp('incidents'))


def replay(*words):
    return CliRunner().invoke(main.app, ['replay', *map(str, words)])


def test_the_decisions_are_taken_again_and_the_story_is_written(path, tmp_path):
    done = replay(path, '--out', tmp_path / 'out')
    assert done.exit_code == 0, done.output
    assert 'DEGRADED -> FALLBACK: CAM_MANDATORY_LOST' in done.output
    assert 'All 30 decisions, taken again here, have the recorded bytes.' in done.output
    html = (tmp_path / 'out' / 'incident.html').read_text()
    assert 'CAM_MANDATORY_LOST' in html and sorted(p.name for p in (tmp_path / 'out').iterdir())


def test_what_it_says_to_type_can_be_typed(path, tmp_path):
    bag = path.rename(path.with_name('my drive.mcap'))
    done = replay(bag, '--out', tmp_path)
    bag.rename(path)
    assert f"alpamayo replay '{bag}' --runtime onnx" in done.output


def test_as_json(path, tmp_path):
    done = replay(path, '--out', tmp_path, '--json')
    said = json.loads(done.output)
    assert said['decisions'] == {
        'same': 30, 'other': 0, 'unknown': 0, 'missing': 0, 'unread': 0,
    }  # fmt: skip
    assert said['events'][0]['what'] == 'FALLBACK' and said['events'][0]['at_s'] == 0.0
    assert ('DEGRADED', 'FALLBACK') in [(c['from'], c['to']) for c in said['changes']]


def test_a_decision_that_is_another_exits_with_1(tmp_path):
    loop = incidents.drive()
    changed, count = re.subn('"stop_deceleration_mps2":[0-9.]+', '"stop_deceleration_mps2":1.5',
                             loop.texts[0])  # fmt: skip
    assert count == 1
    loop.texts[0] = changed
    done = replay(incidents.write(tmp_path, loop), '--out', tmp_path)
    assert done.exit_code == 1 and 'are other than recorded' in done.output


def test_a_decision_that_was_taken_out_or_cannot_be_read_exits_with_1(tmp_path):
    loop = incidents.drive()
    loop.run(30)
    (tmp_path / 'gap').mkdir()
    whole = loop.texts
    loop.texts = [*whole[:28], *whole[30:]]  # the 31st holds the state again
    done = replay(incidents.write(tmp_path / 'gap', loop), '--out', tmp_path)
    assert done.exit_code == 1
    assert '2 decisions between the first and the last are not in the file' in done.output
    loop.texts = [*whole[:-1], '{}']
    done = replay(incidents.write(tmp_path, loop), '--out', tmp_path)
    assert done.exit_code == 1 and 'note: 1 record cannot be read: ' in done.output
    assert 'not reproduced' in (tmp_path / 'incident.html').read_text()


@pytest.mark.parametrize('ending', ['.mcap', '.mcap.part'])
def test_an_incident_that_is_cut_off_is_told_as_one_with_5(ending, path, tmp_path):
    cut = tmp_path / f'cut{ending}'
    data = path.read_bytes()
    cut.write_bytes(data[: len(data) // 2])
    done = replay(cut, '--out', tmp_path / 'out')
    assert done.exit_code == 5
    assert f'{cut}: this incident is cut off or damaged, its beginning is told' in done.stderr
    assert 'FALLBACK: CAM_MANDATORY_LOST' in done.stdout
    assert 'BAG_BROKEN' in (tmp_path / 'out' / 'incident.html').read_text()


def test_a_recovered_incident_goes_on_being_one_and_says_so(path, tmp_path):
    cut, out = tmp_path / 'cut.mcap', tmp_path / 'saved.mcap'
    cut.write_bytes(path.read_bytes()[:-300])
    saved = CliRunner().invoke(main.app, ['data', 'recover', str(cut), str(out)])
    assert saved.exit_code == 5
    done = replay(out, '--out', tmp_path / 'out')
    assert done.exit_code == 0 and 'All 30 decisions' in done.stdout
    assert 'note: It was recovered; what lay behind the damage is lost: cut.mcap: ' in done.stdout


def test_with_an_option_of_planning_it_is_planned_along_as_any_recording(path, tmp_path):
    done = replay(path, '--out', tmp_path, '--no-model')
    assert done.exit_code == 2 and not (tmp_path / 'incident.html').exists()
    assert 'odometry' in done.output  # which this one lacks


def test_a_terminal_sees_no_control_characters(tmp_path):
    loop = incidents.drive()
    loop.run(3)
    loop.run(5, False, faults=(Fault(Code.CAM_MANDATORY_LOST, '\x1b[2J\u202e\r'),))
    done = replay(incidents.write(tmp_path, loop), '--out', tmp_path)
    assert done.exit_code == 0
    assert not {'\x1b', '\u202e', '\r'} & set(done.output)
