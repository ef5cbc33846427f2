"""Messages of a step in the announced order, whatever the order in which topics deliver them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from alpamayo_ros.nodes.joins import StepInstructions, Turns
from alpamayo_ros.nodes.lockstep.step_inputs import announced, timestep
from alpamayo_ros.nodes.lockstep.step_queue import Announced, Item, StepQueue

ODOMETRY, FRONT, REAR = '/odometry', '/front', '/rear'
ITEMS = (
    Item(ODOMETRY, 10, 12),
    Item(FRONT, 10, 13),
    Item(ODOMETRY, 20, 21),
    Item(REAR, 10, 22),
    Item(ODOMETRY, 20, 23),  # a repeated message
    Item('/elsewhere', 10, 24),
)
STEP = Announced(1, 50, 0, ITEMS)


def queue(*topics, loose=()):
    found = StepQueue()
    for topic in topics:
        found.read(topic, topic in loose)
    return found


@given(st.permutations(range(6)))
def test_a_step_comes_whole_and_in_order(order):
    found = queue(ODOMETRY, FRONT, REAR)
    actions = [lambda i=i: found.message(*i.key, i) for i in ITEMS[:5]]
    actions.append(lambda: found.announce(STEP))
    for i in order[:-1]:
        actions[i]()
        assert found.take() is None
    actions[order[-1]]()
    step, messages = found.take()
    assert step is STEP
    assert [item for item, _ in messages] == list(ITEMS[:5])
    assert [message.key for _, message in messages] == [item.key for item in ITEMS[:5]]
    assert found.take() is None


def test_a_node_that_reads_nothing_of_a_step_takes_it_in_at_once():
    found = queue('/other')
    found.announce(STEP)
    assert found.take() == (STEP, [])


def test_what_nobody_announced_is_given_from_loose_topics_and_forgotten_from_others():
    found = queue(FRONT, '/text', loose=('/text',))
    found.message('/text', 0, 'turn left')
    found.message(FRONT, 99, 'stray')
    for sequence, expected in ((1, ['turn left']), (2, []), (3, [])):
        found.announce(Announced(sequence, 50 * sequence, 0, ()))
        _, messages = found.take()
        assert [message for _, message in messages] == expected
    found.announce(Announced(4, 200, 0, (Item(FRONT, 99, 150),)))
    assert found.take() is None


def test_a_node_that_is_started_again_goes_on_with_the_newest_step():
    found = queue(FRONT)
    found.announce(Announced(7, 70, 0, (Item(FRONT, 7, 7),)))  # its image is gone
    found.announce(Announced(8, 80, 0, (Item(FRONT, 8, 8),)))
    found.message(FRONT, 8, 'image')
    step, _ = found.take()
    assert step.sequence == 8
    found.announce(Announced(7, 70, 0, ()))
    assert found.take() is None


def test_a_step_survives_being_sent():
    assert announced(timestep(STEP)) == STEP


def test_instructions_of_a_step_are_waited_for():
    instructed = StepInstructions()
    assert instructed.knows(0) and not instructed.knows(1)
    instructed.done(1, published=2)
    assert not instructed.knows(1)
    instructed.heard = 2
    assert instructed.knows(1) and not instructed.knows(2)


def test_timesteps_have_their_turn_in_the_order_of_their_announcement():
    for answered in itertools.permutations((100, 200, 300)):
        turns, seen = Turns(), []
        for t0_ns, step in ((100, 1), (300, 1), (200, 2)):
            turns.add(t0_ns, step)
        here = set()
        for t0_ns in answered:
            here.add(t0_ns)
            while (found := turns.next(here, taken=1)) is not None:
                seen.append(found)
        assert seen == [100, 300]
        assert turns.next(here, taken=2) == 200
