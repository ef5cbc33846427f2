"""The limits file: complete, sourced, and refused when anything is wrong with it."""

import re

import pytest
import yaml
from pydantic import TypeAdapter

from alpamayo_ros import limits as module
from alpamayo_ros.limits import RISING, Limits, in_ns, load_limits


@pytest.fixture
def lines(repository):
    return (repository / 'config' / 'limits.param.yaml').read_text().splitlines()


@pytest.fixture(scope='module')
def good():
    return load_limits().model_dump()


def write(tmp_path, lines):
    path = tmp_path / 'limits.yaml'
    path.write_text('\n'.join(lines))
    return path


def test_the_numbers_of_the_table():
    """The rows of the limits file, copied by hand."""
    lim = load_limits()
    assert (lim.start_position_warn_m, lim.start_position_m) == (0.3, 1.0)
    assert lim.start_yaw_warn_rad == pytest.approx(5 / 57.29578, abs=1e-4)
    assert lim.start_yaw_rad == pytest.approx(20 / 57.29578, abs=1e-4)
    assert (lim.start_speed_warn_mps, lim.start_speed_mps) == (1.0, 3.0)
    assert (lim.lateral_acceleration_warn_mps2, lim.lateral_acceleration_mps2) == (3.0, 5.0)
    assert (lim.lateral_jerk_warn_mps3, lim.lateral_jerk_mps3) == (5.0, 7.0)
    assert (lim.acceleration_warn_mps2, lim.acceleration_mps2) == (2.0, 4.0)
    assert (lim.deceleration_warn_mps2, lim.deceleration_mps2) == (3.5, 9.0)
    assert (lim.curvature_1pm, lim.steering_rad, lim.steering_rate_rps) == (0.2, 0.8, 0.5)
    assert (lim.jump_lateral_warn_m, lim.jump_lateral_m, lim.jump_forward_warn_m) == (0.5, 1.5, 1)
    assert (lim.spread_warn_m, lim.spread_m, lim.plan_age_s) == (5, 15, 0.5)
    assert (lim.frame_age_warn_s, lim.frame_age_s) == (0.15, 0.3)
    assert (lim.odometry_gap_warn_s, lim.odometry_gap_s) == (0.05, 0.2)
    assert (lim.stop_start_m, lim.rest_speed_mps) == (0.3, 0.12)
    assert (lim.stop_deceleration_mps2, lim.stop_jerk_mps3) == (1.0, 0.3)
    assert (lim.hard_stop_deceleration_mps2, lim.hard_stop_jerk_mps3) == (2.5, 1.5)


def test_every_limit_is_one_line_of_the_file(lines):
    names = [m.group(1) for line in lines if (m := re.match(r'      (\w+): ', line))]
    assert sorted(names) == sorted(Limits.model_fields)


NAN, INF = float('nan'), float('inf')


@pytest.mark.parametrize('name', sorted(Limits.model_fields))
def test_a_bad_or_missing_entry_refuses(good, name):
    for bad in (NAN, INF, -1, 'fast', None):
        with pytest.raises(ValueError, match=name):
            Limits.model_validate({**good, name: bad})
    with pytest.raises(ValueError, match=name):
        Limits.model_validate({key: value for key, value in good.items() if key != name})


@pytest.mark.parametrize('bad', ['.nan', '.inf', '-1', 'fast', 'true', '0', '1.0e+300', None])
def test_a_file_with_a_bad_or_missing_entry_refuses(lines, tmp_path, bad):
    changed = [line for line in lines if ' plan_age_s:' not in line]
    assert len(changed) == len(lines) - 1
    added = [] if bad is None else [f'      plan_age_s: {bad}']
    with pytest.raises(ValueError, match='plan_age_s'):
        load_limits(write(tmp_path, [*changed, *added]))


def test_an_unknown_entry_refuses(lines, tmp_path):
    with pytest.raises(ValueError, match='top_speed'):
        load_limits(write(tmp_path, [*lines, '      top_speed: 3']))


PAIRS = [
    (name, bare)
    for name in Limits.model_fields
    if (bare := name.replace('_warn_', '_')) != name and bare in Limits.model_fields
]


@pytest.mark.parametrize(('warn', 'bare'), PAIRS)
def test_a_warning_beyond_its_limit_refuses(good, warn, bare):
    values = dict(good)
    values[warn], values[bare] = values[bare], values[warn]
    with pytest.raises(ValueError, match=warn):
        Limits.model_validate(values)


@pytest.mark.parametrize('name', sorted(Limits.model_fields))
def test_no_entry_switches_its_check_off(good, name):
    """Too large, too small, or no number: each would leave a check that never speaks."""
    for bad in (1e300, 1e-300, True, 0):
        with pytest.raises(ValueError, match=name):
            Limits.model_validate({**good, name: bad})


def test_no_plan_can_be_made_valid_for_longer_than_half_a_second():
    assert Limits.model_validate({**load_limits().model_dump(), 'plan_age_s': 0.5})
    with pytest.raises(ValueError, match='plan_age_s'):
        Limits.model_validate({**load_limits().model_dump(), 'plan_age_s': 0.51})


@pytest.mark.parametrize(('lesser', 'greater'), RISING)
def test_what_has_to_grow_grows(lesser, greater):
    """The hard stop is no softer than the soft one; cycles are warned about before killed."""
    low = load_limits().model_dump()[lesser] * 0.9
    with pytest.raises(ValueError, match=f'lies beyond {greater}'):
        Limits.model_validate({**load_limits().model_dump(), greater: low})


def test_a_key_that_stands_twice_is_refused(lines, tmp_path):
    with pytest.raises(ValueError, match="'start_position_m' a second time"):
        load_limits(write(tmp_path, [*lines, '      start_position_m: 2.0']))


def test_the_file_is_a_ros_parameter_file(lines):
    tree = yaml.safe_load('\n'.join(lines))
    assert list(tree) == ['/**'] and list(tree['/**']) == ['ros__parameters']


def test_another_layout_refuses(tmp_path):
    with pytest.raises(ValueError, match='ros__parameters'):
        load_limits(write(tmp_path, ['limits: {}']))


def test_limits_cannot_be_changed():
    with pytest.raises(ValueError):
        load_limits().curvature_1pm = 1.0


@pytest.mark.parametrize(('warn', 'bare'), PAIRS)
def test_a_warning_may_be_its_limit(good, warn, bare):
    assert Limits.model_validate(good | {warn: good[bare]})


def test_seconds_are_given_in_whole_nanoseconds():
    assert in_ns(0.05) == 50_000_000 and in_ns(1e-9) == 1 and isinstance(in_ns(0.1), int)


@pytest.mark.parametrize(
    ('unit', 'lowest', 'highest', 'step'),
    [
        ('Metres', 0.01, 50, 1e-6),
        ('Radians', 0.001, 1.58, 1e-6),
        ('Speed', 0.01, 20, 1e-6),
        ('Acceleration', 0.1, 12, 1e-6),
        ('Jerk', 0.05, 50, 1e-6),
        ('Curvature', 0.001, 1, 1e-6),
        ('Age', 0.0001, 0.5, 1e-6),
        ('Seconds', 0.1, 30, 1e-6),
        ('Minutes', 1, 3600, 1e-6),
        ('Periods', 0.5, 20, 1e-6),
        ('Ratio', 0.01, 1, 1e-6),
        ('Count', 1, 100, 1),
        ('Celsius', 30, 110, 1e-6),
        ('Bytes', 1e6, 1e15, 1.0),
    ],
)
def test_ranges_of_the_units(unit, lowest, highest, step):
    adapter = TypeAdapter(getattr(module, unit))
    assert adapter.validate_python(lowest) == lowest
    assert adapter.validate_python(highest) == highest
    for outside in (lowest - step, highest + step, float('nan')):
        with pytest.raises(ValueError):
            adapter.validate_python(outside)


@pytest.mark.parametrize(('lesser', 'greater'), RISING)
def test_what_has_to_grow_may_be_equal(lesser, greater):
    values = load_limits().model_dump()
    assert Limits.model_validate(values | {lesser: values[greater]})


def test_the_order_of_those_that_grow():
    assert RISING == (
        ('stop_deceleration_mps2', 'hard_stop_deceleration_mps2'),
        ('hard_stop_deceleration_mps2', 'deceleration_mps2'),
        ('stop_jerk_mps3', 'hard_stop_jerk_mps3'),
        ('camera_silence_periods', 'camera_mandatory_periods'),
        ('cycle_warn_periods', 'cycle_drop_periods'),
        ('cycle_drop_periods', 'cycle_kill_periods'),
    )
