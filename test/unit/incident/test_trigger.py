"""When a file is written: not without a reason, not twice for one, and not one a second."""

import pytest

from alpamayo_ros.incident.trigger import Trigger
from alpamayo_ros.safety.state import Mode

NS = 1_000_000_000
INIT, READY, ACTIVE, DEGRADED, FALLBACK, FAULT = Mode


def trigger():
    return Trigger(after_s=5.0, hold_s=30.0, silence_s=1.5)


def hear(t, at_s, mode, before=None, reason='because'):
    t.heard(mode, mode if before is None else before, reason, round(at_s * NS), round(at_s * NS))


def drive(t, modes, start_s=0.0, step_s=0.1, reason='because'):
    before = modes[0]
    for i, mode in enumerate(modes):
        hear(t, start_s + i * step_s, mode, before, reason)
        before = mode


@pytest.mark.parametrize('driving', [ACTIVE, DEGRADED])
@pytest.mark.parametrize('end', [FALLBACK, FAULT, INIT, READY])
def test_driving_that_ends_is_an_event_and_waits_for_what_follows(driving, end):
    t = trigger()
    drive(t, [driving, driving, end, end])
    assert t.due(round(5.1 * NS)) == ()
    (event,) = t.due(round(5.3 * NS))
    assert (event.what, event.reason, event.at_ns) == (end.name, 'because', round(0.2 * NS))
    assert t.due(round(99 * NS)) == ()


@pytest.mark.parametrize('modes', [
    [INIT, READY, ACTIVE, DEGRADED, ACTIVE], [INIT, READY, INIT], [FALLBACK, ACTIVE],
    [FALLBACK, INIT, READY], [FALLBACK] * 9, [FAULT] * 9,
])  # fmt: skip
def test_everything_else_is_none(modes):
    t = trigger()
    drive(t, modes)
    assert t.due(99 * NS) == ()


@pytest.mark.parametrize('before', [INIT, READY, FALLBACK])
def test_a_fault_is_one_from_every_state(before):
    t = trigger()
    drive(t, [before, FAULT, FAULT])
    assert [e.what for e in t.due(99 * NS)] == ['FAULT']


def test_a_person_who_disarms_makes_no_incident_and_one_who_takes_over_does():
    t = trigger()
    drive(t, [ACTIVE, READY], reason='disarmed')
    assert t.due(99 * NS) == ()
    t = trigger()
    drive(t, [ACTIVE, READY], reason='the driver has taken over')
    assert len(t.due(99 * NS)) == 1


def test_a_state_that_changed_between_two_decisions_is_noticed():
    """A takeover changes the state outside a decision: the next one begins READY."""
    t = trigger()
    hear(t, 0.0, ACTIVE)
    hear(t, 0.1, READY, READY, 'the driver has taken over')
    assert [e.what for e in t.due(99 * NS)] == ['READY']


def test_a_lost_message_hides_no_event():
    t = trigger()
    hear(t, 0.0, FALLBACK, ACTIVE)
    assert len(t.due(99 * NS)) == 1


def test_a_flapping_state_writes_a_file_each_half_minute_with_all_of_it():
    t, files = trigger(), []
    for i in range(1200):  # two minutes, falling back once a second
        hear(t, i * 0.1, FALLBACK if i % 10 > 4 else ACTIVE)
        if events := t.due(round(i * 0.1 * NS)):
            files.append((i * 0.1, events))
    assert [round(at_s) for at_s, _ in files] == [6, 36, 66, 96]
    assert [len(events) for _, events in files] == [6, 30, 30, 30]


def test_a_driver_that_falls_silent_while_driving_is_an_event_once():
    t = trigger()
    hear(t, 0.0, ACTIVE)
    t.look(round(1.4 * NS))
    assert t.due(99 * NS) == ()
    for at_s in (1.6, 1.7, 60.0):
        t.look(round(at_s * NS))
    (event,) = t.due(99 * NS)
    assert event.what == 'SILENT' and '1.6 s' in event.reason


@pytest.mark.parametrize('mode', [INIT, READY, FALLBACK, FAULT])
def test_silence_of_a_driver_that_does_not_drive_is_none(mode):
    t = trigger()
    hear(t, 0.0, mode)
    t.look(99 * NS)
    assert t.due(999 * NS) == ()


def test_a_request_counts_as_a_file_and_takes_what_waits():
    t = trigger()
    drive(t, [ACTIVE, FALLBACK])
    assert not t.holds(1 * NS)
    assert [e.what for e in t.take(1 * NS)] == ['FALLBACK']
    assert t.holds(30 * NS) and not t.holds(31 * NS)
    assert t.take(2 * NS) == ()


def test_events_and_reasons_are_bounded():
    t = trigger()
    for i in range(1000):
        hear(t, i * 0.001, FALLBACK if i % 2 else ACTIVE, reason='x' * 10_000)
    events = t.due(99 * NS)
    assert len(events) == 100 and {len(e.reason) for e in events} == {1000}


def test_what_somebody_else_may_have_said_is_in_doubt_and_nothing_else():
    crowd, asked = [False], []
    t = Trigger(5.0, 30.0, 1.5, lambda: asked.append(1) or crowd[0])
    drive(t, [ACTIVE, FALLBACK, ACTIVE])
    assert len(asked) == 1  # not for each message
    crowd[0] = True
    drive(t, [ACTIVE, FALLBACK, ACTIVE], 1.0)
    t.look(round(9.0 * NS))
    found = [(event.what, event.doubted) for event in t.due(99 * NS)]
    assert found == [('FALLBACK', False), ('FALLBACK', True), ('SILENT', True)]
