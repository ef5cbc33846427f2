"""The page of a running graph, once the graph ends and when it comes back."""

from dataclasses import replace

import pytest
from page_double import Stream, Words
from recorded import CAMERAS, START_NS, STEP_NS, plan_events

from alpamayo_ros.recording import events
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.viewer.screen import Screen
from alpamayo_ros.viewer.view_scene import State


@pytest.fixture
def page() -> tuple[Screen, Stream]:
    stream = Stream()
    cameras = {camera.name: camera for camera in load_rig('sim').cameras}
    assert set(CAMERAS) <= set(cameras)
    return Screen(Words(), stream, State(), cameras), stream


def drive(screen: Screen, steps: int, y_m: float = 0.0) -> None:
    """A graph whose clock begins at START_NS."""
    for step in range(steps):
        t0 = START_NS + step * STEP_NS
        screen.take(events.Ego(0, t0, 0.5 * step, y_m, 0.0, 5.0, 0.0))
        for event in plan_events(0, t0, 0.5 * step, 5.0, step, 120):
            screen.take(event)


def test_a_silent_driver_is_said_and_its_plan_taken_away(page) -> None:
    screen, stream = page
    drive(screen, 10)
    assert stream.of('above/plan')[-1].args[0] and stream.of('above/candidates')[-1].args[0]
    screen.silent('nothing')
    assert stream.of('words')[-1].args[0] == 'SILENT  nothing'
    assert stream.of('log')[-1].args[0] == 'SILENT: nothing'
    for path in ('above/plan', 'above/candidates', 'camera/front/plan'):
        assert stream.of(path)[-1].args[0] == []
    drive(screen, 10)
    assert 'SILENT' not in stream.of('log')[-1].args[0], 'the state is said again'


def test_a_graph_that_comes_back_goes_on_behind_what_was_shown(page) -> None:
    screen, stream = page
    drive(screen, 40)
    shown = len(stream.logged)
    last_s = max(seconds for seconds, _, _ in stream.logged)
    drive(screen, 40, y_m=30.0)
    again = [seconds for seconds, _, _ in stream.logged[shown:]]
    assert min(again) == pytest.approx(last_s + 1.0) and max(again) == pytest.approx(
        2 * last_s + 1.0
    )
    assert {y for _, y in screen.state.driven} == {30.0}, 'the way of the first drive is forgotten'


def test_odometry_that_is_a_little_late_is_of_the_same_drive(page) -> None:
    screen, stream = page
    drive(screen, 10)
    last_s = max(seconds for seconds, _, _ in stream.logged)
    screen.take(events.Ego(0, START_NS, 0.0, 0.0, 0.0, 5.0, 0.0))
    assert max(seconds for seconds, _, _ in stream.logged) == last_s


def test_what_is_said_before_there_is_a_clock_does_not_begin_the_timeline(page) -> None:
    screen, stream = page
    said = plan_events(0, START_NS, 0.0, 5.0, 0, 120)
    health = next(event for event in said if isinstance(event, events.Health))
    screen.take(replace(health, stamp_ns=0))
    drive(screen, 5)
    screen.take(replace(health, stamp_ns=0))
    times = [seconds for seconds, _, _ in stream.logged]
    assert min(times) == 0.0 and times[-1] == pytest.approx(0.4)
