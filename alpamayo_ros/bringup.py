"""The graphs as plain data: which nodes, which parameters, which remappings.

Two readers: the launch files (``ros2 launch``) and ``alpamayo up`` (where ``launch`` is not
installed). Both start the same processes with the same ``--ros-args``.  Nothing here imports ROS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from alpamayo_ros.environment import DDS_PROFILE, WITH_CYCLONE, fast_dds
from alpamayo_ros.graph_options import Options, Value
from alpamayo_ros.graph_spec import OUR_WORDS, PROXY, Graph, NodeSpec, Pairs, faulty, topic_map
from alpamayo_ros.profile import load_profile, share_dir
from alpamayo_ros.sensing.rig import load_rig


def _driver(options: Options, sim_time: bool, from_bag: bool = False) -> list[NodeSpec]:
    """The seven nodes that drive, the same on a vehicle, in simulation and in replay."""
    common: Pairs = (('use_sim_time', sim_time), *_same(options, 'profile', 'rig', 'lockstep'))
    truth = options.objects == 'ground_truth'
    remap = _names(options)
    objects = (('objects', 'ground_truth/objects'),) if truth else ()
    repeated: Pairs = (('reliable_inputs', True),) if from_bag else ()
    own: dict[str, Pairs] = {
        'camera_sync': repeated,
        'egomotion': repeated,
        'navigation': repeated,
        'planner': (
            *_same(options, 'runtime', 'seed'),
            *_given(options, 'model', 'trusted_keys'),
        ),
        'trajectory': (
            *_same(options, 'shadow'),
            *_given(options, 'speed_cap_mps', 'acceleration_cap_mps2'),
            *((('objects_expected', True),) if truth else ()),
            *repeated,
            *_by_hand(options.manual),
        ),
    }
    names = (*own, 'reasoning', 'monitor')
    return [
        NodeSpec(
            name,
            parameters=common + own.get(name, ()),
            remappings=remap + (objects if name == 'trajectory' else ()),
        )
        for name in names
    ]


def _same(options: Options, *names: str) -> list[tuple[str, Value]]:
    """Options that a node takes under the same name."""
    return [(name, getattr(options, name)) for name in names]


def _given(options: Options, *names: str) -> list[tuple[str, Value]]:
    """Those that are given: '' and 0 take nothing back that a parameter file asks for."""
    return [(name, value) for name, value in _same(options, *names) if value]


def _by_hand(manual: bool) -> Pairs:
    """What a parameter file allows is taken back where a person wants to arm."""
    return (('auto_arm', False), ('auto_rearm', False)) if manual else ()


def _fed(options: Options, driver: list[NodeSpec]) -> list[NodeSpec]:
    """The driver; where faults are asked for, it reads what ``fault_proxy`` says, and that node.

    Recorders and the controller go on hearing the sensors.
    """
    if not options.inject:
        return driver
    rig, like = load_rig(options.rig), driver[0]
    topics = [c.topic for c in rig.for_profile(load_profile(options.profile))]
    changed = tuple((topic, faulty(topic)) for topic in (*topics, rig.odometry.topic))
    proxy = NodeSpec(PROXY, (*like.parameters, ('inject', options.inject)), like.remappings)
    # The first remapping that fits is taken: these before the names of the vehicle's topics.
    return [*(replace(n, remappings=(*changed, *n.remappings)) for n in driver), proxy]


def vehicle(options: Options) -> Graph:
    """On a test vehicle: cameras, odometry and route come from its own drivers."""
    return _graph('vehicle', options, _fed(options, _driver(options, options.sim_time)))


def simulator(options: Options) -> Graph:
    """In the rendered world; ends when the scenario does."""
    source = NodeSpec(
        'simulator',
        parameters=(
            ('use_sim_time', False),
            *_same(options, 'profile', 'rig', 'lockstep', 'scenario', 'seed', 'inject', 'output'),
            *_same(options, 'shadow', 'manual', 'listeners', 'record'),
            ('duration_s', float(options.duration_s)),
            ('recorded', bool(options.record)),
            ('bagged', bool(options.bag_out)),
            ('commanded', bool(options.controller)),
        ),
        respawn=False,
        ends_graph=True,
    )
    return _graph('simulator', options, [*_driver(options, sim_time=True), source])


def replay(options: Options) -> Graph:
    """A recorded bag drives the clock and the inputs; ends when the bag does.

    A rig file that lies beside the bag is taken, unless another rig is named.
    """
    options = replace(options, rig=replay_rig(options))
    source = NodeSpec(
        'replay',
        parameters=(
            ('use_sim_time', False),
            *_same(options, 'profile', 'rig', 'lockstep', 'bag', 'incomplete', 'listeners'),
            ('rate', float(options.rate)),
            ('duration_s', float(options.duration_s)),
            ('recorded', bool(options.record)),
            ('proxied', bool(options.inject)),
        ),
        remappings=topic_map(options.topics),
        respawn=False,
        ends_graph=True,
    )
    driver = _fed(options, _driver(options, sim_time=True, from_bag=True))
    return _graph('replay', options, [*driver, source])


def replay_rig(options: Options) -> str:
    """The rig that was named, or the file beside the bag where there is one."""
    beside = Path(options.bag).with_suffix('.rig.yaml') if options.bag else Path()
    return str(beside) if options.rig == Options().rig and beside.is_file() else options.rig


GRAPHS: dict[str, Callable[[Options], Graph]] = {
    'vehicle': vehicle,
    'simulator': simulator,
    'replay': replay,
}


def _graph(name: str, options: Options, nodes: list[NodeSpec]) -> Graph:
    folder = share_dir() / 'config'
    files = [str(folder / 'nodes.param.yaml')]
    if name != 'vehicle':
        files.append(str(folder / 'simulation.param.yaml'))
    if options.parameters:
        files.append(options.parameters)
    if options.controller:
        nodes = [*nodes, _controller(nodes[0], name, options)]
    if options.autoware:
        nodes = [*nodes, _autoware(nodes[0], name, options)]
    if options.record:
        nodes = [_recorder(nodes[0], name, options), *nodes]
    if options.incidents:
        nodes = [_incident_recorder(nodes[0], name, options), *nodes]
    if options.bag_out:
        nodes = [_bag_recorder(nodes[0], name, options), *nodes]
    return Graph(name, tuple(nodes), tuple(files), environment(options.autoware))


def viewer(
    rig: str, topics: str = '', port: int = 9090, browser: bool = True, save: str = ''
) -> Graph:
    """Shows a graph that runs already; it is no part of its lockstep and may come and go."""
    parameters: Pairs = (
        ('use_sim_time', False),
        ('profile', Options().profile),
        ('rig', rig),
        ('lockstep', False),
        ('port', port),
        ('browser', browser),
        ('save', save),
    )
    node = NodeSpec('viewer', parameters, topic_map(topics), respawn=False, ends_graph=True)
    files = (str(share_dir() / 'config' / 'nodes.param.yaml'),)
    return Graph('viewer', (node,), files, environment())


def _recorder(like: NodeSpec, name: str, options: Options) -> NodeSpec:
    """Listens beside the others; first, so that it ends last and misses nothing of the start."""
    title = {'simulator': options.scenario, 'replay': Path(options.bag).name}.get(name, name)
    own: Pairs = (('folder', options.record), ('origin', name), ('title', title))
    own += (('use_sim_time', False), *_same(options, 'seed', 'runtime'))
    put_in = bool(options.inject) and name != 'simulator'  # whose scenario speaks for itself
    faults = f'with faults put in: {options.inject}' if put_in else ''
    own += (('about', '; '.join(filter(None, (options.about, faults)))),)
    return NodeSpec('recorder', _read_by_all(like) + own, _names(options), respawn=False)


def _bag_recorder(like: NodeSpec, name: str, options: Options) -> NodeSpec:
    """Writes the inputs into a bag; first, as the recorder."""
    own: Pairs = (('file', options.bag_out), ('record', options.bag_topics))
    own += (('use_sim_time', _simulated(name, options)),)
    remap = _names(options)
    return NodeSpec('bag_recorder', _read_by_all(like) + own, remap, respawn=False)


def _incident_recorder(like: NodeSpec, name: str, options: Options) -> NodeSpec:
    """Keeps the last minute in memory; it is no part of lockstep, and comes back when it dies."""
    own: Pairs = (('use_sim_time', _simulated(name, options)), ('folder', options.incidents))
    return NodeSpec('incident_recorder', _read_by_all(like) + own, _names(options))


def _controller(like: NodeSpec, name: str, options: Options) -> NodeSpec:
    """Follows the reference and commands a drive-by-wire."""
    own: Pairs = (('use_sim_time', _simulated(name, options)), ('message', options.controller))
    return NodeSpec('controller', _read_by_all(like) + own, _names(options))


def _autoware(like: NodeSpec, name: str, options: Options) -> NodeSpec:
    """Speaks with Autoware; its ``reasoning`` is the String that others expect there."""
    own: Pairs = (('use_sim_time', _simulated(name, options)),)
    return NodeSpec('autoware', _read_by_all(like) + own, topic_map(options.topics))


def _names(options: Options) -> tuple[tuple[str, str], ...]:
    """Remappings of every node of ours."""
    ours = (('reasoning', OUR_WORDS),) if options.autoware else ()
    return topic_map(options.topics) + ours


def _simulated(name: str, options: Options) -> bool:
    """Whether time comes from /clock."""
    return name != 'vehicle' or options.sim_time


def _read_by_all(like: NodeSpec) -> Pairs:
    """What a listener has in common with the node ``like``."""
    return tuple((k, v) for k, v in like.parameters if k in ('profile', 'rig', 'lockstep'))


def environment(with_others: bool = False) -> tuple[tuple[str, str], ...]:
    """Fast DDS profile for large images, under the name that the middleware in force reads.

    ``with_others``: that with which Cyclone DDS reads us too, as Autoware may run on it.
    """
    profile = WITH_CYCLONE if with_others else DDS_PROFILE
    return ((fast_dds(), str(share_dir() / profile)),)
