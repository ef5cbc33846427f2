"""Silence of all cameras is answered too."""

from camera_streams import MS, NAMES, NS, make_sync

from alpamayo_ros.sensing.arrivals import Arrival, Overdue, form


def test_silence_is_answered_once_in_three_periods_and_only_while_cameras_are_lost():
    sync = make_sync()
    overdue = Overdue(sync.watch)
    (found,) = form(sync, [Arrival(n, NS, NS, n) for n in NAMES], NS + 50 * MS)
    overdue.answered(found.t0_ns)
    answered = []
    for end_ns in range(NS + 150 * MS, NS + 1500 * MS, 100 * MS):
        assert form(sync, [], end_ns) == []
        if faults := overdue.faults(end_ns):
            overdue.answered(end_ns)
            answered.append((end_ns - NS, {fault.code.name for fault in faults}))
    assert [t // MS for t, _ in answered] == [350, 750, 1150]
    assert answered[0][1] == {'CAM_LOST', 'CAMS_LOST'}
    assert 'CAM_MANDATORY_LOST' in answered[1][1]


def test_slow_cameras_are_not_silent():
    sync = make_sync(1.0)
    overdue = Overdue(sync.watch)
    form(sync, [Arrival(n, NS, NS, n) for n in NAMES], NS + 50 * MS)
    overdue.answered(NS)
    assert not any(overdue.faults(NS + t * 100 * MS) for t in range(1, 30))
