"""Which drive of the simulator becomes a log, in numbers and words that repeat it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from alpamayo_ros.datasets.log_build import Material
from alpamayo_ros.datasets.log_format import LogError
from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime import registry
from alpamayo_ros.simulation.drive import drivers
from alpamayo_ros.simulation.drive.drive import Drive, Options
from alpamayo_ros.simulation.drive.drive_log import Excerpt, driven, planned, record
from alpamayo_ros.simulation.drive.planners import open_planner
from alpamayo_ros.simulation.driving_wish import read_prompt
from alpamayo_ros.simulation.scenario import Scenario, load_scenario
from alpamayo_ros.simulation.worlds.simulation import Simulation

DRIVERS = (*drivers.BY_NAME, *registry.NAMES)


@dataclass(frozen=True, slots=True)
class Recipe:
    """``scenario``: by name or path; ``driver``: of ``DRIVERS``; ``prompt``: what is asked for."""

    scenario: str
    seed: int = 0
    driver: str = 'expert'
    prompt: str = ''
    excerpt: Excerpt = Excerpt()

    @property
    def words(self) -> str:
        """The command that makes the same log again."""
        given = {
            'seed': (self.seed, 0),
            'driver': (self.driver, 'expert'),
            'prompt': (self.prompt, ''),
            'from': (self.excerpt.from_s, Excerpt().from_s),
            'seconds': (self.excerpt.seconds, Excerpt().seconds),
        }
        said = [
            f'--{k} {shlex.quote(f"{v:g}" if isinstance(v, float) else str(v))}'
            for k, (v, usual) in given.items()
            if v != usual
        ]
        return ' '.join([f'alpamayo data log simulated {shlex.quote(self.scenario)}', *said])

    def material(self, name: str) -> Material:
        """Drive it; LogError where there is no such driver, or the driver is no example."""
        scenario = load_scenario(self.scenario)
        if scenario.map == 'log':
            raise LogError(
                f'{self.scenario}: a drive through a log is not recorded as another one'
            )
        return record(name, self.words, self.excerpt.of(self._drive(scenario)))

    def _drive(self, scenario: Scenario) -> Iterator[Simulation]:
        if self.driver == 'expert':
            asked = read_prompt(self.prompt)
            if asked.unknown:
                raise LogError(f'the expert does not understand {asked.unknown!r} of the prompt')
            return driven(scenario, self.seed, drivers.careful(asked.wish))
        if self.driver in drivers.BY_NAME and self.prompt:
            raise LogError(f'--prompt is for the expert or a model; {self.driver} obeys none')
        if self.driver in drivers.BY_NAME:
            return driven(scenario, self.seed, drivers.BY_NAME[self.driver])
        planner = open_planner(self.driver, load_profile('nano'))
        if isinstance(planner, Fault):
            raise LogError(planner.message)
        return planned(Drive(scenario, self.seed, planner, Options(prompt=self.prompt)))
