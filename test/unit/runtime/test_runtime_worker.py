"""The model process: speed, texts, deadlines, deaths, and that nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alpamayo_ros.faults import Code
from alpamayo_ros.limits import load_limits
from alpamayo_ros.pipeline import propose
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.runtime.process import wire
from alpamayo_ros.runtime.process import worker as process_worker
from alpamayo_ros.runtime.process.child import WorkerSpec
from alpamayo_ros.runtime.process.worker import Worker
from alpamayo_ros.runtime.scripted import Script, ScriptedRuntime
from alpamayo_ros.types import Conditioning, PlannerInput

pytestmark = pytest.mark.processes

PROFILE = load_profile('nano')
PATIENCE_S = 300.0
Start = Callable[..., Worker]


def spec(script: Script | None = None, **changes: float) -> WorkerSpec:
    """A scripted model with 20 s for a cycle: the test machine may be busy."""
    free = {'cycle_warn_periods': 1.0, 'cycle_drop_periods': 1.0, 'cycle_kill_periods': 1.0}
    return WorkerSpec(
        profile=PROFILE,
        limits=load_limits().model_copy(update={**free, **changes}),  # beyond their ranges
        period_s=20.0,
        startup_s=60.0,
        kind='scripted',
        script=script,
    )


def inputs(t0_ns: int = 7) -> PlannerInput:
    frames, given, _ = made_up_input(PROFILE)
    given = Conditioning(given.ego, 'turn left', 'slowly', 'text')
    return PlannerInput(t0_ns, replace(frames, t0_ns=t0_ns), given, 3)


@pytest.fixture
def start() -> Iterator[Start]:
    workers: list[Worker] = []

    def make(script: Script | None = None, warm: bool = True, **limits: float) -> Worker:
        workers.append(Worker(spec(script, **limits)))
        workers[-1].start()
        assert workers[-1].wait_warm(PATIENCE_S) or not warm
        return workers[-1]

    yield make
    for worker in workers:
        worker.close()


def until(condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> bool:
    end = time.monotonic() + timeout_s
    while not (held := condition()) and time.monotonic() < end:
        time.sleep(0.005)
    return held


def codes(worker: Worker) -> list[Code]:
    return [fault.code for fault in worker.faults()]


def test_same_bytes_as_in_this_process(start: Start) -> None:
    worker = start()
    begin = time.monotonic()
    assert worker.submit(inputs())
    proposal = worker.wait(PATIENCE_S)
    wall_ms = (time.monotonic() - begin) * 1e3
    here = propose(inputs(), ScriptedRuntime(PROFILE))
    assert proposal is not None
    assert proposal.candidates.tobytes() == here.candidates.tobytes()
    assert (proposal.t0_ns, proposal.text) == (7, here.text)
    assert worker.identity is not None and worker.identity.kind == 'scripted'
    assert list(proposal.stage_ms) == ['encode', 'reason', 'denoise', 'transfer']
    assert 0 < sum(proposal.stage_ms.values()) <= wall_ms
    assert min(proposal.stage_ms.values()) >= 0
    assert worker.poll() is None and worker.faults() == []


def test_every_field_crosses(start: Start) -> None:
    """The channel gives back what it was given, bit for bit, NaN steering included."""
    from alpamayo_ros.runtime.process.channel import get_input, layout, put_input
    from alpamayo_ros.runtime.process.wire import SharedArrays

    arrays = SharedArrays(layout(PROFILE))
    sent = inputs()
    steering = np.full(PROFILE.ego_history.count, np.nan)
    ego = replace(sent.given.ego, steering_rad=steering, extrapolated_ns=5)
    sent = replace(sent, given=replace(sent.given, ego=ego))
    came = get_input(arrays, put_input(arrays, sent))
    for part in ('images', 'age_s', 'valid'):
        assert getattr(came.frames, part).tobytes() == getattr(sent.frames, part).tobytes()
    for part in (
        'poses',
        'speed_mps',
        'acceleration_mps2',
        'yaw_rate_rps',
        'steering_rad',
        'valid',
    ):
        assert getattr(came.given.ego, part).tobytes() == getattr(sent.given.ego, part).tobytes()
    assert came.given.ego.extrapolated_ns == 5
    assert (came.given.navigation, came.given.prompt, came.given.previous_text, came.seed) == (
        'turn left',
        'slowly',
        'text',
        3,
    )
    with pytest.raises(ValueError, match='images: expected shape'):
        arrays.write('images', sent.frames.images[:1])
    arrays.close()


def test_nothing_queues(start: Start) -> None:
    worker = start(Script(sleep_s=0.3))
    assert worker.submit(inputs(1))
    assert not worker.submit(inputs(2))
    assert worker.poll() is None
    proposal = worker.wait(PATIENCE_S)
    assert proposal is not None and proposal.t0_ns == 1


def test_an_answer_before_submit_returns_leaves_no_deadline(start: Start, monkeypatch) -> None:
    """On a busy machine; a deadline set after the answer would kill an idle model."""
    worker, answered = start(), threading.Event()

    def heard(sock):
        message = wire.receive(sock)
        answered.set()
        return message

    def sent(sock, message):
        wire.send(sock, message)
        assert answered.wait(PATIENCE_S)
        time.sleep(0.05)  # until the supervisor has looked at it

    monkeypatch.setattr(process_worker, 'receive', heard)
    monkeypatch.setattr(process_worker, 'send', sent)
    assert worker.submit(inputs())
    assert worker.wait(PATIENCE_S) is not None
    assert until(lambda: worker.state == 'warm') and worker._deadline == float('inf')


def test_f30_an_input_that_does_not_fit_is_refused_and_the_next_is_taken(start: Start) -> None:
    worker = start()
    good = inputs()
    short = replace(good.frames, images=good.frames.images[:, :, :-1])
    long = replace(good.given, navigation='x' * 100_000)
    for bad in (replace(good, frames=short), replace(good, given=long)):
        assert not worker.submit(bad)
        assert worker.state == 'warm'
        assert codes(worker) == [Code.MODEL_ERROR]
    assert worker.submit(good)
    assert worker.wait(PATIENCE_S) is not None


def test_listener_is_told(start: Start) -> None:
    told: list[str] = []
    worker = Worker(spec(), lambda: told.append('news'))
    worker.start()
    assert worker.wait_warm(PATIENCE_S)
    before = len(told)
    worker.submit(inputs())
    assert worker.wait(PATIENCE_S) is not None
    worker.close()
    assert before >= 1 and len(told) > before


def test_lockstep_has_no_deadline_below_30_s() -> None:
    guarded = replace(spec(cycle_kill_periods=9.0), period_s=0.1, slack=3.0, guard_s=30.0)
    assert guarded.deadline_s == guarded.overrun_s == guarded.warn_s == 30.0


def test_missing_model_is_final_and_named(tmp_path: Path) -> None:
    worker = Worker(replace(spec(), kind='onnx', folder=tmp_path / 'none'))
    worker.start()
    assert not worker.wait_warm(PATIENCE_S)
    assert worker.failed is not None and worker.failed.code is Code.MODEL_MISSING
    assert str(tmp_path / 'none') in worker.failed.message
    assert until(lambda: Code.MODEL_MISSING in codes(worker))
    assert worker.restarts == 0 and not worker.submit(inputs())
    worker.close()


def test_f33_runaway_text_is_bounded(start: Start) -> None:
    worker = start(Script(runaway_tokens=1_000_000))
    worker.submit(inputs())
    proposal = worker.wait(PATIENCE_S)
    assert proposal is not None and proposal.truncated
    assert len(proposal.text.encode()) <= 4096 and len(proposal.token_ids) <= 256
    assert all(c == '\n' or c.isprintable() for c in proposal.text)


def test_f34_one_failure_then_a_plan(start: Start) -> None:
    worker = start(Script(raise_from=0, raise_until=1))
    pid = worker.pid
    worker.submit(inputs(1))
    assert worker.wait(PATIENCE_S) is None
    assert codes(worker) == [Code.MODEL_ERROR]
    assert worker.submit(inputs(2))
    assert worker.wait(PATIENCE_S) is not None
    assert worker.pid == pid


def test_f34_three_failures_respawn(start: Start) -> None:
    worker = start(Script(raise_from=0))
    pid = worker.pid
    for _ in range(3):
        assert worker.submit(inputs())
        assert worker.wait(PATIENCE_S) is None
    assert until(lambda: worker.state == 'warm' and worker.pid != pid, PATIENCE_S)
    assert codes(worker) == [Code.MODEL_ERROR, Code.MODEL_ERROR, Code.MODEL_FAILING]
    assert worker.restarts == 1


def test_f35_overrun_warns_then_drops(start: Start) -> None:
    worker = start(Script(sleep_s=0.5), cycle_warn_periods=0.015)
    worker.submit(inputs())
    assert worker.wait(PATIENCE_S) is not None
    assert codes(worker) == [Code.MODEL_OVERRUN_WARN]
    worker = start(Script(sleep_s=0.5), cycle_warn_periods=0.01, cycle_drop_periods=0.02)
    worker.submit(inputs())
    assert worker.wait(PATIENCE_S) is None
    (fault,) = worker.faults()
    assert fault.code is Code.MODEL_OVERRUN and float(fault.values['wall_ms']) >= 500.0


@pytest.mark.parametrize('late_s', [10.0, pytest.param(0.1, marks=pytest.mark.nightly)])
def test_f36_hang_is_killed_in_time_and_comes_back(start: Start, late_s: float) -> None:
    """Killed 2 s after its begin; an idle machine is at most 0.1 s late, by night."""
    worker = start(Script(hang_at=1), cycle_kill_periods=0.1, model_respawns=9)
    assert worker.submit(inputs())
    assert worker.wait(PATIENCE_S) is not None
    pid, begin = worker.pid, time.monotonic()
    assert worker.submit(inputs())
    assert worker.wait(PATIENCE_S) is None
    assert 2.0 <= time.monotonic() - begin < 2.0 + late_s
    assert until(lambda: worker.state == 'warm', PATIENCE_S) and worker.pid != pid
    assert codes(worker) == [Code.MODEL_KILLED]


def test_f36_three_deaths_are_final(start: Start) -> None:
    worker = start(model_respawns=3)
    for _ in range(3):
        assert worker.wait_warm(PATIENCE_S)
        pid = worker.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert until(lambda pid=pid: worker.pid != pid)
    assert until(lambda: worker.failed is not None)
    assert worker.failed is not None and worker.failed.code is Code.MODEL_RESPAWNS
    found: list[Code] = []
    assert until(lambda: found.extend(codes(worker)) or len(found) == 4)
    assert found == [Code.MODEL_ABSENT] * 3 + [Code.MODEL_RESPAWNS]
    assert worker.state == 'dead' and worker.restarts == 2 and not worker.submit(inputs())


def test_f37_nan_candidates_arrive_as_they_are(start: Start) -> None:
    worker = start(Script(nan_candidates=3))
    worker.submit(inputs())
    proposal = worker.wait(PATIENCE_S)
    assert proposal is not None
    finite = np.isfinite(proposal.candidates).all((1, 2))
    assert finite.tolist() == [False] * 3 + [True] * (PROFILE.candidates - 3)


def test_f50_death_in_a_cycle_is_noticed_at_once(start: Start) -> None:
    """Long before the deadline of 2000 s."""
    worker = start(Script(exit_at=0), cycle_kill_periods=100.0)
    worker.submit(inputs())
    assert worker.wait(PATIENCE_S) is None and worker.state != 'busy'
    assert until(lambda: bool(worker.restarts), PATIENCE_S)
    assert Code.MODEL_ABSENT in codes(worker)


def alive(pid: int) -> bool:
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] not in 'ZX'
    except FileNotFoundError:
        return False


PARENT = """
import sys, time
from alpamayo_ros.limits import load_limits
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.process.child import WorkerSpec
from alpamayo_ros.runtime.scripted import Script
from alpamayo_ros.runtime.process.worker import Worker
profile, limits, script = load_profile('nano'), load_limits(), Script(hang_at=0)
worker = Worker(WorkerSpec(
    profile=profile, limits=limits, period_s=20.0, startup_s=60.0, kind='scripted', script=script
))
worker.start()
worker.wait_warm(60.0)
print(worker.pid, flush=True)
time.sleep(60)
"""


def test_child_dies_with_its_killed_parent() -> None:
    parent = subprocess.Popen([sys.executable, '-c', PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert until(lambda: not alive(child), 10.0)


def test_nothing_is_left_behind() -> None:
    """Descriptors, processes and /dev/shm are as before after several workers at once."""
    fds, shm = set(os.listdir('/proc/self/fd')), set(os.listdir('/dev/shm'))
    workers = [Worker(spec()) for _ in range(3)]
    for worker in workers:
        worker.start()
    pids = []
    for index, worker in enumerate(workers):
        assert worker.wait_warm(PATIENCE_S)
        pids.append(worker.pid)
        assert worker.submit(inputs(index + 1))
    for index, worker in enumerate(workers):
        proposal = worker.wait(PATIENCE_S)
        assert proposal is not None and proposal.t0_ns == index + 1
        worker.close()
    assert not any(alive(pid) for pid in pids if pid is not None)
    assert set(os.listdir('/proc/self/fd')) <= fds
    assert not {n for n in set(os.listdir('/dev/shm')) - shm if 'alpamayo' in n}
