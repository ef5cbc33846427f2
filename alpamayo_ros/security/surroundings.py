"""Who stands around a secured graph: drivers of sensors, operator, controller, by enclave."""

from __future__ import annotations

from alpamayo_ros.graph_spec import NAMESPACE, NodeSpec
from alpamayo_ros.security.access import ARMING, EVERYBODY_SAYS, SPOKEN, STEERING, Access, full
from alpamayo_ros.sensing.rig import Rig


def outside(rig: Rig, topics: tuple[tuple[str, str], ...] = ()) -> dict[str, Access]:
    """Enclaves of those who are no process of the graph: drivers of sensors, operator, controller.

    Each driver may only say what it is there for, so a camera's enclave cannot publish a plan.
    """
    here = NodeSpec('outside', remappings=topics, namespace=NAMESPACE)

    def named(*names: str) -> frozenset[str]:
        return frozenset(full(name, here) for name in names)

    pictures = [t for c in rig.cameras for t in (c.topic, c.info_topic) if t]
    log = frozenset(EVERYBODY_SAYS)
    seen = (
        'health', 'reasoning', 'ego_history', 'trajectory', 'reference', 'shadow/trajectory',
        'nav', 'prompt',
    )  # fmt: skip
    asked = named(*(f'trajectory/{name}' for name in ARMING), 'incident_recorder/write')
    told = named('speed_cap', 'acceleration_cap', 'nav_text', 'prompt_text')
    return {
        '/drivers/cameras': Access(log | named(*pictures)),
        '/drivers/localisation': Access(log | named(rig.odometry.topic, 'imu', *STEERING)),
        '/drivers/route': Access(log | named(*SPOKEN, 'route')),
        '/drivers/perception': Access(log | named('objects', 'ground_truth/objects')),
        '/drivers/takeover': Access(log | named('takeover')),
        '/controller': Access(log, named('trajectory', 'reference', 'health')),
        f'{NAMESPACE}/operator': Access(log | told, named(*seen), frozenset(), asked),
    }
