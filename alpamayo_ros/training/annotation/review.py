"""The words of a drive beside its pictures, for a person to look through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from alpamayo_ros.model.grammar import GrammarSpec
from alpamayo_ros.profile import TrajectoryFormat
from alpamayo_ros.reports import pages
from alpamayo_ros.simulation.drive.visibility import seen_pixels
from alpamayo_ros.simulation.driving_wish import read_prompt
from alpamayo_ros.simulation.scenario import Scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.simulation import STEP_S
from alpamayo_ros.training.annotation.chain import Annotation, annotation
from alpamayo_ros.training.annotation.instant import written


@dataclass(frozen=True, slots=True)
class Instant:
    """One annotated instant of the expert's drive."""

    time_s: float
    speed_mps: float
    navigation: str
    picture: UInt8[np.ndarray, 'H W 3']
    found: Annotation
    lines: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """What binds the plan, and how far it moves without it."""
        bound = self.found.bound
        hidden = ', but cannot be seen: such a sample is not for training' if bound.hidden else ''
        return f'{bound.cause.name}: {bound.effect_m:.1f} m{hidden}'


def instants(
    scenario: Scenario,
    seed: int,
    spec: GrammarSpec,
    form: TrajectoryFormat,
    every_s: float = 1.0,
    prompt: str = '',
) -> Iterator[Instant]:
    """Drive with the expert and annotate an instant every so often."""
    sim, wish, step = open_world(scenario, seed), read_prompt(prompt).wish, 0
    try:
        while not sim.done:
            if step % max(round(every_s / STEP_S), 1) == 0:
                images = sim.images()
                pixels = seen_pixels(sim, images)
                plan = expert.plan(sim, form, wish)
                found = annotation(sim, plan, form.dt_s, pixels, wish)
                words = found.words(spec, np.random.default_rng([seed, step]))
                lines = tuple(written(spec, words).split('\n'))
                now = (sim.now_ns / 1e9, sim.ego.speed_mps, sim.navigation)
                yield Instant(*now, images['front'], found, lines)
            sim.step(*expert.control(sim, wish))
            step += 1
    finally:
        sim.close()


def page(title: str, shown: list[Instant]) -> str:
    """A page that needs nothing else: front pictures, words, what binds."""
    hidden = sum(one.found.bound.hidden for one in shown)
    count = f'{len(shown)} chains of causation' if len(shown) != 1 else 'One chain of causation'
    return pages.render(
        'words.html.j2',
        title=title,
        verdict=f'{count}, {hidden or "none"} of them for a cause that no picture shows.',
        colour='warn' if hidden else 'good',
        instants=[
            {
                'picture': pages.data_url(one.picture),
                'time_s': one.time_s,
                'speed_mps': one.speed_mps,
                'navigation': one.navigation,
                'lines': one.lines,
                'hidden': one.found.bound.hidden,
                'binds': one.verdict,
            }
            for one in shown
        ],
    )
