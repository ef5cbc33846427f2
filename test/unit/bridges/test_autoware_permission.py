"""Autoware's permission: three words have to agree, and losing one disarms at once."""

from __future__ import annotations

import pytest

from alpamayo_ros.bridges.autoware.permission import ARM, DISARM, Permission
from alpamayo_ros.units import NS

NOW = 1000 * NS


def agreed(armed: bool = False) -> Permission:
    one = Permission(silence_s=0.5)
    one.on_operation_mode(2, True)
    one.on_control_mode(1, NOW)
    one.on_health(armed)
    return one


def test_it_arms_only_where_all_three_agree() -> None:
    assert agreed().wish(NOW) == ARM and agreed().refusal(NOW) == ''
    assert agreed(armed=True).wish(NOW) == ''


@pytest.mark.parametrize('mode', [0, 1, 3, 4])
def test_no_other_operation_mode_arms_and_each_disarms(mode: int) -> None:
    for armed, wish in ((False, ''), (True, DISARM)):
        one = agreed(armed)
        one.on_operation_mode(mode, True)
        assert one.wish(NOW) == wish and 'operation mode' in one.refusal(NOW)


@pytest.mark.parametrize('mode', [0, 2, 3, 4, 5, 6])
def test_no_other_report_of_the_vehicle_arms_and_each_disarms(mode: int) -> None:
    for armed, wish in ((False, ''), (True, DISARM)):
        one = agreed(armed)
        one.on_control_mode(mode, NOW)
        assert one.wish(NOW) == wish and f'control mode {mode}' in one.refusal(NOW)


def test_without_control_by_autoware_it_disarms() -> None:
    one = agreed(armed=True)
    one.on_operation_mode(2, False)
    assert one.wish(NOW) == DISARM


def test_silence_of_the_vehicle_disarms_after_half_a_second() -> None:
    one = agreed(armed=True)
    assert one.wish(NOW + NS // 2) == ''
    assert one.wish(NOW + NS // 2 + 1) == DISARM
    assert one.wish(NOW - NS) == DISARM  # a clock that went back


def test_nothing_is_asked_before_anybody_has_spoken() -> None:
    one = Permission(silence_s=0.5)
    assert one.wish(NOW) == ''
    one.on_health(True)  # armed by a person, without Autoware
    assert one.wish(NOW) == DISARM


def test_somebody_who_disarms_is_not_overruled_until_the_words_agree_anew() -> None:
    one = agreed(armed=True)
    assert one.wish(NOW) == ''
    one.on_health(False)
    assert one.wish(NOW) == ''
    one.on_operation_mode(1, True)
    assert one.wish(NOW) == ''
    one.on_operation_mode(2, True)
    assert one.wish(NOW) == ARM


def test_a_second_writer_of_the_trajectory_is_no_permission() -> None:
    one = agreed(armed=True)
    one.blocked = 'another node writes /planning/trajectory'
    assert one.wish(NOW) == DISARM and one.refusal(NOW) == one.blocked
