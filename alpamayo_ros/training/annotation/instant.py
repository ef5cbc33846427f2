"""The words and the dense truth of one instant of a simulation, for shards and for clips."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from alpamayo_ros.model.grammar import GrammarSpec
from alpamayo_ros.simulation.driving_wish import Wish
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.training.annotate import Facts, annotate
from alpamayo_ros.training.annotation.chain import Annotation, annotation


def phrases(
    sim: Simulation,
    spec: GrammarSpec,
    facts: Facts,
    plan: Float[np.ndarray, 'P 3'],
    dt_s: float,
    pixels: Mapping[int, int],
    wish: Wish,
    rng: np.random.Generator,
) -> tuple[dict[str, str] | None, Annotation | None]:
    """One phrase a slot by the annotator of the grammar's version, and its chain (version 2).

    No phrases where the plan has a cause that nobody can see: its words would not be true.
    """
    if spec.version == 1:
        return annotate(facts, plan, dt_s), None
    found = annotation(sim, plan, dt_s, pixels, wish)
    return (None if found.bound.hidden else found.words(spec, rng)), found


def written(spec: GrammarSpec, said: Mapping[str, str]) -> str:
    """Phrases as a text of the grammar, a line a part."""
    return '\n'.join(
        f'{part.name}: ' + ''.join(said[slot.name] for slot in part.slots) for part in spec.parts
    )


def facts_of(sim: Simulation) -> Facts:
    """What the annotator of version 1 speaks about, now."""
    t = sim.truth()
    return Facts(
        sim.ego.speed_mps,
        t.lane_offset_m,
        np.asarray(t.curvature_ahead_1pm),
        t.leader_gap_m,
        t.leader_speed_mps,
        t.leader_acceleration_mps2,
    )


def dense_truth(sim: Simulation, f: Facts) -> Float[np.ndarray, ' 17']:
    """The columns of ``training.truth``, now."""
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
