"""A case for each limit of states, of the model's process, and of the machine."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from drives import SECOND
from limit_case import Cases, Count, Follows, Threshold
from limit_cases_plans import PROFILE, config

from alpamayo_ros.bags.disk_room import DiskRoom
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.gpu import GpuReading, gpu_faults
from alpamayo_ros.limits import Limits
from alpamayo_ros.runtime.process import lives
from alpamayo_ros.runtime.process import worker as process
from alpamayo_ros.runtime.process.bounds import memory_fault
from alpamayo_ros.runtime.process.child import WorkerSpec
from alpamayo_ros.runtime.process.worker import Worker
from alpamayo_ros.safety.state import Events, Mode, SafetyState, advance

CLEAR = Events((), True, 0.0)


def after(state: SafetyState, events: Events, limits: Limits, wait_s: float) -> Mode:
    """The mode when the same holds at 0 and ``wait_s`` later."""
    state = advance(state, events, limits, 0)
    return advance(state, events, limits, round(wait_s * 1e9)).mode


def soft_fault(limits: Limits, wait_s: float) -> Mode:
    """A camera is masked for so long."""
    events = Events((Fault(Code.CAM_LOST),), True, 8.0)
    return after(SafetyState(Mode.ACTIVE), events, limits, wait_s)


def cleared(limits: Limits, wait_s: float) -> Mode:
    """DEGRADED, and nothing wrong for so long."""
    return after(SafetyState(Mode.DEGRADED), CLEAR, limits, wait_s)


def starting(limits: Limits, wait_s: float) -> Mode:
    """INIT, and nothing wrong for so long."""
    return after(SafetyState(), CLEAR, limits, wait_s)


def recovering(limits: Limits, plans: int) -> Mode:
    """FALLBACK at rest, and so many valid plans."""
    state = SafetyState(Mode.FALLBACK)
    for i in range(plans):
        state = advance(state, CLEAR, limits, i * SECOND // 10)
    return state.mode


def rolling(limits: Limits, speed_mps: float) -> Mode:
    """FALLBACK at this speed, with nothing wrong and plans enough."""
    state = SafetyState(Mode.FALLBACK, valid_plans=99)
    return advance(state, Events((), True, speed_mps), limits, SECOND).mode


def degraded_cap(limits: Limits) -> float:
    """Speed cap of DEGRADED."""
    return config(limits).speed_cap(SafetyState(Mode.DEGRADED), [])


def spec(limits: Limits) -> WorkerSpec:
    """A scripted model at 10 Hz."""
    return WorkerSpec(
        profile=PROFILE, limits=limits, period_s=0.1, startup_s=60.0, kind='scripted'
    )  # fmt: skip


def failing(limits: Limits, failures: int) -> bool:
    """Whether so many failed cycles in a row end the model's process."""
    worker = Worker(spec(limits))
    reasons = [worker._handle(None, {'id': 0, 'error': 'no'}) for _ in range(failures)]
    worker.close()
    return any(reason is not None for reason in reasons)


def dying(limits: Limits, deaths: int, apart_s: float = 1.0) -> bool:
    """Whether so many deaths of the process, ``apart_s`` seconds apart, are final."""
    times = [i * apart_s for i in range(deaths)]
    worker = Worker(spec(limits))
    with patch.object(lives, 'PAUSES_S', (0.0,)):
        for now_s in times:
            with patch.object(process, 'time', SimpleNamespace(monotonic=lambda now=now_s: now)):
                worker._mourn(None, -9)
    worker.close()
    return worker.failed is not None and worker.failed.code is Code.MODEL_RESPAWNS


def dying_within(limits: Limits, window_s: float) -> bool:
    """Whether the last of the deaths that are too many counts when it comes so late."""
    return dying(limits, limits.model_respawns, window_s / (limits.model_respawns - 1))


def holding(limits: Limits, share: float) -> bool:
    """Whether a model's process with this share of the memory is killed."""
    return memory_fault(share, 1.0, limits) is not None


def gpu(limits: Limits, celsius: float = 40.0, memory: float = 0.5) -> set[str]:
    """What is said of a GPU."""
    return {f.code.name for f in gpu_faults([GpuReading('0', celsius, memory)], limits)}


def disk(limits: Limits, free: float) -> str:
    """What is said of a disk with so much room."""
    fault = DiskRoom(Path('.'), limits, lambda folder: round(free)).check()
    return fault.code.name if fault else ''


CASES: Cases = {
    'cycle_warn_periods': (Follows(lambda limits: spec(limits).warn_s),),
    'cycle_drop_periods': (Follows(lambda limits: spec(limits).overrun_s),),
    'cycle_kill_periods': (Follows(lambda limits: spec(limits).deadline_s),),
    'soft_degraded_s': (Threshold(soft_fault),),
    'clear_s': (Threshold(cleared),),
    'init_valid_s': (Threshold(starting),),
    'rearm_plans': (Count(recovering),),
    'rearm_speed_mps': (Threshold(rolling),),
    'model_failures': (Count(failing),),
    'model_respawns': (Count(dying),),
    'respawn_window_s': (Threshold(dying_within),),
    'model_memory_ratio': (Threshold(holding),),
    'model_files': (Follows(lambda limits: spec(limits).hello()['files'], 0.125),),
    'degraded_speed_ratio': (Follows(degraded_cap),),
    'gpu_warn_celsius': (Threshold(gpu),),
    'gpu_celsius': (Threshold(gpu),),
    'gpu_memory_warn_ratio': (Threshold(lambda limits, x: gpu(limits, memory=x), 0.003),),
    'gpu_memory_ratio': (Threshold(lambda limits, x: gpu(limits, memory=x), 0.003),),
    'disk_warn_bytes': (Threshold(disk),),
    'disk_bytes': (Threshold(disk),),
}
