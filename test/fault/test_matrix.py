"""Every row that the simulator's streams can show: named, answered, recovered, and only then."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from invariants import Expected, Seen, over_s, recovered_s, violations
from matrix import ROWS, START_S, STOP_S, run

from alpamayo_ros.faults import Code
from alpamayo_ros.nodes.common.fault_log import FaultLog
from alpamayo_ros.safety.gate import ARRAYS
from alpamayo_ros.safety.state import Mode


@pytest.mark.parametrize('row', ROWS)
def test_row(row):
    """I1 to I7; an exception fails it by itself."""
    assert violations(run(row), ROWS[row].expected, START_S, STOP_S) == []


@pytest.mark.parametrize('row', ROWS)
def test_row_fails_when_its_mechanism_is_off(row, monkeypatch):
    for target, result in ROWS[row].off:
        monkeypatch.setattr(target, lambda *args, result=result, **more: result)
    found = violations(run(row), ROWS[row].expected, START_S, STOP_S)
    assert any(words.startswith(f'I4: {ROWS[row].expected.code.name} after') for words in found)


PLAN = SimpleNamespace(
    id=1,
    t0_ns=5_000_000_000,
    valid_until_ns=5_500_000_000,
    trajectory=SimpleNamespace(**dict.fromkeys(ARRAYS, 1.0)),
)
GOOD = Seen(5.0, 5_000_000_000, frozenset(), Mode.ACTIVE, PLAN)
LATER = replace(
    GOOD,
    at_s=5.1,
    now_ns=5_100_000_000,
    plan=SimpleNamespace(**{**vars(PLAN), 'id': 2, 't0_ns': 5_100_000_000}),
)
NAMED = replace(GOOD, at_s=3.0, codes=frozenset({Code.CAM_STALE}), plan=None)


def changed(**values: object) -> Seen:
    return replace(GOOD, plan=SimpleNamespace(**{**vars(PLAN), **values}))


@pytest.mark.parametrize(
    ('seen', 'words'),
    [
        ([NAMED, GOOD, LATER], None),
        (
            [NAMED, changed(trajectory=SimpleNamespace(**dict.fromkeys(ARRAYS, float('nan'))))],
            'I1',
        ),
        ([NAMED, replace(GOOD, now_ns=5_600_000_000)], 'I2: plan 1 is 0.60 s old'),
        ([NAMED, changed(valid_until_ns=5_000_000_000)], 'I3: plan 1 never held'),
        ([NAMED, GOOD, replace(GOOD, at_s=5.1)], 'I3: plan 1 is not newer'),
        ([GOOD], 'I4: CAM_STALE after None'),
        ([replace(NAMED, at_s=3.4), GOOD], 'I4: CAM_STALE after 0.4'),
        ([NAMED, replace(GOOD, codes=frozenset({Code.SPREAD}))], 'I4: SPREAD beside'),
        ([NAMED, replace(GOOD, at_s=6.5, mode=Mode.FALLBACK), GOOD], 'I5'),
        ([NAMED, replace(GOOD, at_s=6.5)], 'I5: recovered after 2.5'),
        ([replace(NAMED, rss_mb=100.0), replace(GOOD, rss_mb=149.0)], None),
        ([replace(NAMED, rss_mb=100.0), replace(GOOD, rss_mb=151.0)], 'I6: memory grew by 51 MB'),
        ([replace(NAMED, at_s=1.0, rss_mb=90.0), NAMED, GOOD], None),
    ],
)
def test_the_invariants_see_what_breaks_them(seen, words):
    found = violations(seen, Expected(Code.CAM_STALE), START_S, STOP_S)
    assert (words is None and not found) or any(one.startswith(words or '-') for one in found)


FLAPPING = [
    replace(NAMED, at_s=round(0.1 * i, 1), codes=frozenset({Code.CAM_STALE} if i % 2 else ()))
    for i in range(60)
]


def test_the_log_of_a_fault_that_flaps_has_two_lines_a_second_and_i7_sees_more(monkeypatch):
    def said():
        found = violations(FLAPPING, Expected(Code.CAM_STALE), 0.0, 9.0)
        return [words for words in found if words.startswith('I7')]

    assert said() == []
    monkeypatch.setattr(FaultLog._due, '__defaults__', (0.5,))
    assert said() == ['I7: more than 2 lines a second of CAM_STALE']


@pytest.mark.parametrize(
    ('codes', 'mode', 'over'),
    [
        ({Code.PLAN_WARN, Code.SPREAD_WARN}, Mode.DEGRADED, 0.0),
        ({Code.PLAN_WARN, Code.CAM_LOST}, Mode.DEGRADED, None),
        ({Code.PLAN_WARN}, Mode.FALLBACK, None),
    ],
)
def test_warnings_about_the_plan_are_told_from_a_fault_that_goes_on(codes, mode, over):
    last = replace(LATER, codes=frozenset(codes), mode=mode)
    assert recovered_s([NAMED, GOOD, last], 5.0) is None
    assert over_s([NAMED, GOOD, last], 5.0) == over
