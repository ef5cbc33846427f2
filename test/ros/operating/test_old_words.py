"""``alpamayo status`` shows what is said now, not what was said before a disarm or a silence."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from alpamayo_ros.msg import ChainOfCausation, Health
from alpamayo_ros.nodes.operating.status import Listening
from alpamayo_ros.nodes.operating.status_record import line, page

pytestmark = pytest.mark.ros


def listening(waits: list[Any]) -> Listening:
    """Of a graph whose messages are handed over here."""
    node = SimpleNamespace(create_subscription=lambda *given: None)
    outsider: Any = SimpleNamespace(
        node=node, patience_s=1.0, until=lambda there, *patience: waits.append(there) or True
    )
    return Listening(outsider)


def at(second: int) -> Header:
    return Header(stamp=Time(sec=second))


def test_words_of_a_while_ago_are_none() -> None:
    """In a line of --watch the reason stands in their place, as where none were said yet."""
    heard = listening([])
    health = Health(state=Health.READY, reason='disarmed by a person', header=at(100))
    health.plan_age_ms = health.speed_cap_mps = float('nan')
    heard._on_health(health)
    heard._on_words(ChainOfCausation(intent='keep the lane', header=at(99)))
    assert heard.first().words == 'keep the lane'
    assert 'words      keep the lane' in page(heard.now())
    health.header = at(102)
    heard._on_health(health)
    assert heard.now().words == '' and 'words      none now' in page(heard.now())
    assert line(heard.now()).endswith('disarmed by a person')
    heard._on_words(ChainOfCausation(intent='turn left', header=at(102)))
    assert heard.now().words == 'turn left'


def test_a_driver_that_fell_silent_is_not_shown_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    heard, clock = listening([]), [100.0]
    monkeypatch.setattr(time, 'monotonic', lambda: clock[0])
    health = Health(state=Health.ACTIVE, reason='armed', header=at(100))
    health.plan_age_ms = health.speed_cap_mps = float('nan')
    heard._on_health(health)
    clock[0] = 101.5
    assert line(heard.now()).startswith('ACTIVE')
    clock[0] = 107.2
    assert heard.now().silent_s == 7.2
    assert line(heard.now()) == 'SILENT    no health for 7 s; the last state was ACTIVE'
    heard._on_health(health)
    assert line(heard.now()).startswith('ACTIVE')
