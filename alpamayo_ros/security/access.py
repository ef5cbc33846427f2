"""Who says and hears what: the topics and services of every process of a graph, by node.

Read from the same graph that the launch files and ``alpamayo up`` start (``bringup``), so a node,
a remapping or a rig of yours changes the policy too.  The nodes' sources are compared with this
table in the tests: a topic that is missing here is one that a secured graph would not have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from alpamayo_ros.bags.incident_topics import incident_topics
from alpamayo_ros.bags.record_plan import read_plan
from alpamayo_ros.graph_spec import OUR_WORDS, PROXY, Graph, NodeSpec, faulty
from alpamayo_ros.profile import load_profile, share_dir
from alpamayo_ros.sensing.rig import Rig, load_rig
from alpamayo_ros.yaml_file import read_yaml

PLANS = ('trajectory', 'reference', 'evaluated')
SHOWN = ('path', 'markers')
STEERING = ('steering/ackermanndrivestamped', 'steering/steeringreport')
SPOKEN = ('nav_instruction', 'nav_text', 'prompt_text')
PLOTTED = 'planned_speed_mps acceleration_mps2 steering_rad agreement'
PLOTS_OF_PLANS = tuple(f'plot/{name}' for name in PLOTTED.split())
PLOTS_OF_CYCLES = ('plot/plan_age_ms', 'plot/cycle_ms')
ARMING = ('arm', 'disarm', 'rearm')
LIFECYCLE = 'change_state get_state get_available_states get_available_transitions'.split()
LIFECYCLE.append('get_transition_graph')
# Of every node of rclpy.  Parameters are read-only; the services that set them answer that.
EVERYBODY_SAYS = ('/rosout', '/parameter_events')
EVERYBODY_ANSWERS = (
    'describe_parameters get_parameter_types get_parameters list_parameters set_parameters '
    'set_parameters_atomically get_type_description'
).split()


@dataclass(frozen=True, slots=True)
class Access:
    """Full names: topics said and heard, services answered and asked for."""

    says: frozenset[str] = frozenset()
    hears: frozenset[str] = frozenset()
    answers: frozenset[str] = frozenset()
    asks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Names as a node uses them, before its namespace and remappings; ``~`` is the node."""

    says: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """What the names of a node depend on: its parameters, the rig, the profile's cameras."""

    rig: Rig
    cameras: tuple[str, ...] = field(default=())
    infos: tuple[str, ...] = field(default=())
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where plans are: under ``shadow/`` in shadow mode."""
        return 'shadow/' if self.options.get('shadow') else ''

    @property
    def objects(self) -> tuple[str, ...]:
        """The topic of objects, where they are expected."""
        return ('objects',) if self.options.get('objects_expected') else ()


def _camera_sync(g: Given) -> Wanted:
    return Wanted(('frame_set', 'frame_set_info'), (*g.cameras, *g.infos, g.rig.odometry.topic))


def _egomotion(g: Given) -> Wanted:
    return Wanted(('ego_history',), (g.rig.odometry.topic, 'imu', 'frame_set_info', *STEERING))


def _navigation(g: Given) -> Wanted:
    return Wanted(('nav', 'prompt'), (*SPOKEN, 'route', g.rig.odometry.topic))


def _planner(g: Given) -> Wanted:
    return Wanted(
        ('candidates', 'reasoning_raw', 'stage_timing', '~/transition_event'),
        ('nav', 'prompt', 'ego_history', 'frame_set', 'frame_set_info', 'step_done'),
        tuple(f'~/{name}' for name in LIFECYCLE),
    )


def _trajectory(g: Given) -> Wanted:
    heard = ('candidates', 'frame_set_info', 'takeover', 'speed_cap', 'acceleration_cap')
    return Wanted(
        ('health', 'decision', *(f'{g.place}{name}' for name in (*PLANS, *SHOWN))),
        (*heard, *g.objects, g.rig.odometry.topic),
        tuple(f'~/{name}' for name in ARMING),
    )


def _reasoning(g: Given) -> Wanted:
    front = tuple(t for t in g.cameras[:1] if t.endswith('/compressed'))
    return Wanted(
        ('reasoning', 'reasoning_markers', 'reasoning_text', 'overlay', *PLOTS_OF_PLANS),
        (*front, 'reasoning_raw', 'trajectory', 'shadow/trajectory'),
    )


def _monitor(g: Given) -> Wanted:
    heard = ('frame_set_info', 'stage_timing', 'health', 'reasoning')
    return Wanted(('/diagnostics', 'state_markers', *PLOTS_OF_CYCLES), heard)


def _recorder(g: Given) -> Wanted:
    pictures = tuple(c.topic for c in g.rig.cameras if c.topic.endswith('/compressed'))
    world = (*pictures, g.rig.odometry.topic, 'ground_truth/objects', 'route')
    plans = tuple(f'{place}{name}' for place in ('', 'shadow/') for name in PLANS)
    return Wanted((), (*world, 'candidates', *plans, 'health', 'stage_timing', 'reasoning'))


def _bag_recorder(g: Given) -> Wanted:
    plan = read_plan(g.options.get('record') or '')
    if plan.pattern is not None:
        raise ValueError('a policy has exact topics: list them in the record file, not a pattern')
    return Wanted((), (*g.cameras, *g.infos, g.rig.odometry.topic, *plan.topics))


def _incident_recorder(g: Given) -> Wanted:
    return Wanted((), incident_topics(g.rig), ('~/write',))


def _controller(g: Given) -> Wanted:
    heard = ('reference', 'health', 'takeover', g.rig.odometry.topic)
    return Wanted(('drive_command',), (*heard, *(('step_done',) * bool(g.options['lockstep']))))


def _autoware(g: Given) -> Wanted:
    """With the topics of the parameter file that ships; its words are a topic of their own."""
    of = shipped('autoware')
    said = tuple(of[f'{name}_topic'] for name in ('trajectory', 'candidates', 'reasoning'))
    heard = tuple(of[f'{name}_topic'] for name in ('route', 'operation_mode', 'control_mode'))
    ours = ('trajectory', 'evaluated', 'health', 'nav', OUR_WORDS, g.rig.odometry.topic)
    asked = ('trajectory/arm', 'trajectory/disarm')
    return Wanted((*said, 'nav_instruction'), (*ours, *heard), (), asked)


def shipped(node: str) -> dict[str, Any]:
    """The parameters of a node in ``config/nodes.param.yaml``."""
    tree = read_yaml(share_dir() / 'config' / 'nodes.param.yaml')
    return dict(tree[f'/**/{node}']['ros__parameters'])


def _simulator(g: Given) -> Wanted:
    world = ('odometry', 'ground_truth/objects', 'nav_instruction', 'route')
    heard = (f'{g.place}trajectory', f'{g.place}reference', 'health')
    said = ('/clock', '/tf', *g.cameras, *g.infos, *world)
    told = ('drive_command',) * bool(g.options.get('commanded'))
    return Wanted(said, (*heard, *told), (), ('planner/get_state',))


def _replay(g: Given) -> Wanted:
    inputs = (*g.cameras, *g.infos, g.rig.odometry.topic, 'imu', *STEERING, *SPOKEN, 'route')
    said = ('/clock', '/tf', '/tf_static', *inputs, 'objects', 'ground_truth/objects', 'takeover')
    return Wanted(said, ('health',), (), ('planner/get_state',))


def _fault_proxy(g: Given) -> Wanted:
    """It hears what the sensors say, and says it again elsewhere."""
    topics = (*g.cameras, g.rig.odometry.topic)
    return Wanted(tuple(faulty(topic) for topic in topics), topics)


NODES: dict[str, Callable[[Given], Wanted]] = {
    'camera_sync': _camera_sync,
    'egomotion': _egomotion,
    'navigation': _navigation,
    'planner': _planner,
    'trajectory': _trajectory,
    'reasoning': _reasoning,
    'monitor': _monitor,
    'recorder': _recorder,
    'viewer': _recorder,
    'bag_recorder': _bag_recorder,
    'incident_recorder': _incident_recorder,
    'controller': _controller,
    'autoware': _autoware,
    'simulator': _simulator,
    'replay': _replay,
    'fault_proxy': _fault_proxy,
}
SOURCES = ('simulator', 'replay')
OUT_OF_STEP = ('planner', 'monitor', 'viewer', 'incident_recorder', PROXY, *SOURCES)


def of_graph(graph: Graph) -> dict[str, Access]:
    """What each process of ``graph`` may do, by node; KeyError names one without a row."""
    return {node.name: of_node(node) for node in graph.nodes}


def of_node(node: NodeSpec) -> Access:
    """What one process may do, after namespace and remappings."""
    if node.name not in NODES:
        raise KeyError(f'{node.name} has no row in alpamayo_ros/security/access.py: add one')
    options = dict(node.parameters)
    rig = load_rig(str(options['rig']))
    cameras = rig.for_profile(load_profile(str(options['profile'])))
    if node.name == 'bag_recorder':
        cameras = list(rig.cameras)
    infos = tuple(c.info_topic for c in cameras if c.info_topic)
    given = Given(rig, tuple(c.topic for c in cameras), infos, options)
    wanted = NODES[node.name](given)
    says, hears = [*wanted.says, *EVERYBODY_SAYS], list(wanted.hears)
    if options.get('use_sim_time'):
        hears.append('/clock')
    if options.get('lockstep'):
        says += _said_in_step(node.name)
        hears += _heard_in_step(node.name)
    answers = (*wanted.answers, *(f'~/{name}' for name in EVERYBODY_ANSWERS))
    parts = (says, hears, answers, wanted.asks)
    return Access(*(frozenset(full(name, node) for name in part) for part in parts))


def _said_in_step(name: str) -> Iterable[str]:
    if name in SOURCES:
        return ('timestep',)
    return () if name in OUT_OF_STEP else ('step_done',)


def _heard_in_step(name: str) -> Iterable[str]:
    if name in SOURCES:
        return ('step_done',)
    return () if name in OUT_OF_STEP else ('timestep',)


def full(name: str, node: NodeSpec) -> str:
    """The full name that a node's own name has on the graph."""
    mapped = next((new for old, new in node.remappings if old == name), name)
    if mapped.startswith('/'):
        return mapped
    if mapped.startswith('~/'):
        return f'{node.namespace}/{node.name}/{mapped[2:]}'
    return f'{node.namespace}/{mapped}'
