"""``run``: plan along a recorded bag, offline and without ROS; the same bag gives the same plans.

Reading and matching run ahead, a pool decodes pictures, the model runs here, figures and the
recording are written behind.  What is computed, and in which order, does not depend on the
threads.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.faults import Fault
from alpamayo_ros.limits import load_limits
from alpamayo_ros.pipeline import PlanConfig
from alpamayo_ros.recording.decision_events import DecisionEvents
from alpamayo_ros.recording.recording import RunInfo
from alpamayo_ros.replay.afterwards import Afterwards, Done
from alpamayo_ros.replay.ahead import Behind, Inline, ahead
from alpamayo_ros.replay.cycle import Cycler, armed
from alpamayo_ros.replay.intake import Intake, reference_camera
from alpamayo_ros.replay.judge import judge
from alpamayo_ros.replay.lasting import first_of, lasting_s
from alpamayo_ros.replay.motion import Ego
from alpamayo_ros.replay.options import Options, Progress
from alpamayo_ros.replay.replay_figures import Figures
from alpamayo_ros.replay.replay_summary import BagHash, Summary, identity
from alpamayo_ros.replay.score import Scorer
from alpamayo_ros.replay.setup import ReplayError, Setup, open_model, prepare
from alpamayo_ros.replay.tape import Tape
from alpamayo_ros.runtime.base import Runtime
from alpamayo_ros.sensing.rig import Rig
from alpamayo_ros.sensing.view_pipeline import ViewPipeline
from alpamayo_ros.units import NS

__all__ = ['Options', 'Progress', 'ReplayError', 'Result', 'replay', 'run']
DEPTH = 8  # steps that reading and decoding may be ahead, and writing behind
RECORDING = 'recording'
RESULTS = ('summary.json', 'report.html', 'plans.mcap', 'drive.mp4')
SWITCH_S = 0.0005


@dataclass(frozen=True, slots=True)
class Result:
    """``interrupted``: a person ended it; the summary is about the part that was done."""

    summary: Summary
    interrupted: bool
    recording: Path


def run(
    bag: Path,
    out: Path,
    options: Options | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Result:
    """Replay ``bag`` into ``out``: ``recording/`` and ``summary.json``.

    ReplayError where the bag lacks what the profile needs; Ctrl-C keeps what was done.  What an
    earlier run left in ``out`` goes away first, so that no page stands beside other figures.
    """
    setup = prepare(bag, options or Options())
    runtime = open_model(setup.options)
    try:
        for name in RESULTS:
            (out / name).unlink(missing_ok=True)
        result = replay(setup, runtime, out, progress)
    finally:
        if runtime is not None:
            runtime.close()
    result.summary.write(out)
    return result


def replay(
    setup: Setup, runtime: Runtime | None, out: Path, progress: Callable[[Progress], None]
) -> Result:
    """The replay itself, with an open model or none; nothing but the recording is written."""
    digest = BagHash(setup.bag)
    digest.start()
    with _threads():
        work = _Work(setup, runtime, out)
        interrupted = work.go(progress)
    return Result(
        work.summary(digest.result(not interrupted), interrupted), interrupted, work.tape_at
    )


@contextmanager
def _threads() -> Iterator[None]:
    """Leave the cores to the stages of the replay.

    OpenCV's own threads would compete with them; and a thread that waits for the interpreter, like
    the model's after each call, gets it after half a millisecond instead of five.
    """
    before, interval_s = cv2.getNumThreads(), sys.getswitchinterval()
    cv2.setNumThreads(1)
    sys.setswitchinterval(SWITCH_S)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
        sys.setswitchinterval(interval_s)


class _Work:
    """The parts of one replay, joined."""

    def __init__(self, setup: Setup, runtime: Runtime | None, out: Path) -> None:
        options, profile, rig = setup.options, setup.profile, setup.rig
        self.setup, self.runtime, self.tape_at = setup, runtime, out / RECORDING
        self.reader = BagReader(setup.bag, set(setup.sources))
        self.views = ViewPipeline(profile, setup.cameras, options.threads)
        limits = load_limits()
        self.intake = Intake(
            profile, setup.cameras, setup.sources, self.views, limits, setup.black
        )
        config = armed(PlanConfig(profile, limits, rig.vehicle))
        self.ego = Ego(profile, rig.odometry, 2 * rig.vehicle.steer_max_rad)
        self.cycler = Cycler(profile, config, self.views, self.ego, runtime, options.seed)
        front = reference_camera(profile, setup.cameras, setup.sources)
        self.after = Afterwards(
            Scorer(profile.trajectory, rig.vehicle),
            Figures(with_model=runtime is not None),
            Tape(
                self.tape_at, self._info(), rig, self._decision_events(), options.pictures, front
            ),
            rig.odometry,
        )
        limit_s, self.done_ns = options.limit_s, 0
        self.total_s = lasting_s(setup.outline, setup.sources)
        self.total_s = min(self.total_s, limit_s) if limit_s else self.total_s
        self.wall_s = self.cpu_s = 0.0

    def _info(self) -> RunInfo:
        options = self.setup.options
        converted = self.setup.outline.about.get('origin') == 'converted'
        kind = 'converted' if converted else 'replay'
        return RunInfo(
            self.setup.bag.name, options.seed, 'lockstep', options.runtime or 'none',
            f'Replay of {self.setup.bag.name}.', self.setup.rig.name, kind,
        )  # fmt: skip

    def _decision_events(self) -> DecisionEvents:
        known = None if self.runtime is None else self.runtime.identity
        sha = '' if known is None else known.manifest_sha256
        kind = 'none' if known is None else known.kind
        return DecisionEvents(kind, self.setup.profile.name, sha)

    def go(self, progress: Callable[[Progress], None]) -> bool:
        """Everything, in order; True when a person ended it before."""
        began, cpu, interrupted = time.perf_counter(), time.process_time(), False
        messages = first_of(self.reader, self.setup.options.limit_s)
        overlap, steps = self.setup.options.overlap, self.intake.decoded_steps(messages)
        behind = Behind(self.after.take, DEPTH) if overlap else Inline(self.after.take)
        try:
            with closing(ahead(steps, DEPTH) if overlap else steps) as decoded:
                for step in decoded:
                    self.done_ns += step.end_ns - step.begin_ns
                    cycles = tuple(self.cycler.cycles(step))
                    behind.put(Done(step, cycles, tuple(self.ego.take_driven())))
                    progress(self._progress())
        except KeyboardInterrupt:
            interrupted = True
        finally:
            self.views.close()
            behind.close()
        self.after.tape.rig(self._calibrated())
        self.after.finish()
        self.wall_s = time.perf_counter() - began
        self.cpu_s = time.process_time() - cpu
        return interrupted

    def _calibrated(self) -> Rig:
        """The rig with what CameraInfo said of its cameras."""
        known = {camera.name: camera for camera in self.views.cameras}
        rig = self.setup.rig
        cameras = tuple(known.get(camera.name, camera) for camera in rig.cameras)
        return rig.model_copy(update={'cameras': cameras})

    def _notes(self) -> tuple[str, ...]:
        """What a reader should know of the cameras."""
        first = {f.code: str(f) for f in reversed(self._unused())}
        return (*self._black(), *self._learned(), *first.values())

    def _unused(self) -> list[Fault]:
        """Why instructions, routes, Imu and steering messages were not used."""
        return [*self.cycler.words.faults, *self.cycler.unused]

    def _black(self) -> tuple[str, ...]:
        names = self.setup.black
        if not names or self.runtime is None:
            return ()
        return (
            f'Without a picture, so black to the model: {", ".join(names)}. '
            f'{self.setup.profile.name} was not trained for that; its figures say how it does '
            'without these cameras.',
        )

    def _learned(self) -> tuple[str, ...]:
        """What CameraInfo said, and what the cameras do not show."""
        rig, now = self.setup.rig, self._calibrated()
        pairs = zip(rig.cameras, now.cameras, strict=True)
        learned = [b.name for a, b in pairs if not a.calibrated_as(b)]
        notes = [f'Calibrated by CameraInfo, not by the rig: {", ".join(learned)}.']
        if self.views.lost_fov.endswith('none') or not self.after.sets:
            return tuple(notes[: bool(learned)])
        lost = self.views.lost_fov
        return (*notes[: bool(learned)], f'Views are wider than cameras, {lost}.')

    def _progress(self) -> Progress:
        figures = self.after.figures
        return Progress(self._done_s, self.total_s, figures.timesteps, figures.plans)

    @property
    def _done_s(self) -> float:
        """Seconds of the recording that were replayed; the last step reaches beyond its end."""
        return min(self.done_ns / NS, self.total_s)

    def summary(self, digest: str, interrupted: bool) -> Summary:
        """What came of it."""
        figures, setup = self.after.figures, self.setup
        table = figures.table()
        broken = '' if self.reader.fault is None else str(self.reader.fault)
        verdict = judge(figures, table, broken, setup.black, interrupted)
        faults = self.after.faults + Counter(f.code.name for f in self._unused())
        counts = {
            'messages': self.intake.messages,
            'pictures': sum(self.intake.images.values()),
            'timesteps': figures.timesteps,
            'sets': self.after.sets,
            'held_pictures': self.after.held,
            'proposals': figures.proposals,
            **self.after.tape.counts,
            'refusals_before_begin': figures.waited,
        }
        known = None if self.runtime is None else self.runtime.identity
        model = {
            'profile': setup.profile.name,
            'runtime': 'none' if known is None else known.kind,
            'manifest_sha256': '' if known is None else known.manifest_sha256,
            'version': '' if known is None else known.version,
        }
        rig = {'name': setup.rig.name, 'calibration_sha256': setup.rig.calibration_hash}
        return Summary(
            verdict.word, verdict.sentence, not (interrupted or broken),
            (*verdict.notes, *self._notes()), counts,
            dict(sorted(faults.items())), setup.lacks, table, self.timing(),
            identity(setup.bag, digest, rig, model), broken, figures.without_plan.causes(),
        )  # fmt: skip

    def timing(self) -> dict[str, Any]:
        """Wall time, times real time, and milliseconds of each stage a timestep."""
        recorded_s = self._done_s
        stages = {**self.intake.seconds, 'decode': self.views.decode_s, **self.cycler.seconds}
        stages['figures'] = self.after.seconds
        steps = max(1, self.after.figures.timesteps)
        return {
            'recorded_s': round(recorded_s, 3),
            'wall_s': round(self.wall_s, 3),
            'cpu_s': round(self.cpu_s, 3),
            'times_real_time': round(recorded_s / self.wall_s, 2) if self.wall_s else None,
            'decode_threads': self.setup.options.threads,
            'stage_ms': {name: round(1e3 * s / steps, 3) for name, s in stages.items()},
        }
