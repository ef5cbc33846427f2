"""Worlds in which the policy failed, to be driven again: what is rare is met more than once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from alpamayo_ros.simulation.scenario import Scenario

PASSED = 0.9  # scene_score from which a world counts as mastered
TRIES, MOST = 3, 60  # times that a world is driven again; worlds that wait for it


@dataclass(frozen=True, slots=True)
class World:
    """What makes a world; ``tries``: how often it was driven again."""

    scenario: Scenario
    seed: int
    tries: int = 0


class FailedWorlds:
    """The worlds of one simulator process that wait to be driven again, the newest ``MOST``."""

    def __init__(self, share: float) -> None:
        """``share`` of the drives is for them while there are any."""
        self._share, self._worlds = share, list[World]()

    def draw(self, rng: np.random.Generator) -> World | None:
        """A world to drive again, now one more time; None where a new one is to be drawn."""
        if not self._worlds or rng.random() >= self._share:
            return None
        found = self._worlds.pop(int(rng.integers(len(self._worlds))))
        return replace(found, tries=found.tries + 1)

    def note(self, world: World, scene_score: float) -> None:
        """Keep a world that the policy has just failed, unless it was tried often enough."""
        if self._share and scene_score < PASSED and world.tries < TRIES:
            self._worlds = [*self._worlds, world][-MOST:]
