"""From states of a simulation to samples: pixels, the expert's plan and words, dense truth.

Pixels pass through the same views as at run time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Int16, UInt8

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.prompt import prefix_ids
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.sensing.views import make_views, views_from_rig
from alpamayo_ros.simulation.drive.visibility import seen_pixels
from alpamayo_ros.simulation.driving_wish import read_prompt
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.simulation import STEP_NS, Simulation
from alpamayo_ros.training.annotate import Facts
from alpamayo_ros.training.annotation.instant import dense_truth, facts_of, phrases
from alpamayo_ros.training.dataset import ShardWriter
from alpamayo_ros.training.nearest_frames import nearest_frames
from alpamayo_ros.units import NS

WORDLESS = (0,)
Before = Callable[[Mapping[str, np.ndarray], float], dict[str, np.ndarray]]


class Recorder:
    """Turns the states of one simulation into frames and samples of a shard.

    ``prompt``: what the passenger asks for; the expert's plan obeys it.  ``before``: what stands
    between world and cameras, of pictures and the time [s].
    """

    def __init__(
        self,
        sim: Simulation,
        profile: ModelProfile,
        grammar: Grammar,
        writer: ShardWriter,
        seed: int,
        prompt: str = '',
        before: Before | None = None,
    ) -> None:
        self.sim, self.profile, self.grammar = sim, profile, grammar
        self.writer, self.seed, self.before = writer, seed, before
        self.prompt, self.wish = prompt, read_prompt(prompt).wish
        self.makers = views_from_rig(profile, load_rig('sim'))
        self.past: list[tuple[float, int]] = []
        self._pixels: dict[int, int] = {}

    def look(self) -> UInt8[np.ndarray, 'V H W 3']:
        """The profile's views of this instant."""
        images = self.sim.images()
        if self.grammar.spec.version > 1:
            self._pixels = seen_pixels(self.sim, images)
        if self.before is not None:
            images = self.before(images, self.sim.now_ns / NS)
        return make_views(images, self.makers)

    def _words(self, facts: Facts, plan: Float[np.ndarray, 'P 3']) -> dict[str, str] | None:
        """One phrase a slot, by the annotator of the grammar's version.

        None where the plan has a cause that nobody can see: its words would not be true.
        """
        dt_s = self.profile.trajectory.dt_s
        rng = np.random.default_rng([self.seed, self.sim.now_ns // STEP_NS])
        spec = self.grammar.spec
        return phrases(self.sim, spec, facts, plan, dt_s, self._pixels, self.wish, rng)[0]

    def prefix(self) -> Int16[np.ndarray, ' X']:
        """Token ids of the instruction here and of the prompt, -1 behind them."""
        most = self.profile.text.max_prefix
        ids = prefix_ids(self.grammar.tokenizer, self.sim.navigation, self.prompt, most)
        return np.pad(np.array(ids, np.int16), (0, most - len(ids)), constant_values=-1)

    def record(
        self, time_s: float, views: UInt8[np.ndarray, 'V H W 3'], keep: bool = True
    ) -> dict[str, Any] | None:
        """Store the timestep; with ``keep`` also a sample with the expert's plan and words.

        Returns the sample, None where there is none.  Where the plan's cause is hidden the sample
        has no words (one token of padding): caution before a parked van is worth learning.
        """
        self.past.append((time_s, self.writer.add_frame(views)))
        if not keep:
            return None
        plan = expert.plan(self.sim, self.profile.trajectory, self.wish).astype(np.float32)
        facts = facts_of(self.sim)
        words = self._words(facts, plan)
        shown = nearest_frames(self.past, time_s, self.profile.frames)
        frames, ages, past = zip(*shown, strict=True)
        row = {
            'frames': np.array(frames, np.int64),
            'age_s': np.array(ages, np.float32),
            'past': np.array(past, np.float32),
            'truth': dense_truth(self.sim, facts),
            'plan': plan,
            'speed': np.float32(facts.speed_mps),
            'coc': WORDLESS if words is None else self.grammar.encode(words),
            'prefix': self.prefix(),
            'seed': np.int64(self.seed),
        }
        self.writer.rows.append(row)
        return row
