"""The parts of nodes/ that need no ROS: parameters, joining, lockstep, wording."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.faults import Code
from alpamayo_ros.metrics.agreement import told_and_driven
from alpamayo_ros.metrics.words import split
from alpamayo_ros.nodes.joins import Joiner
from alpamayo_ros.nodes.lockstep.lockstep import NO_PLAN, Lockstep
from alpamayo_ros.parameters.param import Param, problem, problems
from alpamayo_ros.runtime.text import MAX_BYTES, bounded_text
from alpamayo_ros.sensing.instructions import Instructions

WAIT = Param('wait_s', float, 's', 'How long.', 0.0, 0.2)
KIND = Param('kind', str, '', 'Which.', choices=('a', 'b'))
COUNT = Param('count', int, '', 'How many.', 1, 9)
GOOD = {'wait_s': 0.1, 'kind': 'a', 'count': 3}


def test_good_parameters_pass_with_what_rclpy_declares_itself():
    extra = {'use_sim_time': True, 'start_type_description_service': True}
    assert problems((WAIT, KIND, COUNT), {**GOOD, **extra}) == []
    assert problem(WAIT, 0) == ''  # YAML writes 0 for 0.0


@pytest.mark.parametrize('name', GOOD)
def test_a_missing_key_is_named(name):
    values = {k: v for k, v in GOOD.items() if k != name}
    (text,) = problems((WAIT, KIND, COUNT), values)
    assert text.startswith(f'{name}: missing') and 'nodes.param.yaml' in text


def test_an_unknown_key_is_named_with_the_known_ones():
    (text,) = problems((WAIT, KIND, COUNT), {**GOOD, 'wiat_s': 0.1})
    assert text.startswith('wiat_s: unknown') and 'wait_s' in text


@given(st.one_of(st.floats(), st.integers(), st.booleans(), st.text(), st.none()))
def test_only_a_number_inside_the_bounds_passes(value):
    inside = type(value) in (int, float) and 0.0 <= value <= 0.2  # NaN compares false
    assert (problem(WAIT, value) == '') == inside


@given(st.one_of(st.integers(), st.floats(), st.booleans(), st.text()))
def test_a_count_is_an_int_and_nothing_else(value):
    assert (problem(COUNT, value) == '') == (type(value) is int and 1 <= value <= 9)


def opened(*nodes):
    lock = Lockstep(frozenset(nodes))
    lock.open(1, now_s=1.0)
    return lock


def test_lockstep_completes_with_plan_and_reference_in_any_order():
    lock = opened('camera_sync')
    lock.on_reference(7, 'reference')
    lock.on_health(100, 7)
    assert lock.take() is None  # nobody has said that the step is taken in
    lock.on_done(1, 'camera_sync', [100])
    assert lock.take() is None and lock.missing() == ['no plan 7']
    assert lock.waited_s(3.0) == 2.0
    lock.on_plan(7, 'plan')
    (reply,) = lock.take()
    assert (reply.t0_ns, reply.plan, reply.reference) == (100, 'plan', 'reference')
    assert lock.waited_s(9.0) == 0.0 and lock.take() is None


def test_lockstep_takes_a_refusal_and_counts_a_second_answer():
    lock = opened('camera_sync')
    lock.on_health(90, NO_PLAN)
    lock.on_done(1, 'camera_sync', [100])
    assert lock.take() is None and lock.missing() == ['no Health about t0 = 100 ns']
    lock.on_health(100, NO_PLAN)
    (reply,) = lock.take()
    assert reply.plan is None and lock.answered == 1
    lock.on_health(100, NO_PLAN)
    lock.on_health(0, NO_PLAN)  # about no timestep
    assert lock.surplus == 1


def test_lockstep_waits_for_every_node_and_every_timestep_of_a_step():
    lock = opened('camera_sync', 'egomotion')
    for t0_ns in (100, 200):
        lock.on_health(t0_ns, NO_PLAN)
    lock.on_done(1, 'camera_sync', [100, 200])
    assert lock.take() is None and lock.missing() == ['egomotion has not taken in the step']
    lock.on_done(2, 'egomotion')  # another step
    assert lock.take() is None
    lock.on_done(1, 'egomotion')
    assert [reply.t0_ns for reply in lock.take()] == [100, 200]
    lock.open(2, 5.0)
    lock.on_done(2, 'camera_sync')
    lock.on_done(2, 'egomotion')
    assert lock.take() == []  # a step without a timestep


def test_joiner_takes_the_newest_and_counts_what_it_skips():
    joiner = Joiner(keep_all=False)
    for t0 in (100, 200, 300):
        joiner.add_frames(t0, f'f{t0}')
    joiner.add_history(100, 'h100')
    joiner.add_history(200, 'h200')
    cycle = joiner.take(0.0)
    assert (cycle.t0_ns, cycle.frames, cycle.history) == (200, 'f200', 'h200')
    assert joiner.skipped == 1
    assert joiner.take(0.0) is None  # 300 has no history yet, 100 is past
    joiner.add_history(300, 'h300')
    assert joiner.take(0.0).t0_ns == 300


def test_joiner_never_joins_different_stamps_and_keeps_order_in_lockstep():
    joiner = Joiner(keep_all=True)
    joiner.add_frames(100, 'f')
    joiner.add_history(101, 'h')
    assert joiner.take(0.0) is None
    joiner.add_history(100, 'h')
    joiner.add_frames(101, 'f')
    assert [joiner.take(0.0).t0_ns, joiner.take(0.0).t0_ns] == [100, 101]


def test_joiner_starts_over_when_the_clock_jumps_back():
    joiner = Joiner(keep_all=False)
    joiner.add_frames(60_000_000_000, 'f')
    joiner.add_history(60_000_000_000, 'h')
    assert joiner.take(0.0)
    joiner.add_frames(10_000_000_000, 'f')
    joiner.add_history(10_000_000_000, 'h')
    assert joiner.take(0.0).t0_ns == 10_000_000_000


def test_instructions_hold_from_their_stamp_until_they_expire():
    texts = Instructions('follow the road')
    assert texts.at(5) == 'follow the road'
    texts.add(10, 0, 'turn left')
    texts.add(20, 30, 'turn right')
    assert [texts.at(t) for t in (9, 10, 19, 20, 30)] == [
        'follow the road',
        'turn left',
        'turn left',
        'turn right',
        'turn right',
    ]
    assert texts.at(31) == 'follow the road'


@given(st.text(max_size=2 * MAX_BYTES))
def test_words_are_printable_and_bounded_whatever_the_model_says(text):
    out, _ = bounded_text(text)
    assert bounded_text(out) == (out, False)
    assert len(out.encode()) <= MAX_BYTES
    assert all(c.isprintable() or c == '\n' for c in out)


def test_parts_are_found_by_name_and_the_first_counts():
    text = 'perception: a car: red\nsituation: free road\nnoise\nintent: stop\nintent: go'
    assert split(text) == {
        'perception': 'a car: red',
        'situation': 'free road',
        'intent': 'stop',
    }


@pytest.mark.parametrize(
    ('intent', 'speed_mps', 'expected'),
    [('keep speed', 5.0, 1.0), ('stop', 5.0, 0.5), ('speed up and turn left', 5.0, 0.5)],
)
def test_words_and_plan_agree_or_it_is_said_what_differs(intent, speed_mps, expected):
    way = np.arange(1, 61) * 0.1 * speed_mps
    poses = np.stack([way, np.zeros(60), np.zeros(60)], axis=1)
    value, text = told_and_driven(f'intent: {intent}', poses, speed_mps, 0.1)
    assert value == expected
    sentence = f'The words say {intent!r}; the plan does: keep.'
    assert text == ('' if expected == 1.0 else sentence)
    assert told_and_driven('intent: enjoy the view', poses, speed_mps, 0.1) == (None, '')


def test_a_lost_answer_is_asked_again(monkeypatch):
    from lifecycle_msgs.msg import State
    from lifecycle_msgs.srv import GetState

    from alpamayo_ros.nodes.lockstep import readiness

    class Call:
        """An answer that came, or never does."""

        def __init__(self, answered):
            self.answered = answered

        def done(self):
            return self.answered

        def result(self):
            state = State(id=State.PRIMARY_STATE_ACTIVE)
            return GetState.Response(current_state=state)

    class Client:
        """Loses the first answer."""

        def __init__(self):
            self.asked, self.dropped = 0, 0

        def service_is_ready(self):
            return True

        def call_async(self, request):
            self.asked += 1
            return Call(answered=self.asked > 1)

        def remove_pending_request(self, call):
            self.dropped += 1

    client, now = Client(), [0.0]
    node = type('Node', (), {'create_client': lambda *_: client})()
    monkeypatch.setattr(readiness.time, 'monotonic', lambda: now[0])
    watch = readiness.PlannerWatch(node)
    assert not watch.ask() and not watch.ask() and client.asked == 1
    now[0] = 1.5
    assert not watch.ask() and (client.asked, client.dropped) == (2, 1)
    assert watch.ask()


def test_the_live_markers_look_as_those_of_the_bag():
    from builtin_interfaces.msg import Time

    from alpamayo_ros.bags import marker_style
    from alpamayo_ros.nodes.messages import markers

    for cost in (0.0, 0.25, 1.0, float('nan')):
        live = markers.cost_colour(cost, 0.0, 1.0)
        kept = marker_style.cost_colour(cost, 0.0, 1.0)
        assert [live.r, live.g, live.b, live.a] == list(kept)
    place = markers.text(Time(), 'words').pose.position
    assert (place.x, place.y, place.z) == marker_style.WORDS_AT_M


@pytest.mark.parametrize('text', ['x' * 257, 'turn\nleft', 'x' * 100_000])
def test_f30_a_text_that_no_node_of_ours_sends_is_refused_and_the_last_one_holds(text):
    texts = Instructions('follow the road')
    assert texts.add(5, 0, 'turn left') is None
    assert texts.add(6, 0, text).code is Code.PROMPT_FORMAT
    assert texts.at(7) == 'turn left'
