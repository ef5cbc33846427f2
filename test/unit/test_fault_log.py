"""The log of faults: each comes and goes once, and none floods it."""

from types import SimpleNamespace

import pytest

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.nodes.common.fault_log import EVENT_HOLD_S, HOLD_S, FaultLog

LEVELS = ('info', 'warning', 'error', 'fatal')
STALE = {'CAM_STALE': 'CAM_STALE: front'}


@pytest.fixture
def log():
    """A log whose clock stands still; ``lines`` are what it wrote."""
    made = SimpleNamespace(at_s=0.0, lines=[])
    logger = SimpleNamespace(**dict.fromkeys(LEVELS, made.lines.append))
    made.faults = FaultLog(SimpleNamespace(get_logger=lambda: logger), lambda: made.at_s)
    return made


def test_it_comes_once_and_goes_once(log):
    for at_s in range(5):
        log.at_s = float(at_s)
        log.faults.update(STALE if at_s < 3 else {})
    assert log.lines == ['CAM_STALE: front', 'CAM_STALE cleared'] and log.faults.active == {}


def test_what_is_still_true_after_a_flood_is_said_then(log):
    for step in range(9):
        log.at_s = 0.1 * step
        log.faults.update(STALE if step % 2 == 0 else {})
    assert log.lines == ['CAM_STALE: front', 'CAM_STALE cleared'] and log.faults.active == STALE
    for log.at_s in (HOLD_S - 0.01, HOLD_S, HOLD_S + 1.0):
        log.faults.update(STALE)
    assert log.lines[2:] == ['CAM_STALE: front']


def test_an_end_that_came_too_soon_to_be_said_is_said_later(log):
    for log.at_s, found in ((0.0, STALE), (0.1, {}), (1.05, STALE), (1.06, {})):
        log.faults.update(found)
    assert log.lines == ['CAM_STALE: front', 'CAM_STALE cleared', 'CAM_STALE: front']
    log.at_s = 1.2
    log.faults.update({})
    assert log.lines[3:] == ['CAM_STALE cleared']


def test_events_are_held_back_each_by_itself(log):
    for log.at_s in (0.0, EVENT_HOLD_S - 0.01, EVENT_HOLD_S):
        log.faults.event(Fault(Code.PARAM_DENIED, f'at {log.at_s}.'))
        log.faults.event(Fault(Code.STAMP_LATE))
    assert [line.split(':')[0] for line in log.lines].count('PARAM_DENIED') == 2
    assert len(log.lines) == 4
