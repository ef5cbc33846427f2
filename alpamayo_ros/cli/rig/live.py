"""What a running rig sends, recorded for a look at it: ``alpamayo rig check --live``."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.bringup import environment
from alpamayo_ros.cli.operating.every_line import EveryLine
from alpamayo_ros.cli.operating.supervisor import Supervisor
from alpamayo_ros.environment import check_domain
from alpamayo_ros.graph_spec import Graph, NodeSpec, Pairs, topic_map
from alpamayo_ros.preflight import check_room
from alpamayo_ros.profile import share_dir
from alpamayo_ros.statuses import MachineError

START_S = 5.0  # from the start of the process until it hears every topic, on a busy machine


def listener(rig: str, profile: str, topics: str, bag: Path, sim_time: bool) -> Graph:
    """The bag recorder alone: it is no part of the lockstep of a graph and may come and go."""
    parameters: Pairs = (
        ('use_sim_time', sim_time),
        ('profile', profile),
        ('rig', rig),
        ('lockstep', False),
        ('file', str(bag)),
        ('record', ''),
    )
    node = NodeSpec('bag_recorder', parameters, topic_map(topics), respawn=False, ends_graph=True)
    files = (str(share_dir() / 'config' / 'nodes.param.yaml'),)
    return Graph('rig', (node,), files, environment())


def record(bag: Path, graph: Graph, seconds: float) -> None:
    """Write ``seconds`` of what runs into ``bag``; MachineError where nothing of the rig came."""
    check_domain()
    check_room(bag.parent)
    for earlier in (bag, bag.with_name(bag.name + '.part')):
        earlier.unlink(missing_ok=True)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    status = Supervisor(graph, EveryLine()).run(seconds + START_S)
    for number, handler in before.items():
        signal.signal(number, handler)
    if status:
        raise MachineError(f'the recorder ended with status {status}; its line above says why')
    if not bag.is_file() or next(iter(BagReader(bag)), None) is None:
        domain = os.environ.get('ROS_DOMAIN_ID', '') or '0'
        raise MachineError(
            f'no topic of the rig was heard in {seconds:g} s on ROS_DOMAIN_ID {domain}. Start the '
            'sensors, or the graph, with the same ROS_DOMAIN_ID; alpamayo topics --all lists what '
            'there is'
        )
