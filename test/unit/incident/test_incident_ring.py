"""The ring: bounded in seconds and bytes, the last word of what lasts kept."""

import numpy as np
import pytest

from alpamayo_ros.bags.parts import Topic
from alpamayo_ros.incident.ring import OVERHEAD_BYTES, Entry, Ring

NS = 1_000_000_000
POSE, RIG = (
    Topic('/odometry', 'nav_msgs/msg/Odometry'),
    Topic('/info', 'sensor_msgs/msg/CameraInfo'),
)


def entry(at_s, size=10, topic=POSE, time_s=None):
    time_ns = round((at_s if time_s is None else time_s) * NS)
    return Entry(topic, '', round(at_s * NS), time_ns, bytes(size))


def seconds(ring):
    return [e.at_ns / NS for e in ring.entries()]


def test_what_is_older_than_the_span_goes():
    ring = Ring(2.0, 1 << 20)
    for at_s in (0, 1, 2, 3):
        ring.add(entry(at_s))
    assert seconds(ring) == [1, 2, 3]
    ring.trim(round(4.5 * NS))
    assert seconds(ring) == [3]


def test_bytes_are_bounded_and_the_oldest_go():
    ring = Ring(1e6, 10 * (100 + OVERHEAD_BYTES))
    for at_s in range(25):
        ring.add(entry(at_s, 100))
    assert seconds(ring) == list(range(15, 25))
    assert ring.held_bytes == 10 * (100 + OVERHEAD_BYTES)


def test_a_message_larger_than_the_bound_is_refused_and_costs_no_other():
    ring = Ring(10.0, 2000)
    ring.add(entry(0))
    ring.add(entry(1, 3000))
    assert seconds(ring) == [0] and ring.refused == 1


def test_the_clock_of_the_graph_may_step_back():
    ring = Ring(10.0, 1 << 20)
    for at_s, time_s in ((0, 100), (1, 101), (2, 5), (3, 6)):
        ring.add(entry(at_s, time_s=time_s))
    assert len(ring.entries()) == 4


def test_what_lasts_is_kept_once_and_moved_to_the_start_of_the_window():
    ring = Ring(2.0, 1 << 20, ('/info',))
    ring.add(entry(0, topic=RIG))
    ring.add(entry(1, 20, topic=RIG))
    for at_s in (7, 8, 9):
        ring.add(entry(at_s))
    first, *rest = ring.entries()
    assert first.topic == RIG and len(first.data) == 20 and first.time_ns == 7 * NS
    assert [e.at_ns / NS for e in rest] == [7, 8, 9]


def test_what_lasts_keeps_its_history_within_the_window():
    ring = Ring(5.0, 1 << 20, ('/info',))
    for at_s in (0, 4, 6, 8):
        ring.add(entry(at_s, 10 + at_s, topic=RIG))
    assert [len(e.data) for e in ring.entries()] == [10, 14, 16, 18]
    ring.add(entry(9.5))
    assert [len(e.data) for e in ring.entries()] == [14, 16, 18, 10]


def test_what_lasts_is_bounded_too():
    ring = Ring(0.5, 5 * (100 + OVERHEAD_BYTES), ('t',))
    for i in range(50):
        ring.add(entry(i, 100, Topic(f'/{i}t', 'x')))
    assert len(ring.entries()) == 5
    assert ring.held_bytes <= 5 * (100 + OVERHEAD_BYTES)


@pytest.mark.parametrize('seed', range(20))
def test_held_bytes_is_the_sum_whatever_comes(seed):
    rng = np.random.default_rng(seed)
    ring, limit = Ring(3.0, 20_000, ('0', '1')), 20_000
    at_s = 0.0
    for _ in range(300):
        at_s += float(rng.exponential(0.1))
        topic = Topic(f'/t{rng.integers(4)}', 'x')
        ring.add(entry(at_s, int(rng.integers(0, 25_000)), topic))
        held = sum(len(e.data) + OVERHEAD_BYTES for e in ring.entries())
        assert ring.held_bytes == held <= limit
