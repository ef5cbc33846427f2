"""Clips of the simulator: the expert drives, and every instant is annotated from the truth."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alpamayo_ros.model.grammar import GrammarSpec
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.simulation.drive import visibility
from alpamayo_ros.simulation.drive.drive_bag import Company, Images, record_drive
from alpamayo_ros.simulation.driving_wish import Wish, read_prompt
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.simulation import STEP_NS, STEP_S, Simulation
from alpamayo_ros.training.annotation.chain import Annotation
from alpamayo_ros.training.annotation.instant import dense_truth, facts_of, phrases, written
from alpamayo_ros.training.clips import storage
from alpamayo_ros.training.clips.clip import FUTURE_S, SHORTEST_S, Cause, Line, Note
from alpamayo_ros.training.clips.motion import moved, rounded, with_motion
from alpamayo_ros.training.clips.recorded_clip import RecordedClip

LANE_M, LANE_STEP_M = (-20.0, 60.0), 4.0  # of the own way: behind, ahead; between two points
LICENCE = 'CC0-1.0'  # of the simulator's own drives, as their logs


@dataclass(frozen=True, slots=True)
class Drive:
    """Which drive of the simulator becomes a clip; ``grammar``: of the words, by its name."""

    scenario: str
    seed: int
    seconds: float
    grammar: str
    prompt: str = ''

    @property
    def words(self) -> str:
        """The command that makes it again."""
        asked = f' --prompt {self.prompt!r}' if self.prompt else ''
        numbers = f'--seeds {self.seed} --seconds {self.seconds:g} --words {self.grammar}'
        return f'alpamayo data clips --scenario {self.scenario} {numbers}{asked}'


def drive_clip(
    drive: Drive,
    folder: Path,
    spec: GrammarSpec,
    profile: ModelProfile,
    progress: Callable[[float], None] = lambda _: None,
) -> storage.Meta | str:
    """Write a clip, or say why there is none; a folder that was left unfinished is made anew."""
    storage.begin(folder)
    wish, found = read_prompt(drive.prompt).wish, load_scenario(drive.scenario)
    notes: list[Note] = []

    def watch(sim: Simulation, now_ns: int, images: Images) -> None:
        notes.append(_note(sim, now_ns, images, drive, wish, spec, profile))

    company = Company(wish, watch, FUTURE_S)
    bag, length_s = folder / storage.BAG, drive.seconds + STEP_S
    done = record_drive(found, drive.seed, bag, length_s, None, progress, company)
    span_s = (notes[-1].t0_ns - notes[0].t0_ns) / 1e9
    if span_s < SHORTEST_S:
        shutil.rmtree(folder)
        why = f' ({done.end})' if done.end else ''
        return f'the drive ended after {span_s:.1f} s{why}; a clip has at least {SHORTEST_S:g} s'
    states = RecordedClip(bag, None, profile).states
    motion = {one.t0_ns: one for one in moved(states, [n.t0_ns for n in notes], profile)}
    rows = tuple(with_motion(n, motion[n.t0_ns]) for n in notes if n.t0_ns in motion)
    meta = storage.Meta(
        format=storage.FORMAT,
        name=folder.name,
        origin='simulator',
        made_of=drive.words,
        begin_ns=notes[0].t0_ns,
        end_ns=notes[-1].t0_ns,
        instants=len(notes),
        cameras=tuple(c.name for c in done.rig.cameras),
        grammar=drive.grammar,
        licence=LICENCE,
    )
    return storage.finish(folder, meta, storage.Annotation(notes=rows))


def _note(
    sim: Simulation,
    now_ns: int,
    images: Images,
    drive: Drive,
    wish: Wish,
    spec: GrammarSpec,
    profile: ModelProfile,
) -> Note:
    """What is true of this instant, and the words of the annotator."""
    form, truth = profile.trajectory, facts_of(sim)
    plan = expert.plan(sim, form, wish)
    pixels = visibility.seen_pixels(sim, images) if spec.version > 1 else {}
    rng = np.random.default_rng([drive.seed, sim.now_ns // STEP_NS])
    said, chain = phrases(sim, spec, truth, plan, form.dt_s, pixels, wish, rng)
    known = visibility.known(sim, sim.truth(), images)
    return Note(
        t0_ns=now_ns,
        plan=rounded(plan.astype(float)),
        instruction=sim.navigation,
        prompt=drive.prompt,
        words='' if said is None else written(spec, said),
        lines=(_lane(sim),),
        facts={name: tuple(sorted(values)) for name, values in known.seen.items()},
        hidden={name: tuple(sorted(said)) for name, said in known.hidden.items() if said} or None,
        values=None if chain is None else chain.values,
        cause=None if chain is None else _cause(chain),
        dense=tuple(round(float(v), 4) for v in dense_truth(sim, truth)),
    )


def _cause(chain: Annotation) -> Cause:
    bound = chain.bound
    effect_m = round(bound.effect_m, 2)
    things = bool(bound.cause.ids)
    return Cause(name=bound.cause.name, effect_m=effect_m, hidden=bound.hidden, things=things)


def _lane(sim: Simulation) -> Line:
    """The middle of the own way in base_link."""
    points, _, _ = sim.road.at(sim.arc_m + np.arange(LANE_M[0], LANE_M[1] + 0.1, LANE_STEP_M))
    c, s = math.cos(sim.pose.heading_rad), math.sin(sim.pose.heading_rad)
    dx, dy = points[:, 0] - sim.pose.x_m, points[:, 1] - sim.pose.y_m
    rows = np.stack([c * dx + s * dy, c * dy - s * dx], 1).round(2)
    return Line(kind='lane', points=tuple((x, y) for x, y in rows.tolist()))
