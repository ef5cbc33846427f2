"""Data: the expert's drives with injected perturbations, and the model's own drives labelled by
the expert.

Cameras are taken at 0, 0.2, 0.5, 0.7, 1.0, ... s, so that the profile's four timesteps (nearest to
0, 0.25, 0.5 and
0.75 s) have exactly the ages that 10 Hz cameras give.  Pixels pass through the same views as at
run time.
Training seeds start at 10000; 5000 to 5999 are validation; seeds below 1000 belong to evaluation
and never come here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.sensing.views import make_views, views_from_rig
from alpamayo_ros.simulation import expert
from alpamayo_ros.simulation.scenario import Scenario, load_scenario
from alpamayo_ros.simulation.simulation import Simulation
from alpamayo_ros.simulation.tracker import Motion, Reference, track
from alpamayo_ros.training.annotate import Facts, annotate
from alpamayo_ros.training.dataset import ShardWriter
from alpamayo_ros.training.policy import BatchPolicy

FAMILIES = ('winding_road', 'stopped_car', 'slowing_leader')
EVALUATION_SEEDS = range(0, 1000)
STEP_S = 0.1


class Recorder:
    """Turns the states of one simulation into frames and samples of a shard."""

    def __init__(
        self,
        sim: Simulation,
        profile: ModelProfile,
        grammar: Grammar,
        writer: ShardWriter,
        seed: int,
    ) -> None:
        self.sim, self.profile, self.grammar, self.writer, self.seed = (
            sim,
            profile,
            grammar,
            writer,
            seed,
        )
        self.makers = views_from_rig(profile, load_rig('sim'))
        self.past: list[tuple[float, int]] = []

    def look(self) -> UInt8[np.ndarray, 'V H W 3']:
        """The profile's views of this instant."""
        return make_views(self.sim.images(), self.makers)

    def record(
        self, time_s: float, views: UInt8[np.ndarray, 'V H W 3'], keep: bool = True
    ) -> None:
        """Store the timestep; with ``keep`` also a sample with the expert's plan and words."""
        self.past.append((time_s, self.writer.add_frame(views)))
        if not keep:
            return
        plan = expert.plan(self.sim).astype(np.float32)
        facts = _facts(self.sim)
        frames, ages, past = self._stack(time_s)
        self.writer.rows.append(
            {
                'frames': frames,
                'age_s': ages,
                'past': past,
                'truth': _truth(self.sim, facts),
                'plan': plan,
                'speed': np.float32(facts.speed_mps),
                'coc': self.grammar.encode(annotate(facts, plan)),
                'seed': np.int64(self.seed),
            }
        )

    def _stack(self, now_s: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        count, spacing = self.profile.frames.count, self.profile.frames.spacing_s
        frames, ages, past = (
            np.zeros(count, np.int64),
            np.zeros(count, np.float32),
            np.zeros(count, np.float32),
        )
        for k in range(count):
            wanted = now_s - k * spacing
            t, index = min(self.past, key=lambda item: (round(abs(item[0] - wanted), 3), item[0]))
            frames[k] = index
            if abs(t - wanted) <= 0.15:
                ages[k], past[k] = now_s - t, 1.0
        return frames, ages, past


def _facts(sim: Simulation) -> Facts:
    t = sim.truth()
    return Facts(
        sim.ego.speed_mps,
        t.lane_offset_m,
        np.asarray(t.curvature_ahead_1pm),
        t.leader_gap_m,
        t.leader_speed_mps,
        t.leader_acceleration_mps2,
    )


def _truth(sim: Simulation, f: Facts) -> Float[np.ndarray, ' 17']:
    t = sim.truth()
    seen = f.gap_m < 55.0
    leader = [
        f.gap_m,
        f.leader_acceleration_mps2 < -0.5,
        f.leader_speed_mps < 0.5,
        f.speed_mps - f.leader_speed_mps,
    ]
    return np.array(
        [
            *t.lane_ahead_m,
            t.lane_offset_m,
            t.heading_error_rad,
            *t.curvature_ahead_1pm,
            seen,
            *(leader if seen else [0] * 4),
        ],
        np.float32,
    )


def camera_instant(step: int) -> bool:
    """True at steps 0, 2, 5, 7, 10, ... of 0.1 s."""
    return step % 5 in (0, 2)


def random_start(sim: Simulation, family: str, rng: np.random.Generator) -> None:
    """Somewhere on the road, a little off centre, at any speed the road allows; one drive in six
    starts at rest.

    ``stopped_car`` and ``slowing_leader`` always get their car, at a distance the ego can still
    brake for.
    """
    road = sim.road
    arc = float(rng.uniform(8.0, road.length_m - (230.0 if family == 'slowing_leader' else 150.0)))
    speed = (
        0.0
        if rng.random() < 0.17
        else rng.uniform(0.0, 10.0)
        if rng.random() < 0.6
        else road.limit(arc)
    )
    place = {
        'offset_m': rng.uniform(-1.0, 1.0),
        'heading_error_rad': np.radians(rng.uniform(-8, 8)),
    }
    traffic: dict[str, Any] = {'traffic_time_s': float(rng.uniform(0, 10))}
    if family == 'stopped_car':
        gap = float(rng.uniform(8.0, 110.0))
        speed = min(speed, float(np.sqrt(2 * 2.5 * max(0.4, gap - 5.0))))
        traffic['stopped_car_gap_m'] = gap
    elif family == 'slowing_leader':
        gap, leader = float(rng.uniform(6.0, 45.0)), float(rng.uniform(3.0, 9.0))
        speed = min(speed, leader + float(np.sqrt(2 * 1.5 * max(0.2, gap - 5.0))))
        traffic |= {
            'leader_gap_m': gap,
            'leader_speed_mps': leader,
            'leader_seed': int(rng.integers(1 << 30)),
        }
    sim.place(arc, place['offset_m'], place['heading_error_rad'], float(speed), **traffic)


def collect_expert(
    seeds: Sequence[int], folder: Path, profile: ModelProfile, grammar: Grammar, steps: int = 180
) -> int:
    """Drive every seed with the expert and random steering pulses; returns how many samples."""
    writer = ShardWriter()
    for seed in seeds:
        _refuse_evaluation(seed)
        family = FAMILIES[seed % 3]
        rng = np.random.default_rng([seed, 7])
        sim = Simulation(_training_scenario(family), seed)
        random_start(sim, family, rng)
        recorder = Recorder(sim, profile, grammar, writer, seed)
        pulse, left, still = 0.0, 0, 0
        for step in range(steps):
            truth = sim.truth()
            if (
                abs(truth.lane_offset_m) > 2.6
                or sim.arc_m > sim.road.length_m - 60
                or sim.outcome.collisions
            ):
                break
            if camera_instant(step):
                recorder.record(step * STEP_S, recorder.look(), keep=still < 12 or step % 10 == 0)
            left -= 1
            if left <= 0:
                left, pulse = (
                    (int(rng.integers(4, 10)), rng.normal(0, 0.1))
                    if rng.random() < 0.025
                    else (0, 0.0)
                )
            steering, acceleration = expert.control(sim)
            sim.step(steering + pulse, acceleration)
            still = still + 1 if sim.ego.speed_mps < 0.05 else 0
            if still > 40 and family != 'slowing_leader':
                break
        sim.close()
    writer.write(folder, {'by': 'expert', 'seeds': [min(seeds), max(seeds)], 'worlds': len(seeds)})
    return len(writer.rows)


def collect_policy(
    policy: BatchPolicy,
    seeds: Sequence[int],
    families: Sequence[str],
    folder: Path,
    profile: ModelProfile,
    grammar: Grammar,
    steps: int = 200,
) -> dict[str, int]:
    """Let the model drive ``len(policy.past)`` worlds at a time; every state is labelled with the
    expert's plan.
    """
    writer, group = ShardWriter(), len(policy.past)
    ends: dict[str, int] = {}
    for first in range(0, len(seeds), group):
        batch = list(seeds[first : first + group])
        for end in _drive_group(policy, batch, families, writer, profile, grammar, steps):
            ends[end] = ends.get(end, 0) + 1
    writer.write(
        folder,
        {'by': 'policy', 'seeds': [min(seeds), max(seeds)], 'worlds': len(seeds), 'ends': ends},
    )
    return {'samples': len(writer.rows), **ends}


def _drive_group(
    policy: BatchPolicy,
    seeds: list[int],
    families: Sequence[str],
    writer: ShardWriter,
    profile: ModelProfile,
    grammar: Grammar,
    steps: int,
) -> list[str]:
    sims, recorders, ends = [], [], ['time'] * len(seeds)
    rng = np.random.default_rng([seeds[0], 11])
    for seed in seeds:
        _refuse_evaluation(seed)
        family = families[seed % len(families)]
        sims.append(Simulation(_training_scenario(family), seed))
        random_start(sims[-1], family, rng)
        recorders.append(Recorder(sims[-1], profile, grammar, writer, seed))
    for past in policy.past:
        past.clear()
    active, noise = list(range(len(seeds))), np.zeros(len(seeds))
    plans: dict[int, tuple[int, np.ndarray, tuple[float, float, float]]] = {}
    for step in range(steps):
        if camera_instant(step) and active:
            views = [recorders[i].look() for i in active]
            for i, v in zip(active, views, strict=True):
                recorders[i].record(
                    step * STEP_S, v, keep=sims[i].ego.speed_mps > 0.05 or step % 10 == 0
                )
            speeds = np.array([sims[i].ego.speed_mps for i in active])
            made = policy.act(active, step * STEP_S, np.stack(views), speeds)
            for i, plan in zip(active, made, strict=True):
                e = sims[i].ego
                plans[i] = (step, plan, (e.x_m, e.y_m, e.heading_rad))
        for i in list(active):
            noise[i] = (
                rng.normal(0, 0.05) * (rng.random() < 0.3) if rng.random() < 0.08 else noise[i]
            )
            began, plan, pose = plans[i]
            steering, acceleration = follow(sims[i], plan, pose, (step - began) * STEP_S)
            sims[i].step(steering + noise[i], acceleration)
            end = _ended(sims[i])
            if end:
                ends[i] = end
                active.remove(i)
    for sim in sims:
        sim.close()
    return ends


def follow(
    sim: Simulation, plan: np.ndarray, pose: tuple[float, float, float], elapsed_s: float
) -> tuple[float, float]:
    """Tracker command for a plan made at ``pose`` (x, y, heading in odom) ``elapsed_s`` ago."""
    e, (x0, y0, h0) = sim.ego, pose
    dx, dy, c, s = e.x_m - x0, e.y_m - y0, np.cos(h0), np.sin(h0)
    motion = Motion(
        c * dx + s * dy,
        -s * dx + c * dy,
        e.heading_rad - h0,
        e.speed_mps,
        e.steering_rad,
        elapsed_s,
    )
    return track(Reference(plan[:, 0], plan[:, 1]), motion, sim.vehicle)


def _ended(sim: Simulation) -> str:
    if sim.outcome.collisions:
        return 'contact'
    if abs(sim.truth().lane_offset_m) > 2.8:
        return 'road'
    return 'goal' if sim.arc_m > sim.road.length_m - 60 else ''


def _training_scenario(name: str) -> Scenario:
    scenario = load_scenario(name)
    if scenario.split not in ('', 'train'):
        raise ValueError(f'{name} is of the split {scenario.split!r}: nothing is trained on it')
    return scenario


def _refuse_evaluation(seed: int) -> None:
    if seed in EVALUATION_SEEDS:
        raise ValueError(
            f'seed {seed} belongs to evaluation (0 to 999); training seeds start at 10000'
        )
