"""Injectors do to a stream what they say, and nothing else."""

import cv2
import numpy as np
import pytest

from alpamayo_ros.simulation.fault_rows import (
    CAMERAS,
    ROWS,
    Announced,
    clock_offset_ns,
    of_topics,
    parse,
)
from alpamayo_ros.simulation.inject import (
    Event,
    apply,
    decimate,
    delay,
    drop,
    drop_random,
    duplicate,
    flip_bits,
    freeze,
    jump_clock,
    replace_payload,
    set_stamp,
    shift_stamp,
    shuffle,
    truncate,
)
from alpamayo_ros.simulation.inject_contents import COMMAND, with_sign
from alpamayo_ros.types import EgoState

NS, MS = 1_000_000_000, 1_000_000


def events(n: int = 100) -> list[Event]:
    return [
        Event(
            name,
            50 * NS + i * 100 * MS,
            50 * NS + i * 100 * MS + 30 * MS + k,
            bytes([i % 256] * 40),
        )
        for i in range(n)
        for k, name in enumerate(('front', 'rear'))
    ]


def stamps(stream, source: str) -> list[int]:
    return [e.stamp_ns for e in stream if e.source == source]


def test_drop_hits_one_source_for_a_time():
    out = apply(events(), [drop('rear', 2.0, 4.0)])
    assert stamps(out, 'front') == stamps(events(), 'front')
    lost = set(stamps(events(), 'rear')) - set(stamps(out, 'rear'))
    assert lost == {50 * NS + i * 100 * MS for i in range(20, 40)}


def test_random_losses_follow_the_seed():
    kept = [len(apply(events(500), [drop_random('*', 0.3, seed)])) for seed in (1, 1, 2)]
    assert kept[0] == kept[1] != kept[2]
    assert 650 < kept[0] < 750


def test_stamps():
    assert stamps(apply(events(2), [shift_stamp('rear', -400)]), 'rear') == [
        s - 400 * MS for s in stamps(events(2), 'rear')
    ]
    assert stamps(apply(events(2), [set_stamp('rear', 0)]), 'rear') == [0, 0]


def test_order_of_delivery():
    late = apply(events(3), [delay('front', 150)])
    assert [e.source for e in late][:3] == ['rear', 'rear', 'front']
    mixed = apply(events(50), [shuffle('front', 300, 4)])
    assert stamps(mixed, 'front') != sorted(stamps(mixed, 'front'))
    assert [e.arrival_ns for e in mixed] == sorted(e.arrival_ns for e in mixed)


def test_a_clock_jump_keeps_its_place_in_the_stream():
    out = apply(events(20), [jump_clock(1.0, -50.0)])
    front = stamps(out, 'front')
    assert front[9] - front[8] == 100 * MS
    assert front[10] - front[9] == -50 * NS + 100 * MS
    assert all(e.arrival_ns - e.stamp_ns < 31 * MS for e in out)


def test_contents():
    data = events(4)
    assert len(apply(data, [duplicate('rear')])) == 12
    assert {e.payload for e in apply(data, [freeze('rear')]) if e.source == 'rear'} == {bytes(40)}
    assert apply(data, [replace_payload('rear', b'x')])[1].payload == b'x'
    assert all(len(e.payload) < 40 for e in apply(data, [truncate('*', 3)]))
    flipped = apply(data, [flip_bits('rear', 1, 3)])[1].payload
    assert sum((a ^ b).bit_count() for a, b in zip(flipped, bytes(40), strict=True)) == 1
    assert stamps(apply(data, [decimate('rear', 2)]), 'rear') == stamps(data, 'rear')[::2]


def test_text_form():
    injectors = parse(
        'drop(source=rear,start_s=0,stop_s=99) ; shift_stamp(source=front,offset_ms=-5)'
    )
    out = apply(events(3), injectors)
    assert stamps(out, 'rear') == []
    assert stamps(out, 'front')[0] == 50 * NS - 5 * MS
    assert parse('') == []


@pytest.mark.parametrize(
    'text', ['explode()', 'drop', 'drop(rear)', 'drop(source=a,speed=1)', 'drop()']
)
def test_text_that_is_not_understood_is_an_error(text):
    with pytest.raises(ValueError, match='drop|explode|rear'):
        parse(text)


def test_a_row_of_the_matrix_is_its_injector_for_that_time():
    wanted = apply(events(), parse('drop(source=front,start_s=2,stop_s=4.5)'))
    assert apply(events(), parse('F03@2s:2.5s')) == wanted
    assert len(parse('F03@5s:2s; F23@9s:0.5s; drop(source=rear)')) == 3


def jpeg(value: int) -> bytes:
    return cv2.imencode('.jpg', np.full((8, 8, 3), value, np.uint8))[1].tobytes()


def everything() -> list[Event]:
    """Cameras, odometry and answers of ten seconds."""
    out = []
    for i in range(100):
        at = 50 * NS + i * 100 * MS
        out += [Event(name, at, at + 30 * MS, jpeg(i)) for name in CAMERAS]
        out.append(Event('odometry', at, at + 30 * MS, EgoState(at, 1.0 * i, 0.0, 0.0, 5.0)))
        out.append(Event('model', at, at + 30 * MS, 'a proposal'))
    return out


def shown(stream: list[Event]) -> list[str]:
    """NaN equals itself in words."""
    return list(map(repr, stream))


@pytest.mark.parametrize('row', ROWS)
def test_every_row_changes_the_stream_inside_its_time_only(row):
    stream = everything()
    out = apply(stream, parse(f'{row}@3s:2s'))
    first = 30 * len({e.source for e in stream})
    assert shown(out) != shown(stream) and shown(out[:first]) == shown(stream[:first])
    assert shown(out[-40:]) == shown(stream[-40:])


@pytest.mark.parametrize(('kind', 'low', 'high'), [('black', 0, 0), ('white', 255, 255)])
def test_a_painted_picture_has_its_size_and_one_colour(kind, low, high):
    (event,) = apply([Event('front', 1, 1, jpeg(90))], parse(f'paint(source=front,kind={kind})'))
    image = cv2.imdecode(np.frombuffer(event.payload, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (8, 8, 3) and image.min() >= low and image.max() <= high
    (noise,) = apply([Event('front', 1, 1, jpeg(90))], parse('paint(source=front,kind=noise)'))
    assert cv2.imdecode(np.frombuffer(noise.payload, np.uint8), cv2.IMREAD_COLOR).std() > 30
    broken = [Event('front', 1, 1, b'no picture')]
    assert apply(broken, parse('paint(source=front,kind=noise)')) == broken


@pytest.mark.parametrize('share', [0.1, 0.3, 1.0])
def test_a_printed_sign_changes_its_own_part_of_the_picture_only(share):
    grey = np.full((320, 560, 3), 90, np.uint8)
    lettered, blank = (with_sign(grey, text, share) for text in (COMMAND, ''))
    for image in (lettered, blank):
        rows, columns = np.nonzero((image != grey).any(axis=2))
        assert image.shape == grey.shape and columns.min() == round(0.51 * 560)
        assert rows.max() < 0.47 * 320 and np.ptp(columns) < share * 560
    assert blank.max() == 255 and (lettered < 60).any() and not (blank < 90).any()
    (event,) = apply([Event('front', 1, 1, jpeg(90))], parse('print_sign(source=front,text=GO)'))
    assert event.payload != jpeg(90)
    broken = [Event('front', 1, 1, b'no picture')]
    assert apply(broken, parse('print_sign(source=front)')) == broken


def test_a_clock_is_off_for_the_time_of_its_row_and_jumps_add_up():
    offsets = [clock_offset_ns('F17@3s:2s', at_s) for at_s in (2.9, 3.0, 4.9, 5.0)]
    assert offsets == [0, 10 * NS, 10 * NS, 0]
    assert clock_offset_ns('F17@3s:2s; jump_clock(at_s=4,by_s=-1)', 4.5) == 9 * NS
    assert clock_offset_ns('F03@3s:2s', 4.0) == 0


@pytest.mark.parametrize('text', ['F16@1s:1s', 'F36@1s:1s', 'drop(source=model)'])
def test_what_has_no_topic_is_refused_for_a_graph(text):
    with pytest.raises(ValueError, match='alpamayo sim --inject'):
        of_topics(text)
    assert len(of_topics('F04@1s:1s; F22@1s:1s')) == 7


@pytest.mark.parametrize(
    'text', ['spoil(field=wheels)', 'fail(code=NO)', 'paint(source=a,kind=b)']
)
def test_a_wrong_argument_is_one_sentence(text):
    with pytest.raises(ValueError, match='expected one'):
        parse(text)


@pytest.mark.parametrize('text', ['F99@1s:2s', 'F03', 'F03@5:2', 'F03@5s:0s', 'F3@5s:2s'])
def test_a_wrong_row_or_time_is_one_sentence_with_the_rows(text):
    with pytest.raises(ValueError, match='F03@5s:2s; rows are F01, F02') as caught:
        parse(text)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    'text',
    [
        'shift_stamp(source=front,offset_ms=inf)', 'decimate(source=front,keep_every=0)',
        'drop_random(source=front,share=nan,seed=1)',
        'shuffle(source=front,window_ms=1e300,seed=1)',
        'truncate(source=front,seed=x)', 'flip_bits(source=front,bits=-1,seed=1)',
        'drop(source=front,start_s=nan)', 'delay(source=front,by_ms=-1)',
        'jump_clock(at_s=1,by_s=inf)',
        'set_stamp(source=front,stamp_ns=1.5)', 'drop(source=front);' * 1000,
    ],
)  # fmt: skip
def test_numbers_that_no_stream_can_follow_are_refused(text: str):
    with pytest.raises(ValueError, match='expected'):
        parse(text)


def test_time_begins_for_all_with_the_first_event_of_any():
    both = [drop('*', 0.0, 5.0), drop('front', 6.0, 8.0)]
    stream = [Event('front', t, t) for t in range(0, 10 * NS, NS)]
    assert [event.arrival_ns // NS for event in apply(stream, both)] == [5, 8, 9]


def test_an_empty_picture_stays_what_it_is():
    empty = Event('front', 0, 0, b'')
    text = 'truncate(source=front,seed=1);flip_bits(source=front,bits=3,seed=1)'
    for inject in parse(f'{text};paint(source=front,kind=black);print_sign(source=front)'):
        assert inject(empty) == [empty]


def test_an_injection_is_announced_when_it_begins_and_when_it_ends():
    injected = Announced('F03@5s:2s; delay(source=rear,by_ms=40)')
    told = {round(t * 0.1, 1): injected.at(t * 0.1) for t in range(100)}
    assert {at_s: lines for at_s, lines in told.items() if lines} == {
        0.0: ['injection begins: delay(source=rear, by_ms=40.0)'],
        5.0: ['injection begins: drop(source=front), until 7 s'],
        7.0: ['injection ends: drop(source=front)'],
    }
