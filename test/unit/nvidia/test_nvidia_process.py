"""The runtime and its process with a stand-in for the model: cycles, deaths, what it may not."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import load_limits
from alpamayo_ros.pipeline import propose
from alpamayo_ros.preflight import check_model
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.base import ModelGone
from alpamayo_ros.runtime.loader import open_runtime
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.runtime.nvidia import nvidia_runtime
from alpamayo_ros.runtime.nvidia.adoption import Adoption, Choices, adopt, record_path
from alpamayo_ros.runtime.nvidia.nvidia_runtime import NvidiaRuntime
from alpamayo_ros.runtime.nvidia.process import VendorProcess
from alpamayo_ros.runtime.process.child import WorkerSpec
from alpamayo_ros.runtime.process.worker import Worker
from alpamayo_ros.simulation.drive.planners import RuntimePlanner, open_planner
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.types import Conditioning, PlannerInput

pytestmark = pytest.mark.processes

PROFILE = load_profile('nvidia-1.5-10b')
SUPPORT = Path(__file__).resolve().parents[2] / 'support/released'
PATIENCE_S = 300.0


@pytest.fixture
def adopted(tmp_path, monkeypatch) -> Callable[..., Adoption]:
    """Keep a record of a folder that the stand-in 'loads', where the runtime looks for it."""
    monkeypatch.setenv('XDG_DATA_HOME', str(tmp_path))
    folder = tmp_path / 'checkpoint'
    folder.mkdir()

    def keep(**choices: str) -> Adoption:
        chosen = {'interpreter': sys.executable, 'vlm': '', 'source': (str(SUPPORT),)}
        chosen |= {'engine': 'nvidia_double:load', **choices}
        made = adopt(PROFILE, folder, Choices.model_validate(chosen), {})
        assert isinstance(made, Adoption)
        record_path(PROFILE.name).parent.mkdir(parents=True, exist_ok=True)
        record_path(PROFILE.name).write_text(made.to_json())
        return made

    return keep


@pytest.fixture
def runtime(adopted) -> Iterator[NvidiaRuntime]:
    """The stand-in, loaded by naming the profile."""
    adopted()
    opened = open_runtime('onnx', PROFILE)  # the default of every command
    assert isinstance(opened, NvidiaRuntime), opened
    yield opened
    opened.close()


def asked(navigation: str = '', t0_ns: int = 7) -> PlannerInput:
    frames, given, _ = made_up_input(PROFILE)
    given = replace(given, navigation=navigation)
    return PlannerInput(t0_ns, replace(frames, t0_ns=t0_ns), given, 3)


def test_a_cycle_goes_through_the_vendors_process(runtime):
    proposal = propose(asked(), runtime)
    assert proposal.candidates.shape == (6, 64, 3) and runtime.encoded == 16
    assert proposal.candidates[:, -1, 0] == pytest.approx(5.0 * 6.4, abs=1e-3)
    assert proposal.text == (
        'rationale: Slow down because the lead car brakes.\nintent: Slow down'
    )
    assert runtime.identity.kind == 'nvidia' and 'double' in runtime.identity.version
    assert len(runtime.identity.manifest_sha256) == 64
    turned = propose(asked('turn left in 40 m'), runtime)
    assert 'Turn left in 40m' in turned.text and turned.truncated and runtime.encoded == 0


def test_a_drive_takes_it_by_the_name_of_the_profile(adopted):
    adopted()
    planner = open_planner('onnx', PROFILE)  # what alpamayo sim --profile nvidia-1.5-10b opens
    assert isinstance(planner, RuntimePlanner) and planner.name == 'nvidia' and not planner.blind
    assert planner.propose(asked()).text
    planner.runtime.close()


def test_what_was_asked_before_changes_no_byte(runtime):
    first = asked()
    other = replace(first.frames, images=255 - first.frames.images)
    noise = made_up_input(PROFILE)[2]
    one = runtime.encode(first.frames)
    condition = runtime.reason(one, first.given).condition
    wanted = runtime.denoise(condition, noise)
    two = runtime.encode(other)
    assert not np.array_equal(
        runtime.denoise(runtime.reason(two, first.given).condition, noise), wanted
    )
    assert np.array_equal(runtime.denoise(condition, noise), wanted)
    assert np.array_equal(
        runtime.denoise(runtime.reason(one, first.given).condition, noise), wanted
    )


def test_past_motion_with_a_gap_is_refused(runtime):
    given = asked().given
    valid = given.ego.valid.copy()
    valid[3:5] = False
    gap = Conditioning(replace(given.ego, valid=valid))
    with pytest.raises(ValueError, match='lacks 2 instants; this model takes no gaps'):
        runtime.reason(runtime.encode(asked().frames), gap)


def test_a_failed_cycle_keeps_the_process_and_a_dead_one_says_so(runtime):
    with pytest.raises(RuntimeError, match='ArithmeticError: a cycle that fails'):
        propose(asked('turn left in 10 m'), runtime)
    with pytest.raises(RuntimeError, match='PermissionError.*offline'):
        propose(asked('turn left in 15 m'), runtime)  # it opens a connection
    assert propose(asked(), runtime).text
    with pytest.raises(ModelGone, match='ended with status -9'):
        propose(asked('turn left in 5 m'), runtime)


def test_speed_from_poses_that_odometry_contradicts_is_noted(adopted):
    adopted(speed='history')
    opened = open_runtime('nvidia', PROFILE)
    assert isinstance(opened, NvidiaRuntime)
    try:
        given = asked().given
        features = opened.encode(asked().frames)
        opened.reason(features, given)
        assert opened.notes == []
        ego = replace(given.ego, speed_mps=given.ego.speed_mps + 0.4)
        opened.reason(features, Conditioning(ego))
        assert [note.code for note in opened.notes] == [Code.ODOM_SPEED_WARN]
        slower = opened.reason(features, Conditioning(ego)).condition
        noise = np.zeros((PROFILE.candidates, PROFILE.trajectory.points, 3), np.float32)
        speed_mps = opened.denoise(slower, noise)[0, 0, 0] / 0.1
        assert speed_mps == pytest.approx(float(given.ego.speed_mps[0]), abs=0.05)
    finally:
        opened.close()


@pytest.mark.parametrize(
    ('choices', 'code', 'message'),
    [
        ({'interpreter': '/nowhere/python'}, Code.MODEL_PROVIDER, 'cannot be run'),
        ({'source': ()}, Code.MODEL_PROVIDER, "No module named 'nvidia_double'"),
        ({'interpreter': '/bin/false'}, Code.MODEL_ABSENT, 'ended with status 1'),
    ],
)
def test_why_it_did_not_load_is_said(adopted, choices, code, message):
    adopted(**choices)
    found = open_runtime('nvidia', PROFILE)
    assert isinstance(found, Fault) and found.code is code and message in found.message


def test_a_checkpoint_that_does_not_load_in_time_is_ended(adopted, tmp_path):
    record = adopted()
    (tmp_path / 'checkpoint/slow.txt').touch()
    settings = nvidia_runtime.settings_of(PROFILE, record.folder, record.choices)
    found = VendorProcess.start(sys.executable, settings, 0.2)
    assert isinstance(found, Fault) and found.code is Code.MODEL_KILLED
    assert found.values == {'limit_ms': 200.0}


def test_nothing_is_loaded_without_a_record_and_own_profiles_have_none(adopted):
    with pytest.raises(ConfigError, match='alpamayo model adopt FOLDER'):
        check_model('onnx', PROFILE)
    adopted()
    check_model('onnx', PROFILE)
    adopted(interpreter='/nowhere/python')
    with pytest.raises(ConfigError, match='no interpreter /nowhere/python'):
        check_model('nvidia', PROFILE)
    found = open_runtime('nvidia', load_profile('nano'))
    assert isinstance(found, Fault) and 'nano is none' in found.message
    torch = open_runtime('torch', PROFILE)
    assert isinstance(torch, Fault) and "runtime 'nvidia' or a planner" in torch.message


def spec() -> WorkerSpec:
    free = {'cycle_warn_periods': 1.0, 'cycle_drop_periods': 1.0, 'cycle_kill_periods': 1.0}
    limits = load_limits().model_copy(update=free)
    return WorkerSpec(
        profile=PROFILE, limits=limits, period_s=60.0, startup_s=PATIENCE_S, kind='nvidia'
    )


def test_killed_while_it_loads_it_is_started_again(adopted, tmp_path):
    adopted()
    (tmp_path / 'checkpoint/die.txt').touch()
    worker = Worker(spec())
    worker.start()
    try:
        assert worker.wait_warm(PATIENCE_S) and worker.restarts == 1
        assert Code.MODEL_ABSENT in [fault.code for fault in worker.faults()]
        assert worker.submit(asked('turn left in 5 m'))  # it dies in the middle of a cycle
        assert worker.wait(PATIENCE_S) is None
        assert worker.wait_warm(PATIENCE_S)
        assert worker.submit(asked()) and worker.wait(PATIENCE_S) is not None
        assert worker.failed is None
    finally:
        worker.close()


def test_it_ends_with_its_parent(adopted):
    adopted()
    worker = Worker(spec())
    worker.start()
    assert worker.wait_warm(PATIENCE_S) and worker.pid is not None
    children = Path(f'/proc/{worker.pid}/task/{worker.pid}/children').read_text().split()
    assert len(children) == 1
    os.kill(worker.pid, signal.SIGKILL)
    end = time.monotonic() + PATIENCE_S
    while Path(f'/proc/{children[0]}').exists() and time.monotonic() < end:
        time.sleep(0.05)
    worker.close()
    assert not Path(f'/proc/{children[0]}').exists()
