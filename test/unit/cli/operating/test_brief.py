"""What ``alpamayo up`` prints of a run: on a terminal, and into a pipe."""

import io
import json
import re

import pytest

from alpamayo_ros.bringup import GRAPHS
from alpamayo_ros.cli.operating import brief as brief_module
from alpamayo_ros.cli.operating.brief import AGAIN_S, HOLD_S, PATIENCE_S, Brief, status_line
from alpamayo_ros.cli.operating.every_line import EveryLine
from alpamayo_ros.cli.operating.screen import Screen
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.graph_options import Options

LOST = f'ERROR: {Fault(Code.ODOM_GAP)}'
HEALTHY_START = """
INFO: rig sim: lost field of view: none
INFO: cv_bridge is not installed: encodings beyond the core's list are off
INFO: tf is off: tf2_msgs is not installed
INFO: ODOM_GAP: Odometry is missing. there is no odometry yet. Check the odometry source.
WARN: FRAME_HISTORY: The past frames do not cover what the model needs.
INFO: lifecycle: planner: activate from inactive, asked by the node itself
INFO: ODOM_GAP cleared
""".strip().splitlines()


class Terminal(io.StringIO):
    def isatty(self):
        return True


class FakeOnlooker:
    left = False

    def __init__(self, environment, heard):
        self.heard = heard

    def end(self):
        pass


def now(state, reason='', **more):
    return {
        'state': state, 'reason': reason, 'speed_mps': 8.25, 'speed_cap_mps': 5.0, 'words': '',
        'plan_age_ms': 82.0, 'plans': 3, 'stops': 1, 'refusals': 0, 'deadline_misses': 0, **more,
    }  # fmt: skip


class Run:
    """A Brief with a clock of its own."""

    def __init__(self, monkeypatch, graph='simulator', by_hand=False, out=None):
        monkeypatch.setattr(brief_module, 'Onlooker', FakeOnlooker)
        monkeypatch.setenv('TERM', 'xterm')
        monkeypatch.delenv('NO_COLOR', raising=False)
        self.out, self.time_s = out or io.StringIO(), 0.0
        self.console = Brief(by_hand, Screen(self.out), lambda: self.time_s)
        self.console.begin(GRAPHS[graph](Options()), {})

    def pass_(self, seconds):
        self.time_s += seconds
        self.console.tick()

    @property
    def said(self):
        """Without the time, which stands first."""
        return [line[10:] for line in self.out.getvalue().splitlines()]


@pytest.fixture
def run(monkeypatch):
    return Run(monkeypatch)


def test_a_healthy_start_is_quiet(run):
    for line in HEALTHY_START:
        run.console.line('trajectory', line)
    run.console.status(now('INIT', Fault(Code.ODOM_GAP).__str__()))
    run.console.line('simulator', 'INFO: the driver is ready after 2.0 s: winding_road, seed 0')
    run.console.status(now('ACTIVE', 'armed'))
    run.console.status(now('ACTIVE', 'armed'))
    assert run.said == [
        'simulator 8 nodes start; --verbose shows all that they say',
        'simulator the driver is ready after 2.0 s: winding_road, seed 0',
        'ACTIVE    armed',
    ]


def test_a_change_of_state_is_told_once_with_its_cause_and_what_to_do(monkeypatch):
    run = Run(monkeypatch, 'vehicle', by_hand=True)
    run.console.status(now('READY', 'all inputs valid'))
    run.console.status(now('ACTIVE', 'armed'))
    cause = str(Fault(Code.ODOM_JUMP))
    for _ in range(3):
        run.console.status(now('FALLBACK', cause))
        run.console.line('trajectory', f'ERROR: {cause}')
    assert run.said[1:] == [
        'READY     all inputs valid; to drive: alpamayo arm',
        'ACTIVE    armed',
        f'FALLBACK  {cause}; to drive on: alpamayo rearm',
    ]


def test_what_falls_silent_at_the_end_of_a_bag_is_no_alarm(run):
    run.console.status(now('ACTIVE', 'armed'))
    run.pass_(5.0)
    run.console.line('trajectory', LOST)
    run.console.status(now('FALLBACK', str(Fault(Code.ODOM_GAP))))
    run.pass_(HOLD_S / 2)
    run.console.end()
    assert not any(line.startswith(('ERROR', 'FALLBACK')) for line in run.said)


def test_what_is_no_silence_is_told_at_the_end_though_it_waited_behind_one(run):
    run.console.status(now('ACTIVE', 'armed'))
    run.console.line('trajectory', LOST)
    run.console.line('trajectory', f'FATAL: {Fault(Code.INTERNAL)}')
    run.console.end()
    assert [line for line in run.said if line.startswith(('ERROR', 'FATAL'))] == [
        f'FATAL     {Fault(Code.INTERNAL)}'
    ]


@pytest.mark.parametrize('graph', ['simulator', 'vehicle'])
def test_what_stays_silent_is_told_on_a_vehicle_at_once(monkeypatch, graph):
    run = Run(monkeypatch, graph)
    run.console.status(now('ACTIVE', 'armed'))
    run.console.line('trajectory', LOST)
    assert ('ERROR     ' + LOST[7:] in run.said) == (graph == 'vehicle')
    run.pass_(HOLD_S + 0.1)
    assert run.said.count('ERROR     ' + LOST[7:]) == 1


def test_lines_keep_their_order_where_one_is_held_back(run):
    run.console.status(now('ACTIVE', 'armed'))
    run.console.line('trajectory', LOST)
    run.console.line('simulator', 'INFO: injection ends: drop(source=odometry)')
    assert len(run.said) == 2
    run.pass_(HOLD_S)
    assert [line.split()[0] for line in run.said[2:]] == ['ERROR', 'simulator']


def test_a_fault_that_comes_and_goes_is_told_now_and_then_and_counted(run):
    run.console.status(now('ACTIVE', 'armed'))
    for _ in range(10):
        run.console.line('navigation', f'WARN: {Fault(Code.NAV_STREET)}')
        run.pass_(AGAIN_S / 4)
    told = [line for line in run.said if 'NAV_STREET' in line]
    assert len(told) == 3
    run.console.end()
    assert '  faults: NAV_STREET 10x' in run.out.getvalue().splitlines()


def test_a_start_that_takes_long_says_what_it_waits_for(run):
    run.console.status(now('INIT', 'ODOM_GAP: Odometry is missing.'))
    run.pass_(PATIENCE_S + 1)
    run.pass_(5.0)
    waiting = [line for line in run.said if line.startswith('waiting')]
    assert waiting == ['waiting   20 s after the start: ODOM_GAP: Odometry is missing.']


def test_a_start_without_a_clock_says_so_though_nothing_was_decided(run):
    """The reason of a driver that never decided is 'configured'; its faults are known."""
    faults = [
        {'code': 'CLOCK', 'text': str(Fault(Code.CLOCK)), 'cause': ''},
        {'code': 'ODOM_GAP', 'text': str(Fault(Code.ODOM_GAP)), 'cause': 'CLOCK'},
    ]
    run.console.status(now('INIT', 'configured', faults=faults))
    run.pass_(PATIENCE_S + 0.1)
    assert run.said[-1] == f'waiting   20 s after the start: {Fault(Code.CLOCK)}'


def test_what_is_no_log_line_and_an_end_are_shown(run):
    run.console.line('planner', 'Traceback (most recent call last):')
    run.console.line('planner', '\x1b[2Jowned\x07')
    run.console.ended('planner', -9, 1)
    run.console.line('trajectory', 'Failed to publish log message to rosout: context is invalid')
    assert run.said[1:] == [
        'planner   Traceback (most recent call last):',
        'planner   ?[2Jowned?',
        'planner   ended with status -9; starting it again (number 1)',
    ]


def test_a_status_that_cannot_be_read_is_said_once(run, monkeypatch):
    monkeypatch.setattr(FakeOnlooker, 'left', True)
    run.pass_(1.0)
    run.pass_(1.0)
    assert sum(line.startswith('status') for line in run.said) == 1


def test_the_summary_holds_counts_states_and_the_verdict(run):
    run.console.status(now('ACTIVE', 'armed'))
    run.time_s = 12.0
    run.console.status(now('ACTIVE', 'armed', plans=118, deadline_misses=4))
    result = {
        'name': 'stopped_car', 'seed': 7, 'distance_m': 41.6, 'duration_s': 11.0, 'collisions': 0,
        'contact': '', 'score': 0.934, 'end': 'stopped',
    }  # fmt: skip
    run.console.line('simulator', f'INFO: result: {json.dumps(result)}')
    run.console.end()
    assert run.out.getvalue().splitlines()[2:] == [
        'ended after 12 s: 118 plans, 1 stop, 0 refusals, 4 deadlines missed',
        '  states: ACTIVE 12 s',
        '  stopped_car, seed 7: 42 m in 11 s, touched nothing, score 0.93, ended by stopped',
    ]


def test_a_pipe_gets_no_escape_code_and_a_terminal_one_line_that_changes(monkeypatch):
    outs = {}
    for kind in (io.StringIO, Terminal):
        run = Run(monkeypatch, 'vehicle', out=kind())
        run.console.status(now('ACTIVE', 'armed', words='slow for the \x1b[31mcar'))
        run.console.status(now('FAULT', 'INTERNAL: A rule was broken.'))
        run.console.end()
        outs[kind] = run.out.getvalue()
    assert '\x1b' not in outs[io.StringIO] and 'slow for' not in outs[io.StringIO]
    shown = outs[Terminal]
    assert 'ACTIVE     8.2 m/s  cap 5.0 m/s  plan  82 ms old  slow for the ?[31mcar' in shown
    assert '\x1b[1;31m' in shown.partition('FAULT')[0].rpartition('\n')[2]
    left = [line.rpartition('\r\x1b[K')[2] for line in shown.split('\n')[:-1]]
    plain = [re.sub(r'\x1b\[[0-9;]*m', '', line) for line in left]
    assert plain == outs[io.StringIO].splitlines()


def test_unknown_numbers_have_words():
    line = status_line(now('INIT', 'configured', speed_mps=None, speed_cap_mps=None,
                           plan_age_ms=None))  # fmt: skip
    assert line == 'INIT      speed unknown  no cap  no plan  configured'


def test_every_line_names_its_node():
    out = io.StringIO()
    console = EveryLine(out)
    console.line('monitor', 'INFO: hello')
    console.ended('monitor', -9, 1)
    assert out.getvalue().splitlines() == [
        '    monitor | INFO: hello',
        '    monitor | ended with status -9; starting it again (number 1)',
    ]
