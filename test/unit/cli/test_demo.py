"""``alpamayo demo``: refuses without a model, explains failures, ends cleanly on Ctrl-C."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import recorded
import typer
import yaml
from rich.console import Console

from alpamayo_ros.cli import demo, demo_drive
from alpamayo_ros.cli.demo_drive import Drive, DriveError, Now
from alpamayo_ros.graph_options import Options
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import EVENTS, Recording
from alpamayo_ros.simulation.scenario import load_scenario, scenario_names
from alpamayo_ros.statuses import ConfigError

NANO, DOUBLE = Options(runtime='onnx'), Options(runtime='scripted')
WHAT = Drive('winding_road', 7, 'lockstep', 5.0, 'a test')
RESULT = {
    'name': 'winding_road', 'seed': 7, 'mode': 'lockstep', 'duration_s': 5.0, 'distance_m': 20.0,
    'collisions_at_fault': 0, 'offroad_s': 0.0, 'progress': 0.1, 'score': 0.1, 'end': 'duration',
}  # fmt: skip


class FakeGraph:
    """Stands in for Supervisor: writes what the processes would have written."""

    status, interrupt, writes = 0, False, True
    planner: ClassVar[dict[str, object]] = {}

    def __init__(self, graph: Any, console: Any) -> None:
        values = dict(graph.nodes[-1].parameters)
        (planner,) = (node for node in graph.nodes if node.name == 'planner')
        self.planner.update(planner.parameters)
        self.output, self.log, self.stopping = Path(str(values['output'])), console.out, False

    def run(self, limit_s: float) -> int:
        signal.signal(signal.SIGINT, lambda *_: None)
        self.stopping = self.interrupt
        self.log.write('  planner | WARN: MODEL_KILLED\n')
        if self.writes:
            self.output.write_text(json.dumps(RESULT))
        return self.status


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeGraph]:
    class Fake(FakeGraph):
        pass

    monkeypatch.setattr(demo_drive, 'Supervisor', Fake)
    return Fake


def test_without_a_model_it_refuses_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(demo, 'model_dir', lambda profile: tmp_path)
    with pytest.raises(typer.Exit) as found:
        demo._require_model(NANO, Console(width=200))
    said = capsys.readouterr().out
    assert found.value.exit_code == 2
    assert 'manifest.json' in said and '--runtime scripted' in said and 'test double' in said
    demo._require_model(DOUBLE, Console())  # the double needs no model


def test_another_model_is_looked_at_before_anything_drives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv('XDG_DATA_HOME', str(tmp_path))
    nowhere = Options(model=str(tmp_path / 'none'))
    with pytest.raises(ConfigError, match='none'):
        demo._require_model(nowhere, Console())
    with pytest.raises(ConfigError, match='nvidia'):
        demo._require_model(Options(profile='nvidia'), Console())
    with pytest.raises(ConfigError, match='alpamayo model adopt'):
        demo._require_model(Options(profile='nvidia-1.5-10b'), Console())


def test_four_scenarios_in_lockstep_and_one_to_its_goal_in_real_time():
    lockstep = [d.scenario for d in demo.DRIVES if d.mode == 'lockstep']
    assert sorted(lockstep) == [
        'left_people_cross',
        'slowing_leader',
        'stopped_car',
        'winding_road',
    ]
    (free,) = (d for d in demo.DRIVES if d.mode == 'free')
    goal_s = load_scenario(free.scenario).goal_m / 7.0  # slower than it drives on such a road
    assert free.duration_s > goal_s
    assert {d.scenario for d in demo.DRIVES} <= set(scenario_names())
    assert min(d.seed for d in demo.DRIVES) >= 100  # never used in training or for choosing


def test_a_drive_gives_its_row_and_leaves_the_signals_alone(fake: type[FakeGraph], tmp_path: Path):
    before = signal.getsignal(signal.SIGINT)
    row, result = demo_drive.drive(WHAT, NANO, tmp_path / 'run', lambda now: None)
    assert row.distance_m == 20.0 and result['end'] == 'duration'
    assert signal.getsignal(signal.SIGINT) is before


def test_the_graph_gets_the_model_and_its_profile(fake: type[FakeGraph], tmp_path: Path):
    another = Options(model='models/mine', profile='mine.yaml')
    demo_drive.drive(WHAT, another, tmp_path / 'run', lambda now: None)
    assert fake.planner['model'] == 'models/mine'
    assert fake.planner['profile'] == 'mine.yaml'


def test_ctrl_c_during_a_drive_is_passed_on(fake: type[FakeGraph], tmp_path: Path):
    fake.interrupt = True
    with pytest.raises(KeyboardInterrupt):
        demo_drive.drive(WHAT, NANO, tmp_path / 'run', lambda now: None)


@pytest.mark.parametrize(
    ('status', 'words'),
    [(2, 'refused to configure'), (6, 'not ready in time'), (6, 'no reply'), (9, 'status 9')],
)
def test_a_failed_graph_is_explained(
    fake: type[FakeGraph], tmp_path: Path, status: int, words: str
):
    fake.status = status
    with pytest.raises(DriveError, match=words) as found:
        demo_drive.drive(WHAT, NANO, tmp_path / 'run', lambda now: None)
    assert 'MODEL_KILLED' in str(found.value) and 'alpamayo doctor' in str(found.value)


def test_a_graph_without_a_result_is_a_failure(fake: type[FakeGraph], tmp_path: Path):
    fake.writes = False
    with pytest.raises(DriveError, match='too busy'):
        demo_drive.drive(WHAT, NANO, tmp_path / 'run', lambda now: None)


def test_the_test_double_gets_its_script(fake: type[FakeGraph], tmp_path: Path):
    demo_drive.drive(WHAT, DOUBLE, tmp_path / 'run', lambda now: None)
    found = yaml.safe_load((tmp_path / 'run' / 'script.param.yaml').read_text())
    script = found['/**/planner']['ros__parameters']['script']
    assert json.loads(script)['speed_mps'] > 0


def test_a_running_drive_can_be_followed(tmp_path: Path):
    recorded.write(tmp_path, steps=40)
    now, path = Now(), tmp_path / EVENTS
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])
    with path.open() as file:
        demo_drive._read(file, now)
        assert 1.0 < now.elapsed_s < 3.0 and now.speed_mps == 5.0
        path.write_text(whole)
        demo_drive._read(file, now)
    assert now.elapsed_s == pytest.approx(3.9)
    assert now.intent == 'drive' and now.reason == 'armed'


@pytest.mark.ros
@pytest.mark.slow
@pytest.mark.timeout(900)  # other work beside
def test_a_short_demo_over_the_real_graph(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    drives = (Drive('winding_road', 112, 'lockstep', 3.0, 'a short drive'),)
    monkeypatch.setattr(demo, 'DRIVES', drives)
    demo._run(DOUBLE, tmp_path, 60.0, Console(width=120))
    data = json.loads((tmp_path / 'summary.json').read_text())
    assert data['plans'] > 5 and data['model']['runtime'] == 'scripted'
    assert (tmp_path / 'drive.mp4').stat().st_size > 10_000
    assert 'scripted test double' in (tmp_path / 'report.html').read_text()
    recording = Recording(tmp_path / 'runs' / 'winding_road_112_lockstep')
    judged = [c for c in recording.all(events.Candidates) if c.selected >= 0]
    assert judged and all(c.costs[c.selected] is not None for c in judged)
    assert len(recording.times_ns) >= 29  # every timestep was seen, none lost on the way
    decided = [health.t0_ns for health in recording.all(events.Health)]
    assert len(decided) >= 29 and set(np.diff(decided)) == {10**8}


def test_into_a_file_every_drive_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with demo._progress() as progress:
        task = progress.add_task('stopped car, lockstep', total=30.0, note='starting the graph')
        progress.update(task, completed=30.0, note='standing, 110 m, score 1.00')
    said = capsys.readouterr().err
    assert said.startswith('stopped car, lockstep: 100 %, standing, 110 m, score 1.00, ')
