"""The executor of a node: a wait a callback, and QoS events all the same."""

import threading
import time
from collections import Counter

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

import rclpy
from graph import PATIENCE_S
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.task import Future
from rclpy.waitable import Waitable
from std_msgs.msg import String
from std_srvs.srv import Trigger

from alpamayo_ros.nodes.common.executor import NodeExecutor, knows
from alpamayo_ros.nodes.common.waiting import sampled

pytestmark = [pytest.mark.ros, pytest.mark.timeout(900)]  # other work beside


@pytest.fixture
def node(rclpy_context):
    made = rclpy.create_node('one', context=rclpy_context, namespace='/executor')
    yield made
    made.destroy_node()


@pytest.fixture
def executor(rclpy_context, node):
    made = NodeExecutor(context=rclpy_context)
    made.add_node(node)
    yield made
    made.shutdown()


def test_a_callback_costs_one_wait(executor, node, monkeypatch):
    ran, waits, can_execute = [], Counter(), executor.can_execute

    def counted(entity):
        waits[id(entity)] += 1
        return can_execute(entity)

    monkeypatch.setattr(executor, 'can_execute', counted)
    timer, guard = node.create_timer(0.001, lambda: ran.append(1)), executor._guard
    spins = 0
    while len(ran) < 20:
        executor.spin_once()
        spins += 1
    timer.cancel()
    assert waits[id(timer)] <= spins + 1
    assert executor._guard is guard, 'what other threads trigger wakes it as ever'


def test_a_misfit_is_reported_though_no_message_ever_comes(executor, node):
    seen, ran = [], []
    timer = node.create_timer(0.001, lambda: ran.append(1))
    while not ran:  # the first wait is for events too
        executor.spin_once()
    timer.cancel()
    events = SubscriptionEventCallbacks(incompatible_qos=seen.append)
    asks = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
    offers = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    node.create_subscription(String, 'words', print, asks, event_callbacks=events)
    node.create_publisher(String, 'words', offers)
    end_s = time.monotonic() + PATIENCE_S
    while not seen and time.monotonic() < end_s:
        executor.spin_once()
    assert len(seen) == 1


def until(executor, holds):
    """Turn the executor until ``holds``; a hang is a failure."""
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        executor.turn(0.05)
        assert time.monotonic() < end_s


def test_all_that_a_node_waits_for_is_answered(executor, node):
    """A timer says, a subscription hears and rings, a guard asks, a service answers, a client."""
    seen = []
    out = node.create_publisher(String, 'said', 1)
    timer = node.create_timer(0.01, lambda: out.publish(String(data='word')))
    client = node.create_client(Trigger, 'ask')
    node.create_service(Trigger, 'ask', lambda _, answer: seen.append('service') or answer)

    def asked():
        seen.append('guard')
        client.call_async(Trigger.Request()).add_done_callback(lambda _: seen.append('client'))

    guard = node.create_guard_condition(asked)
    node.create_subscription(String, 'said', lambda _: seen.append('heard') or guard.trigger(), 1)
    until(executor, lambda: 'client' in seen)
    timer.cancel()
    assert [x for i, x in enumerate(seen) if x not in seen[:i]] == [
        'heard',
        'guard',
        'service',
        'client',
    ]


def test_a_callback_may_wait_itself(executor, node):
    seen, gone_on = [], Future()

    async def asks():
        seen.append('asks')
        await gone_on
        seen.append('goes on')

    guard = node.create_guard_condition(asks, callback_group=ReentrantCallbackGroup())
    node.create_timer(0.01, lambda: seen and gone_on.set_result(None))
    guard.trigger()
    until(executor, lambda: 'goes on' in seen)
    assert seen == ['asks', 'goes on']


def test_what_a_callback_destroys_is_not_called(executor, node):
    ran, timers = [], []

    def first():
        ran.append('first')
        while timers:
            node.destroy_timer(timers.pop())

    executor.turn(0.0)  # rclpy's own wait, for events too
    timers += [node.create_timer(0.001, first), node.create_timer(0.001, lambda: ran.append('no'))]
    time.sleep(0.01)  # both are due in one wait
    until(executor, lambda: not timers)
    executor.turn(0.01)
    assert ran == ['first']


def test_an_error_of_a_callback_ends_the_spin(executor, node):
    def fails():
        raise ValueError('of a callback')

    node.create_timer(0.001, fails)
    with pytest.raises(ValueError, match='of a callback'):
        executor.spin()


def test_a_turn_ends_with_its_time(executor, node):
    for timer in list(node.timers):
        node.destroy_timer(timer)
    for _ in range(3):  # rclpy's own wait, then plain ones
        executor.turn(0.01)


def test_other_waitables_are_left_to_rclpy(executor, node):
    assert executor._waiting.gather([node], [])
    node.add_waitable(Waitable(node.default_callback_group))
    assert not executor._waiting.gather([node], [])


def test_only_a_timer_that_follows_the_clock_has_it_wake_a_node(node):
    steady = Clock(clock_type=ClockType.STEADY_TIME)
    node.create_timer(1.0, print, clock=steady)
    assert not sampled(node)
    follow = [Parameter('use_sim_time', value=True)]
    node.set_parameters(follow)
    assert [s.topic_name for s in sampled(node)] == ['/clock']
    node.create_timer(1.0, print)
    assert not sampled(node)


def test_what_is_sampled_is_read_before_anything_else(executor, node):
    """The newest word is known to the callback of a guard, though no word wakes its node."""
    words, known = [], []
    out = node.create_publisher(String, 'said', 1)
    node.sampled = [node.create_subscription(String, 'said', lambda m: words.append(m.data), 1)]
    guard = node.create_guard_condition(lambda: known.append(words[-1:]))
    end_s = time.monotonic() + PATIENCE_S
    while known[-1:] != [['word']] and time.monotonic() < end_s:
        out.publish(String(data='word'))
        guard.trigger()
        executor.turn(0.05)
    assert known[-1] == ['word']


def test_another_thread_ends_the_spin(executor):
    spins = threading.Thread(target=executor.spin)
    spins.start()
    while not executor._waiting._used:
        time.sleep(0.01)
    executor.shutdown()
    spins.join(PATIENCE_S)
    assert not spins.is_alive()
    assert not executor._waiting._used, 'nothing is kept from being destroyed'


def test_an_rclpy_that_is_made_otherwise_spins_by_itself(rclpy_context, node, monkeypatch):
    """Older ones hand out what they took, and run it by a method for each kind."""
    assert knows(NodeExecutor(context=rclpy_context)), 'this rclpy is known'
    monkeypatch.setattr(SingleThreadedExecutor, '_execute_timer', lambda *_: None, raising=False)
    made = NodeExecutor(context=rclpy_context)
    monkeypatch.setattr(made._waiting, 'gather', None)  # never asked
    ran = []
    node.create_timer(0.001, lambda: (ran.append(1), made.shutdown(0.0)))
    made.add_node(node)
    made.turn(PATIENCE_S)
    made.spin()
    assert ran
