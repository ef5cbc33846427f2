"""Data: the expert's drives with perturbations, and the model's own, labelled by the expert.

Cameras are taken at the instants of 10 Hz that are nearest to the multiples of the profile's frame
spacing (0, 0.2, 0.5, 0.7, 1.0, ... s for 0.25 s), so that its timesteps have exactly the ages that
10 Hz cameras give.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.simulation.driving_wish import draw_prompt
from alpamayo_ros.simulation.tracker import Anchor, Reference, follow
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.training.dataset import ShardWriter
from alpamayo_ros.training.policy import BatchPolicy
from alpamayo_ros.training.sample_recorder import Recorder
from alpamayo_ros.training.starts import open_training

STEP_S = 0.1
PROMPTED = 0.25  # share of the drives in which the passenger asks for something


def camera_instant(step: int, spacing_s: float) -> bool:
    """True at the steps of 0.1 s nearest to a multiple of ``spacing_s``, the earlier of two."""
    near = round(step * STEP_S / spacing_s)
    steps = (math.ceil(k * spacing_s / STEP_S - 0.5 - 1e-9) for k in (near - 1, near, near + 1))
    return step in steps


def passenger(rng: np.random.Generator, share: float = PROMPTED) -> str:
    """What the passenger asks for in a ``share`` of the drives, in wordings for training."""
    return draw_prompt(rng) if rng.random() < share else ''


def collect_expert(
    seeds: Sequence[int],
    families: Sequence[str],
    folder: Path,
    profile: ModelProfile,
    grammar: Grammar,
    steps: int = 180,
) -> int:
    """Drive every seed with the expert and random steering pulses; returns how many samples."""
    writer = ShardWriter()
    for seed in seeds:
        family = families[seed % len(families)]
        rng = np.random.default_rng([seed, 7])
        sim = open_training(family, seed, rng)
        recorder = Recorder(sim, profile, grammar, writer, seed, passenger(rng))
        pulse, left, still = 0.0, 0, 0
        for step in range(steps):
            truth = sim.truth()
            if (
                abs(truth.lane_offset_m - sim.actors.way.at(sim.arc_m)) > 2.6
                or sim.arc_m > sim.road.length_m - 60
                or sim.outcome.collisions
            ):
                break
            if camera_instant(step, profile.frames.spacing_s):
                recorder.record(step * STEP_S, recorder.look(), keep=still < 12 or step % 10 == 0)
            left -= 1
            if left <= 0:
                left, pulse = (
                    (int(rng.integers(4, 10)), rng.normal(0, 0.1))
                    if rng.random() < 0.025
                    else (0, 0.0)
                )
            steering, acceleration = expert.control(sim, recorder.wish)
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
    """Let the model drive ``len(policy.past)`` worlds at a time.

    Every state is labelled with the expert's plan.
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
        sims.append(open_training(families[seed % len(families)], seed, rng))
        recorders.append(Recorder(sims[-1], profile, grammar, writer, seed, passenger(rng)))
    for past in policy.past:
        past.clear()
    active, noise = list(range(len(seeds))), np.zeros(len(seeds))
    plans: dict[int, tuple[int, np.ndarray, Anchor]] = {}
    for step in range(steps):
        if camera_instant(step, profile.frames.spacing_s) and active:
            views = [recorders[i].look() for i in active]
            for i, v in zip(active, views, strict=True):
                recorders[i].record(
                    step * STEP_S, v, keep=sims[i].ego.speed_mps > 0.05 or step % 10 == 0
                )
            speeds = np.array([sims[i].ego.speed_mps for i in active])
            prefix = np.stack([recorders[i].prefix() for i in active])
            times = [step * STEP_S] * len(active)
            made = policy.act(active, times, np.stack(views), speeds, prefix)
            for i, plan in zip(active, made, strict=True):
                e = sims[i].ego
                plans[i] = (step, plan, Anchor(e.x_m, e.y_m, e.heading_rad))
        for i in list(active):
            noise[i] = (
                rng.normal(0, 0.05) * (rng.random() < 0.3) if rng.random() < 0.08 else noise[i]
            )
            began, plan, anchor = plans[i]
            reference, elapsed_s = Reference(plan[:, 0], plan[:, 1]), (step - began) * STEP_S
            steering, acceleration = follow(
                reference, anchor, sims[i].pose, elapsed_s, sims[i].vehicle
            )
            sims[i].step(steering + noise[i], acceleration)
            end = _ended(sims[i])
            if end:
                ends[i] = end
                active.remove(i)
    for sim in sims:
        sim.close()
    return ends


def _ended(sim: Simulation) -> str:
    if sim.outcome.collisions:
        return 'contact'
    if abs(sim.truth().lane_offset_m - sim.actors.way.at(sim.arc_m)) > 2.8:
        return 'road'
    return 'goal' if sim.arc_m > sim.road.length_m - 60 else ''
