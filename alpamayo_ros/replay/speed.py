"""How fast a replay is on this machine, against what its own stages allow.

Three replays of one synthetic drive with six 1600 x 900 cameras at 10 Hz: without a model, with a
model stage after stage (which times the stages), and with a model as it is meant to run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from alpamayo_ros.datasets.rig_file import rig_path
from alpamayo_ros.replay.options import Options, Progress, processors
from alpamayo_ros.replay.replay_summary import Summary
from alpamayo_ros.replay.run import replay
from alpamayo_ros.replay.setup import Setup, open_model, prepare
from alpamayo_ros.simulation.drive.drive_bag import record_drive

SIZE = (1600, 900)
SCENARIO, SEED = 'town_drive', 0
REAL_TIME, REACHED = 3.0, 0.8  # at least so many times real time; share of the ceiling
SERIAL = ('propose', 'decide')  # one needs the result of the one before


@dataclass(frozen=True, slots=True)
class ReplayBench:
    """``stage_ms``: milliseconds of each stage a timestep, one after the other, nothing beside.

    ``ceiling_hz``: timesteps a second that the serial stages alone allow, or, where that is less,
    all stages shared out over the processors.  ``reached``: the rate with everything overlapping,
    over the ceiling.
    """

    processors: int
    recorded_s: float
    timesteps: int
    megabytes: float
    stage_ms: dict[str, float]
    without_model_times_real_time: float
    without_model_cpu_ms: float
    model_hz: float
    ceiling_hz: float
    reached: float
    decode_threads: int

    @property
    def ok(self) -> bool:
        """Whether both limits are kept."""
        return self.without_model_times_real_time >= REAL_TIME and self.reached >= REACHED


def drive(folder: Path, seconds: float, progress: Callable[[float], None]) -> Path:
    """The synthetic drive, recorded once and kept in ``folder``."""
    width, height = SIZE
    bag = folder / f'{SCENARIO}_{SEED}_{width}x{height}_{seconds:g}s.mcap'
    if not (bag.is_file() and rig_path(bag).is_file()):
        folder.mkdir(parents=True, exist_ok=True)
        record_drive(SCENARIO, SEED, bag, seconds, SIZE, progress)
    return bag


def measure(
    bag: Path,
    options: Options,
    repeats: int = 1,
    tell: Callable[[str, Progress], None] = lambda _, __: None,
) -> ReplayBench:
    """Replay ``bag`` three ways, ``repeats`` times; the best of each counts.

    The best, for other programs on the machine can only slow it down.
    """
    out = bag.parent / 'bench'
    blind = prepare(bag, replace(options, runtime=''))
    serial = prepare(bag, replace(options, overlap=False, workers=1))
    whole = prepare(bag, options)
    bare, slow, fast = [], [], []
    for _ in range(repeats):
        bare.append(_once(blind, out, 'without model', tell))
        slow.append(_once(serial, out, 'stage by stage', tell))
        fast.append(_once(whole, out, 'with model', tell))
    return _result(bag, options, bare, slow, fast)


def _once(setup: Setup, out: Path, name: str, tell: Callable[[str, Progress], None]) -> Summary:
    runtime = open_model(setup.options)
    try:
        result = replay(setup, runtime, out, lambda now: tell(name, now))
    finally:
        if runtime is not None:
            runtime.close()
    if result.interrupted:
        raise KeyboardInterrupt
    return result.summary


def _result(
    bag: Path,
    options: Options,
    bare: list[Summary],
    slow: list[Summary],
    fast: list[Summary],
) -> ReplayBench:
    steps = fast[0].counts['timesteps']
    names = [name for name in slow[0].timing['stage_ms'] if name != 'wait']
    stages = {n: min(s.timing['stage_ms'][n] for s in slow) for n in names}
    cores = processors()
    serial_ms = sum(stages.get(name, 0.0) for name in SERIAL)
    ceiling = 1e3 / max(serial_ms, sum(stages.values()) / cores)
    rate = max(steps / s.timing['wall_s'] for s in fast)
    return ReplayBench(
        processors=cores,
        recorded_s=fast[0].timing['recorded_s'],
        timesteps=steps,
        megabytes=round(bag.stat().st_size / 1e6, 1),
        stage_ms=stages,
        without_model_times_real_time=max(s.timing['times_real_time'] for s in bare),
        without_model_cpu_ms=round(min(1e3 * s.timing['cpu_s'] / steps for s in bare), 2),
        model_hz=round(rate, 2),
        ceiling_hz=round(ceiling, 2),
        reached=round(rate / ceiling, 3),
        decode_threads=options.threads,
    )
