"""Which faults a graph of processes can show.

The simulator puts them into its own sensors.  On a vehicle and in a replay the node
``fault_proxy`` stands between sensors and driver.
"""

from __future__ import annotations

from alpamayo_ros.config_file import unknown
from alpamayo_ros.graph_options import Options
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.rig import RigCamera, load_rig
from alpamayo_ros.simulation import fault_rows
from alpamayo_ros.simulation.fault_rows import ODOMETRY
from alpamayo_ros.simulation.inject import ALL
from alpamayo_ros.statuses import ConfigError


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
    if graph != 'simulator' and options.incidents:
        raise ConfigError(
            'inject: an incident would hold what the sensors said and not the faults between; '
            'expected no --incidents'
        )
    rig = load_rig(options.rig)
    cameras = rig.for_profile(load_profile(options.profile))
    for name, given in fault_rows.calls(options.inject):
        _check_source(name, str(given.get('source', ODOMETRY)), cameras)
        if graph == 'vehicle' and not options.shadow:
            _check_driven(name, str(given.get('source', ODOMETRY)))


def _check_source(name: str, source: str, cameras: list[RigCamera]) -> None:
    """The rig has the source, in the form that the injector changes."""
    topics = {camera.name: camera.topic for camera in cameras}
    if source not in (*topics, ODOMETRY, ALL):
        raise ConfigError(f'inject: {name}: {unknown("source", source, [*topics, ODOMETRY, ALL])}')
    if name in ('paint', 'print_sign') and not topics[source].endswith('/compressed'):
        raise ConfigError(
            f'inject: {name} changes JPEGs, and {source} says raw pictures ({topics[source]}); '
            'expected a topic that ends with /compressed'
        )


def _check_driven(name: str, source: str) -> None:
    """Where a car is driven only cameras may lie.

    The controller goes by true odometry; a plan made at a false place would steer the car there.
    """
    if source in (ODOMETRY, ALL):
        raise ConfigError(
            f'inject: {name} of {source} on a vehicle that is driven: the plan would lie at a '
            'false place, and the controller steers there; expected a camera, or --shadow'
        )
