"""The state above the car: the same words and colour in the live graph and in plans.mcap."""

import math
from pathlib import Path

import pytest
from recorded import write

from alpamayo_ros import palette
from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.bags.marker_style import STATE_AT_M, WORDS_AT_M, state_colour, state_text
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports import plan_bag


@pytest.mark.parametrize(
    ('armed', 'cap_mps', 'said'),
    [
        (True, 5.0, 'ACTIVE, armed, at most 5.0 m/s\nall well'),
        (False, math.nan, 'ACTIVE, not armed\nall well'),
        (None, None, 'ACTIVE\nall well'),
    ],
)
def test_what_is_unknown_is_left_out(armed, cap_mps, said):
    assert state_text('ACTIVE', 'all well', armed, cap_mps) == said


def test_without_a_cause_there_is_one_line():
    assert state_text('READY', '', False, 0.0) == 'READY, not armed, at most 0.0 m/s'


def test_a_recording_shows_each_health_as_a_text_over_the_words(tmp_path: Path):
    recorded = write(tmp_path / 'recording', steps=4)
    plan_bag.write(Recording(recorded), tmp_path / plan_bag.NAME)
    found = [m.message for m in BagReader(tmp_path / plan_bag.NAME) if 'state_m' in m.topic]
    assert found
    for array in found:
        (marker,) = array.markers
        name = marker.text.partition('\n')[0]
        c = marker.color
        assert (c.r, c.g, c.b, c.a) == pytest.approx(state_colour(name), abs=1e-4)
        assert (marker.ns, marker.type, marker.header.frame_id) == ('state', 9, 'base_link')
        assert marker.pose.position.z == STATE_AT_M[2] > WORDS_AT_M[2]
        assert name in palette.STATES


def test_the_live_marker_is_that_of_the_recording():
    pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')
    from builtin_interfaces.msg import Time

    from alpamayo_ros.nodes.messages import markers

    marker = markers.state(Time(), 'FALLBACK', 'FALLBACK, armed')
    c = marker.color
    assert (c.r, c.g, c.b, c.a) == pytest.approx(state_colour('FALLBACK'))
    assert (marker.ns, marker.text) == ('state', 'FALLBACK, armed')
    assert (marker.pose.position.x, marker.pose.position.z) == (STATE_AT_M[0], STATE_AT_M[2])
    assert marker.lifetime.sec == 1
