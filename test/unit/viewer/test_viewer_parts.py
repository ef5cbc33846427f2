"""The parts of ``alpamayo view`` that need neither rerun-sdk nor a browser."""

import sys
import threading
import urllib.error
import urllib.request
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import replay_bag
import typer
from page_double import Stream, Words
from recorded import CAMERAS, START_NS, STEP_NS, write
from typer.testing import CliRunner

from alpamayo_ros.cli.main import app
from alpamayo_ros.cli.view import _recording
from alpamayo_ros.film.top_view import Road
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.recording.timeline import in_order, when
from alpamayo_ros.viewer import packages, show
from alpamayo_ros.viewer import view_scene as scene
from alpamayo_ros.viewer.layout import columns, ordered
from alpamayo_ros.viewer.server import PortError, Server, free_port
from alpamayo_ros.viewer.view_scene import State, above, near, outline
from alpamayo_ros.viewer.web_page import PageServer, policy


def ego(x: float = 0.0, heading: float = 0.0) -> events.Ego:
    return events.Ego(0, START_NS, x, 0.0, heading, 5.0, 0.0)


def candidates(t0_ns: int, costs: list[float | None]) -> events.Candidates:
    paths = [[[float(i) for i in range(5)], [float(k)] * 5] for k in range(len(costs))]
    who = ('onnx', 'nano', '', '', [])
    return events.Candidates(0, t0_ns, t0_ns, 0, *who, [0.0, 0.0, 0.0], paths, costs)


@pytest.fixture(scope='module')
def told(tmp_path_factory: pytest.TempPathFactory) -> Stream:
    folder = write(tmp_path_factory.mktemp('view') / 'r', steps=40)
    stream = Stream()
    show.tell(Recording(folder), Words(), stream)
    return stream


def test_everything_of_the_issue_is_on_the_page(told: Stream):
    paths = {path for _, path, _ in told.logged}
    wanted = {f'camera/{name}' for name in CAMERAS} | {'words', 'log', 'camera/front/plan'}
    wanted |= {f'above/{n}' for n in ('road', 'others', 'candidates', 'plan', 'car', 'driven')}
    wanted |= {'speed/driven', 'speed/planned', 'ages/cycle', 'ages/picture', 'ages/odometry'}
    assert wanted <= paths


def test_time_starts_at_zero_and_never_goes_back(told: Stream):
    times = [seconds for seconds, _, _ in told.logged]
    assert times[0] == 0.0 and times == sorted(times)
    assert times[-1] == pytest.approx(3.9)


def test_the_words_are_those_of_the_moment(told: Stream):
    said = told.of('words')
    assert 'I keep my speed' in said[10].args[0] and 'I brake' in said[-1].args[0]
    assert said[0].args[0].startswith('**ACTIVE**')


def test_pictures_are_passed_on_as_they_are(told: Stream):
    pictures = told.of('camera/rear')
    assert len(pictures) == 40 and pictures[0].media_type == 'image/jpeg'
    assert pictures[0].contents.startswith(b'\xff\xd8')


def test_the_plan_in_the_picture_stays_inside_it(told: Stream):
    lines = [line for shown in told.of('camera/front/plan') for line in shown.args[0]]
    assert lines
    points = np.vstack(lines)
    assert (points >= 0).all() and (points < [112, 64]).all()


def test_a_state_is_logged_when_it_changes(told: Stream):
    assert len(told.of('log')) == 1


def test_ahead_is_up_and_left_is_left():
    assert above(np.array([[10.0, 2.0]])).tolist() == [[-2.0, -10.0]]


def test_a_box_is_closed_and_a_car_has_a_nose():
    car = outline((1.0, 2.0, np.pi / 2), 4.0, 2.0)
    assert np.allclose(car[0], car[-1]) and np.allclose(car.max(axis=0), [2.0, 4.0])
    person = outline((0.0, 0.0, 0.0), 0.6, 0.6)
    assert np.abs(person).max() == pytest.approx(0.3)


def test_only_what_is_near_is_sent():
    line = np.array([[x, 0.0] for x in (-200, -50, 0, 50, 200, 300, 80, 60)], dtype=float)
    assert [part[:, 0].tolist() for part in near(line)] == [[-50, 0, 50], [80, 60]]
    assert near(np.zeros((0, 2))) == []


def test_candidates_with_costs_stay_until_the_next_with_costs():
    state = State()
    state.take(candidates(START_NS, [1.0, 2.0]))
    state.take(candidates(START_NS + STEP_NS, [None, None]))
    assert state.candidates is not None and state.candidates.t0_ns == START_NS
    state.take(candidates(START_NS + 2 * STEP_NS, [3.0, None]))
    assert state.candidates.t0_ns == START_NS + 2 * STEP_NS
    state.take(candidates(START_NS + 9 * STEP_NS, [None, None]))
    assert state.candidates.t0_ns == START_NS + 9 * STEP_NS


def test_the_cheapest_candidate_is_drawn_last():
    state = State(ego=ego(), candidates=candidates(START_NS, [1.0, 3.0, None]))
    rivals = scene.rivals(state, START_NS)
    last = [float(line[0, 0]) for line in rivals.lines]
    assert last == [-2.0, -1.0, 0.0]  # no cost, dear, cheap: by their side
    assert rivals.colours[1] != rivals.colours[2]
    assert scene.rivals(state, START_NS + 6 * STEP_NS).lines == []


def test_the_road_is_seen_from_the_car():
    line = np.array([[float(x), 0.0] for x in range(0, 60)])
    state = State(ego=ego(x=10.0), road=Road(line))
    assert [float(part[0, 0]) for part in scene.roadway(state).lines] == [1.75, -1.75, -5.25]
    route = State(ego=ego(x=10.0), route=line)
    assert scene.roadway(route).lines[0][0].tolist() == [0.0, 10.0]
    assert scene.roadway(State()).lines == []


def test_others_far_away_are_left_out():
    boxes = [events.Box(i, 'car', x, 0.0, 0.0, 8.0, 4.5, 1.8) for i, x in ((1, 30.0), (2, 500.0))]
    state = State(ego=ego(), objects=events.Objects(0, START_NS, 'truth', boxes))
    assert scene.others(state).labels == ['car 8 m/s']


def test_cameras_lie_as_seen_from_the_car_and_none_is_left_out():
    assert ordered(['rear', 'front']) == ['front', 'rear']
    assert ordered([*CAMERAS, 'tele'])[:3] == ['front_left', 'front', 'front_right']
    assert ordered([*CAMERAS, 'tele'])[-1] == 'tele' and ordered(['left_eye']) == ['left_eye']
    assert [columns(n) for n in (1, 3, 6, 7, 9, 10)] == [1, 3, 3, 3, 3, 4]


def test_events_come_in_the_order_of_time_with_odometry_first(tmp_path: Path):
    found = list(in_order(Recording(write(tmp_path / 'r', steps=5))))
    assert [when(e) for e in found] == sorted(when(e) for e in found)
    assert isinstance(found[0], events.Ego)


def test_a_taken_port_is_named_with_what_to_type(tmp_path: Path):
    inner = ThreadingHTTPServer(('127.0.0.1', 0), BaseHTTPRequestHandler)
    port = inner.server_address[1]
    with pytest.raises(PortError, match=f'port {port} is taken .* --port {port + 100}'):
        Server(tmp_path / 'rerun', port).__enter__()
    inner.server_close()


def test_a_viewer_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packages, 'apart_folder', lambda: tmp_path)
    program = tmp_path / 'rerun'
    program.write_text('#!/bin/sh\necho no such option >&2\nexit 2\n')
    program.chmod(0o755)
    with pytest.raises(PortError, match='no such option'):
        Server(program, free_port()).__enter__()


class Files(BaseHTTPRequestHandler):
    """Stands for rerun's web server."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header('content-type', 'text/html')
        self.send_header('set-cookie', 'a=b')
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, format: str, *args: object) -> None: ...


def test_the_page_is_passed_on_with_the_policy_and_nothing_else():
    inner = ThreadingHTTPServer(('127.0.0.1', 0), Files)
    threading.Thread(target=inner.serve_forever, daemon=True).start()
    port = free_port()
    page = PageServer(port, inner.server_address[1], 4321)
    page.start()
    try:
        with urllib.request.urlopen(f'http://127.0.0.1:{port}/?url=x') as answer:
            assert answer.read() == b'/' and answer.headers['set-cookie'] is None
            assert answer.headers['Content-Security-Policy'] == policy(4321)
        with pytest.raises(urllib.error.HTTPError, match='404'):
            urllib.request.urlopen(f'http://127.0.0.1:{port}/etc/passwd')
    finally:
        page.stop()
        inner.shutdown()
        inner.server_close()


def test_the_policy_names_no_other_machine():
    names = [word for word in policy(9).split() if '//' in word]
    assert [name.rstrip(';') for name in names] == ['http://127.0.0.1:9']


def test_a_missing_viewer_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # ``load`` of an earlier test leaves the place where the viewer is on the path
    monkeypatch.setattr(sys, 'path', [p for p in sys.path if p != str(packages.apart_folder())])
    monkeypatch.setattr(packages, 'apart_folder', lambda: tmp_path)
    monkeypatch.setattr(packages.importlib, 'import_module', absent)
    for find in (packages.load, packages.binary):
        with pytest.raises(packages.MissingError, match='alpamayo view --install'):
            find()


def absent(name: str) -> object:
    raise ModuleNotFoundError(f'No module named {name!r}')


def test_the_program_is_told_not_to_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packages, 'apart_folder', lambda: tmp_path)
    program = tmp_path / 'rerun'
    program.write_text('#!/bin/sh\necho "$@ $XDG_CONFIG_HOME" > "$(dirname "$0")/told"\n')
    program.chmod(0o755)
    env = packages.environment(program)
    home = str(tmp_path / 'home')
    assert (tmp_path / 'told').read_text() == f'analytics disable {home}\n'
    assert env['XDG_CONFIG_HOME'] == env['XDG_DATA_HOME'] == home


def test_every_package_of_the_viewer_is_pinned():
    lines = packages.requirements().read_text().splitlines()
    pins = [line.split('#')[0].split(';')[0].strip() for line in lines]
    assert {pin.split('==')[0] for pin in pins if pin} >= {'rerun-sdk', 'pyarrow'}
    assert all('==' in pin for pin in pins if pin)


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        ([], 'name a folder or a bag'),
        (['somewhere', '--live'], 'name a folder or a bag'),
        (['.', '--save', 'drive.mp4'], '.rrd'),
        (['.', '--topics', 'map.yaml'], '--topics is for --live'),
        (['old.rrd', '--save', 'new.rrd'], 'old.rrd is shown as it is'),
        (['old.rrd', '--rig', 'sim'], 'old.rrd is shown as it is'),
        (['{empty}'], 'events.jsonl'),
        (['{empty}/no.mcap'], 'no bag'),
    ],
)
def test_wrong_words_are_refused_with_what_to_do(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(packages, 'load', lambda: Words())
    monkeypatch.setattr(packages, 'binary', lambda: Path('rerun'))
    words = [word.format(empty=tmp_path) for word in words]
    done = CliRunner().invoke(app, ['view', *words], terminal_width=200)
    assert done.exit_code == 2 and said in ' '.join(done.output.replace('│', ' ').split())


def test_a_bag_is_read_without_a_model_and_says_so(tmp_path: Path):
    bag = replay_bag.write(tmp_path / 'drive.mcap', replay_bag.Drive(seconds=1.0))
    with ExitStack() as open_:
        recording = _recording(bag, '', open_)
        stream = Stream()
        show.tell(recording, Words(), stream)
    assert 'no model took part' in stream.of('words')[0].args[0]
    assert stream.of('camera/rear') and stream.of('speed/driven')


@pytest.mark.parametrize('name', ['recording', 'plans.mcap', ''])
def test_a_replays_folder_its_recording_and_its_bag_show_the_same(tmp_path: Path, name: str):
    write(tmp_path / 'recording', steps=2)
    (tmp_path / 'plans.mcap').touch()
    with ExitStack() as open_:
        found = _recording(tmp_path / name, '', open_)
    assert found.folder == tmp_path / 'recording'
    with ExitStack() as open_, pytest.raises(typer.BadParameter, match='--rig is for a bag'):
        _recording(tmp_path / name, 'sim', open_)
