"""A parameter file beside the options of the command: what of it holds, and what the model is."""

from __future__ import annotations

from dataclasses import fields
from typing import NamedTuple

from alpamayo_ros.bringup import GRAPHS
from alpamayo_ros.graph_options import Options, Value
from alpamayo_ros.parameters.parameter_file import (
    changed,
    check_effect,
    check_parameters,
    of_planner,
)

STARTS = {
    'autoware': '--autoware',
    'controller': '--controller',
    'fault_proxy': '--inject',
    'recorder': '--record',
    'bag_recorder': '--bag-out',
    'incident_recorder': '--incidents',
}  # options without which a node is in no graph


class AskedModel(NamedTuple):
    """What the planner will be told of its model; '' and 0: nothing."""

    folder: str
    trusted_keys: str
    least: int


def check_own(name: str, options: Options) -> AskedModel:
    """Refuse a parameter file that does not fit the graph ``name``; the model that it is to have.

    An option that was given wins over the file; one that was not may not contradict it in silence.
    """
    check_parameters(options.parameters)
    check_effect(options.parameters, _decided(name, options))
    planner = of_planner(options.parameters)
    keys = options.trusted_keys or planner['trusted_keys']
    return AskedModel(options.model or planner['model'], keys, planner['minimum_release'])


def unread(name: str, options: Options) -> str:
    """A sentence on values of the file for nodes that the graph does not start; '' for none.

    They are no mistake: one file serves the drive in shadow mode and the one with a controller.
    """
    started = {node.name for node in GRAPHS[name](options).nodes}
    idle = [node for node in changed(options.parameters) if node not in started]
    if not idle:
        return ''
    named = [f'{node} ({STARTS[node]} starts it)' if node in STARTS else node for node in idle]
    return f'{options.parameters}: not read, as graph {name} does not start it: {", ".join(named)}'


def _decided(name: str, options: Options) -> dict[str, dict[str, Value]]:
    """By node, what options decide that nobody gave."""
    kept = {o.name for o in fields(Options) if getattr(options, o.name) == o.default}
    nodes = GRAPHS[name](options).nodes
    return {n.name: {k: v for k, v in n.parameters if k in kept} for n in nodes}
