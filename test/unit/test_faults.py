"""The fault table is complete, unambiguous and readable."""

import re
from pathlib import Path

import pytest

from alpamayo_ros.cli.main import SUBCOMMANDS, _module
from alpamayo_ros.faults import SOFT_SENSING, Code, Fault, Reaction, Severity, worst
from alpamayo_ros.graph_options import Options

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [p for p in (ROOT / 'alpamayo_ros').rglob('*.py') if p.name != 'faults.py']
NAMED_IN_THE_MATRIX = (
    *('CAM_STALE', 'CAM_FROZEN', 'CAM_IMPLAUSIBLE', 'IMG_ENCODING', 'IMG_SIZE', 'CAM_IDENTITY'),
    *('SKEW', 'STAMP_DUP', 'STAMP_INVALID', 'CLOCK', 'ODOM_NAN', 'ODOM_JUMP', 'ODOM_FRAME'),
    *('NAV_FORMAT', 'PLAN_REJECTED', 'MODEL_HASH', 'MODEL_ROLLBACK'),
    *('DUP_PUBLISHER', 'QOS_INCOMPATIBLE'),
)


@pytest.mark.parametrize('name', NAMED_IN_THE_MATRIX)
def test_code_of_the_fault_matrix_exists(name):
    assert Code[name].sentence.endswith('.')


def test_no_two_codes_share_a_row():
    """Enum members with equal values would silently become one."""
    assert len(list(Code)) == len(Code.__members__)
    assert len({code.sentence for code in Code}) == len(list(Code))


@pytest.mark.parametrize('code', list(Code), ids=lambda c: c.name)
def test_every_row_is_whole(code):
    assert re.fullmatch(r'[A-Z][A-Z_]*', code.name)
    assert code.sentence.endswith('.') and code.remedy.endswith('.')
    assert (code.reaction is Reaction.FAULT) <= (code.severity is Severity.FATAL)
    assert not (code.reaction is Reaction.FALLBACK and code.severity < Severity.ERROR)


def test_warning_levels_never_stop_the_car():
    for code in Code:
        if code.name.endswith('_WARN'):
            assert code.severity is Severity.WARN
            assert code.reaction <= Reaction.DEGRADE


def test_soft_sensing_faults_are_tolerated_ones():
    assert all(code.reaction in (Reaction.MASK, Reaction.DEGRADE) for code in SOFT_SENSING)


@pytest.mark.parametrize(
    ('code', 'causes'),
    [
        (Code.CLOCK, ('/clock', 'simulator', 'bag', '--clock', '--sim-time', 'use_sim_time')),
        (Code.CLOCK_BACK, ('bag', 'simulator', 'one program', '/clock', 'NTP', 'PTP')),
        (Code.CLOCK_FORWARD, ('bag', 'simulator', 'one program', '/clock', 'NTP', 'PTP')),
    ],
)
def test_a_fault_of_the_clock_names_what_to_look_at(code, causes):
    assert [cause for cause in causes if cause not in code.remedy] == []
    assert 'sim_time' in Options.__dataclass_fields__  # the option that is named


def test_worst_reaction_wins():
    assert worst([]) is Reaction.NOTE
    assert (
        worst([Fault(Code.CAM_LOST), Fault(Code.ODOM_GAP), Fault(Code.SKEW_WARN)])
        is Reaction.FALLBACK
    )


def test_message_tells_value_limit_and_remedy():
    text = str(Fault(Code.ODOM_GAP, 'none since 0.4 s.', {'age_s': 0.4, 'limit_s': 0.2}))
    assert 'ODOM_GAP' in text and 'age_s=0.4' in text and 'limit_s=0.2' in text
    assert Code.ODOM_GAP.remedy in text


def test_every_code_used_in_the_package_exists():
    for path in SOURCES:
        for name in re.findall(r'\bCode\.([A-Z][A-Z_]+)\b', path.read_text()):
            assert name in Code.__members__, f'{path.name} names {name}'


@pytest.mark.parametrize('code', list(Code), ids=lambda c: c.name)
def test_every_code_is_raised_somewhere(code):
    """A row that nobody raises would be a promise without a keeper."""
    assert any(f'Code.{code.name}' in path.read_text() for path in SOURCES)


def test_every_command_that_a_remedy_names_can_be_typed():
    named = {name for code in Code for name in re.findall(r'alpamayo (\w+)', code.remedy)}
    assert named
    assert named <= {name for name in SUBCOMMANDS if _module(name)}


def test_every_listed_command_has_a_module():
    assert [name for name in SUBCOMMANDS if not _module(name)] == []
