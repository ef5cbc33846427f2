"""The messages: every field explained, every file compiled, names and numbers consistent."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / 'msg').glob('*.msg'))
WANTED = (
    'FrameSet FrameSetInfo EgoHistory NavInstruction DrivingPrompt Candidate CandidateArray '
    'PlannedTrajectory ChainOfCausation CheckResult TrackedObject TrackedObjectArray StageTiming '
    'Health Timestep StepDone'
)
UNITS = {'_m': '[m]', '_s': '[s]', '_ms': '[ms]', '_mps': '[m/s]', '_rad': '[rad]'}
UNITS |= {'_mps2': '[m/s2]', '_1pm': '[1/m]', '_rps': '[rad/s]'}


def entries(file: Path) -> list[tuple[str, str]]:
    """(declaration, its comment) of each field and constant.

    A comment may stand on the line above.
    """
    found, above = [], ''
    for line in file.read_text().splitlines():
        code, _, comment = (part.strip() for part in line.partition('#'))
        if code:
            found.append((code, comment or above))
        above = comment if not code else ''
    return found


def test_the_messages_are_those_of_the_design() -> None:
    assert {f.stem for f in FILES} == set(WANTED.split())


def test_every_message_is_in_the_build() -> None:
    listed = re.findall(r'"msg/(\w+)\.msg"', (ROOT / 'CMakeLists.txt').read_text())
    assert sorted(listed) == [f.stem for f in FILES]


@pytest.mark.parametrize('file', FILES, ids=lambda f: f.stem)
def test_every_field_has_a_comment(file: Path) -> None:
    fields = [(code, comment) for code, comment in entries(file) if '=' not in code]
    assert fields
    assert [code for code, comment in fields if len(comment) < 10] == []


@pytest.mark.parametrize('file', FILES, ids=lambda f: f.stem)
def test_a_unit_in_the_name_stands_in_the_comment(file: Path) -> None:
    for code, comment in entries(file):
        name = code.split()[1].split('=')[0]
        unit = next((u for ending, u in UNITS.items() if name.endswith(ending)), None)
        if unit is not None and 'same length' not in comment:
            assert unit in comment, f'{file.name}: {name} ({comment})'


@pytest.mark.parametrize('file', FILES, ids=lambda f: f.stem)
def test_stamped_messages_say_what_their_stamp_is(file: Path) -> None:
    text = file.read_text()
    if 'std_msgs/Header header' in text:
        assert 'stamp:' in text and 'frame_id' in text


def test_states_have_the_same_numbers_in_plan_and_health() -> None:
    def states(name: str) -> dict[str, str]:
        text = (ROOT / 'msg' / f'{name}.msg').read_text()
        names = 'INIT|READY|ACTIVE|DEGRADED|FALLBACK|FAULT'
        return dict(re.findall(rf'^uint8 ({names})=(\d)', text, re.M))

    assert states('PlannedTrajectory') == states('Health')
    assert list(states('Health').values()) == list('012345')


def test_severities_are_those_of_the_fault_table() -> None:
    from alpamayo_ros.faults import Severity

    text = (ROOT / 'msg' / 'Health.msg').read_text()
    numbers = dict(re.findall(r'^uint8 (INFO|WARN|ERROR|FATAL)=(\d)', text, re.M))
    assert {name: int(n) for name, n in numbers.items()} == {s.name: s.value for s in Severity}


@pytest.mark.parametrize('file', FILES, ids=lambda f: f.stem)
def test_the_compiled_message_has_the_fields_of_its_file(file: Path) -> None:
    import alpamayo_ros.msg
    from alpamayo_ros.cli.doctor_software import compiled_fields, declared_fields

    assert compiled_fields(alpamayo_ros.msg, file.stem) == declared_fields(file)
