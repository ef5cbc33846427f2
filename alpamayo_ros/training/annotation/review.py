"""The words of a drive beside its pictures, for a person to look through."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from alpamayo_ros.model.grammar import GrammarSpec
from alpamayo_ros.profile import TrajectoryFormat
from alpamayo_ros.simulation.drive.visibility import seen_pixels
from alpamayo_ros.simulation.driving_wish import read_prompt
from alpamayo_ros.simulation.scenario import Scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.simulation import STEP_S
from alpamayo_ros.training.annotation.chain import Annotation, annotation
from alpamayo_ros.training.annotation.instant import written

STYLE = (
    'body{font:15px sans-serif;max-width:1100px;margin:2em auto}img{float:left;margin-right:1em}'
)
STYLE += 'section{clear:both;padding:1em 0;overflow:auto}.hidden{color:#b00}'


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
    parts = [f'<!doctype html><meta charset="utf-8"><title>{html.escape(title)}</title>']
    parts.append(f'<style>{STYLE}</style><h1>{html.escape(title)}</h1>')
    for one in shown:
        _, jpeg = cv2.imencode('.jpg', cv2.cvtColor(one.picture, cv2.COLOR_RGB2BGR))
        data = base64.b64encode(jpeg.tobytes()).decode()
        told = f'{one.time_s:.1f} s, {one.speed_mps:.1f} m/s, {one.navigation}'
        words = '<br>'.join(html.escape(line) for line in one.lines)
        kind = ' class="hidden"' if one.found.bound.hidden else ''
        parts.append(
            f'<section><img src="data:image/jpeg;base64,{data}" alt="front camera">'
            f'<b>{html.escape(told)}</b><p>{words}<p{kind}>{html.escape(one.verdict)}</section>'
        )
    return '\n'.join(parts)
