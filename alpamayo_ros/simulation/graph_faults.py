"""Which faults a graph of processes can show.

The simulator puts them into its own sensors.  On a vehicle and in a replay the node
``fault_proxy`` stands between sensors and driver.
"""

from __future__ import annotations

from alpamayo_ros.config_file import unknown
from alpamayo_ros.graph_options import Options
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.simulation import fault_rows
from alpamayo_ros.simulation.inject import ALL
from alpamayo_ros.statuses import ConfigError

ODOMETRY = 'odometry'  # the injectors' name of it, whatever its topic


def check_inject(graph: str, options: Options) -> None:
    """ConfigError where the faults asked for are not understood, or ``graph`` cannot show them."""
    if not options.inject:
        return
    try:
        fault_rows.of_topics(options.inject)
    except ValueError as error:
        raise ConfigError(f'inject: {error}') from error
    if graph != 'simulator' and options.lockstep:
        raise ConfigError(
            'inject: in lockstep each message is waited for, so none may be lost between the '
            'nodes; expected --free (alpamayo up simulator takes faults in lockstep too)'
        )
    rig = load_rig(options.rig)
    cameras = [c.name for c in rig.for_profile(load_profile(options.profile))]
    for name, given in fault_rows.calls(options.inject):
        source = str(given.get('source', ODOMETRY))
        if source not in (*cameras, ODOMETRY, ALL):
            said = unknown('source', source, [*cameras, ODOMETRY, ALL])
            raise ConfigError(f'inject: {name}: {said}')
