"""Which instruction is said when."""

from alpamayo_ros.sensing.announcer import Announcer
from alpamayo_ros.sensing.navigation import Maneuver, NavInstruction
from alpamayo_ros.units import NS

LEFT = NavInstruction(Maneuver.LEFT, 80.0)
RIGHT = NavInstruction(Maneuver.RIGHT, 80.0)


def announcer(effect_ns=0):
    return Announcer(hold_ns=NS, effect_ns=effect_ns)


def test_the_first_is_said_at_once_and_the_next_after_the_hold():
    found = announcer()
    assert found.offer(LEFT, 'text', 10 * NS).text.startswith('turn left')
    assert found.offer(RIGHT, 'text', 10 * NS + 1) is None
    assert found.switch(11 * NS - 1) is None
    said = found.switch(11 * NS)
    assert said.text.startswith('turn right') and said.stamp_ns == 11 * NS
    assert found.switch(13 * NS) is None


def test_of_two_that_wait_the_latest_is_said():
    found = announcer()
    found.offer(LEFT, 'text', 10 * NS)
    found.offer(RIGHT, 'text', 10 * NS + 1)
    assert found.offer(LEFT, 'text', 10 * NS + 2) is None
    assert found.switch(12 * NS) is None  # left is what was said


def test_an_instruction_with_its_own_time_does_not_wait_and_holds_later_in_lockstep():
    found = announcer(effect_ns=NS // 10)
    found.offer(LEFT, 'device', 10 * NS, at_once=True)
    said = found.offer(RIGHT, 'device', 10 * NS + 5, at_once=True)
    assert said.stamp_ns == 10 * NS + 5 + NS // 10


def test_the_same_again_is_silent_unless_it_expires_later():
    found = announcer()
    found.offer(LEFT, 'device', 10 * NS, expires_ns=12 * NS)
    assert found.offer(LEFT, 'device', 10 * NS + 1, expires_ns=12 * NS) is None
    renewed = found.offer(LEFT, 'device', 10 * NS + 2, expires_ns=13 * NS)
    assert renewed.expires_ns == 13 * NS


def test_a_clock_that_jumped_back_does_not_hold_for_ever():
    found = announcer()
    found.offer(LEFT, 'text', 1000 * NS)
    assert found.offer(RIGHT, 'text', 5 * NS) is not None


def test_what_is_not_understood_is_said_in_words_that_are():
    said = announcer().offer(NavInstruction(99, 5.0), 'device', NS)
    assert said.known is None and said.fault.code.name == 'NAV_FORMAT'


def test_f31_instructions_that_change_too_fast_are_named():
    """NAV_FLOOD with what is said after the hold; the next one after it is clean again."""
    found = announcer()
    found.offer(LEFT, 'text', 10 * NS)
    for i in range(1, 101):
        assert found.offer(RIGHT if i % 2 else LEFT, 'text', 10 * NS + i * NS // 200) is None
    found.offer(RIGHT, 'text', 11 * NS - 1)
    said = found.switch(11 * NS)
    assert said.text.startswith('turn right') and said.fault.code.name == 'NAV_FLOOD'
    assert found.offer(LEFT, 'text', 13 * NS).fault is None


def test_a_route_that_counts_down_is_no_flood():
    found, said = announcer(), []
    for i in range(20):
        nearer = NavInstruction(Maneuver.LEFT, 300.0 - 10 * i)
        said += [found.offer(nearer, 'route', 10 * NS + i * NS // 2)]
        said += [found.switch(10 * NS + i * NS // 2 + NS // 50)]
    said = [one for one in said if one is not None]
    assert len(said) == 5 and not any(one.fault for one in said)
