"""``policy.xml`` of SROS 2 from the table of access: one enclave a process, exact names, no more.

The format is version 0.2.0 of sros2's policy schema (https://design.ros2.org, "ROS 2 Access
Control Policies"): what is not allowed is denied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape, quoteattr

from alpamayo_ros.bringup import GRAPHS, viewer
from alpamayo_ros.graph_options import Options
from alpamayo_ros.graph_spec import Graph, topic_map
from alpamayo_ros.security.access import Access, of_graph
from alpamayo_ros.security.surroundings import outside
from alpamayo_ros.sensing.rig import load_rig

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!-- By `alpamayo security policy`; a test compares it with the graph.  The rest is denied. -->
<policy version="0.2.0">
  <enclaves>
"""
TAIL = """  </enclaves>
</policy>
"""
KINDS: tuple[tuple[str, str, str, Callable[[Access], frozenset[str]]], ...] = (
    ('topic', 'subscribe', 'topics', lambda a: a.hears),
    ('topic', 'publish', 'topics', lambda a: a.says),
    ('service', 'reply', 'services', lambda a: a.answers),
    ('service', 'request', 'services', lambda a: a.asks),
)


def enclaves(graph: Graph, options: Options) -> dict[str, Access]:
    """Every enclave of a secured graph, those of its surroundings too, by path."""
    own = of_graph(graph)
    found = {node.enclave: own[node.name] for node in graph.nodes}
    shown = viewer(options.rig, options.topics)
    found |= {node.enclave: access for node in shown.nodes for access in of_graph(shown).values()}
    return found | outside(load_rig(options.rig), topic_map(options.topics))


def policy(kind: str, options: Options) -> str:
    """The policy of the graph ``kind`` (vehicle, simulator or replay) with these options."""
    return as_xml(enclaves(GRAPHS[kind](options), options))


def as_xml(found: Mapping[str, Access]) -> str:
    """The enclaves as sros2 reads them, in an order that depends on nothing."""
    return HEAD + ''.join(_enclave(path, found[path]) for path in sorted(found)) + TAIL


def _enclave(path: str, access: Access) -> str:
    namespace, _, name = path.rpartition('/')
    lines = [
        f'    <enclave path={quoteattr(path)}>',
        '      <profiles>',
        f'        <profile ns={quoteattr(namespace or "/")} node={quoteattr(name)}>',
    ]
    for one, right, many, of in KINDS:
        if names := sorted(of(access)):
            lines.append(f'          <{many} {right}="ALLOW">')
            lines += [f'            <{one}>{escape(n)}</{one}>' for n in names]
            lines.append(f'          </{many}>')
    lines += ['        </profile>', '      </profiles>', '    </enclave>']
    return '\n'.join(lines) + '\n'
