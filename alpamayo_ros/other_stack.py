"""Another stack or simulator beside our graph, checked before the first process starts."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alpamayo_ros.graph_options import Options
from alpamayo_ros.parameters.parameter_file import of_node
from alpamayo_ros.sensing.rig import Rig
from alpamayo_ros.statuses import ConfigError, MachineError, NoSuchFileError

AUTOWARE = (
    'autoware_planning_msgs', 'autoware_vehicle_msgs', 'autoware_internal_planning_msgs',
    'autoware_adapi_v1_msgs',
)  # fmt: skip


def check_other_stack(name: str, options: Options, rig: Rig) -> None:
    """Only the graph of a vehicle has another stack or another simulator beside it."""
    key = 'autoware' if options.autoware else 'sim_time'
    if name != 'vehicle':
        raise ConfigError(f'{key}: the graph {name} has a world of its own; expected vehicle')
    if options.lockstep:
        raise ConfigError(f'{key}: another program does not wait for our steps; expected --free')
    if options.autoware and options.shadow:
        raise ConfigError('autoware: in shadow mode nothing is driven; leave one of the two out')
    if not options.autoware:
        return
    _check_map(of_node(options.parameters, 'autoware'), rig)
    for module in AUTOWARE:
        if importlib.util.find_spec(module) is None:
            raise MachineError(
                f'autoware: {module} is not installed; source the setup.bash of your Autoware '
                'workspace first, or leave --autoware out'
            )


def _check_map(values: Mapping[str, Any], rig: Rig) -> None:
    """The odometry is in the frame of the trajectory, and the map that is named is there."""
    frame, map_osm = values['frame'], values['map_osm']
    if frame != rig.odometry.frame_id:
        raise ConfigError(
            f'autoware: frame is {frame!r} and the odometry of rig {rig.name!r} is in '
            f'{rig.odometry.frame_id!r}; expected a rig that reads '
            f'/localization/kinematic_state, frame_id: {frame}'
        )
    if map_osm and not Path(map_osm).is_file():
        raise NoSuchFileError(
            f'autoware: map_osm is {map_osm}, which is no file; expected the lanelet2_map.osm '
            'that Autoware was started with, or no map_osm, and then its route is not followed'
        )
