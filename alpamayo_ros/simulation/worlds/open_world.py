"""The simulation that a scenario's map asks for."""

from __future__ import annotations

from alpamayo_ros.simulation.scenario import Scenario
from alpamayo_ros.simulation.worlds.simulation import Simulation


def open_world(scenario: Scenario, seed: int, render: bool = True) -> Simulation:
    """The world of a scenario: winding road, motorway, roundabout, recorded log or town.

    A town has SUMO's traffic, one a process: ``close`` it.
    """
    if scenario.map == 'town':
        from alpamayo_ros.simulation.worlds.town import Town

        return Town(scenario, seed, render)
    if scenario.map == 'motorway':
        from alpamayo_ros.simulation.worlds.motorway import Motorway

        return Motorway(scenario, seed, render)
    if scenario.map == 'roundabout':
        from alpamayo_ros.simulation.worlds.roundabout import Roundabout

        return Roundabout(scenario, seed, render)
    if scenario.map == 'log':
        from alpamayo_ros.simulation.worlds.log_world import LogWorld

        return LogWorld(scenario, seed, render)
    return Simulation(scenario, seed, render)
