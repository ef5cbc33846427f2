"""A node that joins a running graph for one question and leaves again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from types import TracebackType
from typing import Any

import rclpy
from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rclpy.topic_endpoint_info import TopicEndpointInfo

from alpamayo_ros.graph_spec import NAMESPACE
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.executor import NodeExecutor

SETTLED_S = 1.0  # a graph that has told nothing new for so long is taken as known


class NoAnswer(Exception):
    """Nobody answers in the time given; the text says who was expected and what to do."""


class Outsider:
    """A context that ends rclpy on leaving; questions wait at most ``patience_s`` each."""

    def __init__(self, patience_s: float) -> None:
        self.patience_s = patience_s
        # By rclpy's handlers Ctrl-C would end the context under whatever is being asked, and an
        # error of that could come before KeyboardInterrupt does.
        rclpy.init(
            args=['--ros-args', '--enclave', f'{NAMESPACE}/operator'],
            signal_handler_options=SignalHandlerOptions.NO,
        )
        name = f'operator_{os.getpid()}'
        self.node = rclpy.create_node(name, namespace=NAMESPACE, start_parameter_services=False)
        self._executor = NodeExecutor()
        self._executor.add_node(self.node)

    def __enter__(self) -> Outsider:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown()

    def spin(self, slice_s: float = 0.1) -> None:
        """Take what came, for at most ``slice_s``."""
        self._executor.turn(slice_s)

    def until(self, holds: Callable[[], object], patience_s: float | None = None) -> bool:
        """Whether ``holds`` became true in time (default: the patience of this node)."""
        end_s = time.monotonic() + (self.patience_s if patience_s is None else patience_s)
        while not (found := bool(holds())) and time.monotonic() < end_s:
            self.spin()
        return found

    def full(self, topic: str) -> str:
        """A name as the graph knows it; without a leading slash it is one of this package."""
        return topic if topic.startswith('/') else f'{NAMESPACE}/{topic}'

    def topics(self) -> dict[str, list[str]]:
        """Every topic of the graph and its types, once discovery has nothing new to tell.

        A topic of this package has to be among them: other operators are no graph.
        """
        known: dict[str, list[str]] = {}
        end_s, told_s = time.monotonic() + self.patience_s, time.monotonic()
        while time.monotonic() < end_s:
            now = {name: list(types) for name, types in self.node.get_topic_names_and_types()}
            if now != known:
                known, told_s = now, time.monotonic()
            ours = (name for name in known if name.startswith(f'{NAMESPACE}/'))
            driver = any(self.node.count_publishers(name) for name in ours)
            if driver and time.monotonic() - told_s > SETTLED_S:
                break
            self.spin()
        return known

    def publishers(self, topic: str) -> list[TopicEndpointInfo]:
        """Its publishers, waited for; NoAnswer names topics that are alike."""
        name = self.full(topic)
        self.until(lambda: self.node.get_publishers_info_by_topic(name))
        found = self.node.get_publishers_info_by_topic(name)
        if found:
            return list(found)
        names = [n for n in self.topics() if self.node.count_publishers(n)]
        like = get_close_matches(name, names, n=3, cutoff=0.5)
        also = f'Did you mean {", ".join(like)}?' if like else nobody(names)
        raise NoAnswer(f'nobody publishes {name}. {also}')

    def tell(self, topic: str, message: Any) -> None:
        """One latched message, received by every reader; NoAnswer where nobody reads."""
        publisher = self.node.create_publisher(type(message), topic, qos.latched())
        name = self.full(topic)
        if not self.until(publisher.get_subscription_count):
            names = [seen for seen in self.topics() if seen != name]  # that one is ours
            raise NoAnswer(f'nobody reads {name} in {self.patience_s:g} s. {nobody(names)}')
        publisher.publish(message)
        if not publisher.wait_for_all_acked(Duration(seconds=self.patience_s)):
            raise NoAnswer(f'{name} was not received in {self.patience_s:g} s')

    def subscribe(self, topic: str, heard: Callable[[Any], None], raw: bool = False) -> None:
        """Listen with a quality of service that every publisher of the topic can serve."""
        ends = self.publishers(topic)
        kind = message_type(ends[0].topic_type)
        self.node.create_subscription(kind, self.full(topic), heard, fitting(ends), raw=raw)


def fitting(ends: list[TopicEndpointInfo]) -> QoSProfile:
    """Reliable and latched only where every publisher is."""
    reliable = all(e.qos_profile.reliability is ReliabilityPolicy.RELIABLE for e in ends)
    latched = all(e.qos_profile.durability is DurabilityPolicy.TRANSIENT_LOCAL for e in ends)
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=100,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def message_type(name: str) -> Any:
    """The class of ``package/msg/Name``; NoAnswer where its package is not installed here."""
    package, _, kind = name.partition('/msg/')
    try:
        return getattr(import_module(f'{package}.msg'), kind)
    except (ImportError, AttributeError) as error:
        raise NoAnswer(
            f'{name} cannot be read: {package} is not installed here; source the ROS 2 that has it'
        ) from error


def nobody(names: list[str]) -> str:
    """What to look at where nothing of this package answers."""
    domain = os.environ.get('ROS_DOMAIN_ID', '0')
    reach = os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET')
    if any(name.startswith(f'{NAMESPACE}/') for name in names):
        return 'The graph runs; alpamayo topics lists what it publishes.'
    return (
        f'No graph is seen on ROS_DOMAIN_ID {domain} with discovery {reach}: is alpamayo up '
        'running, with the same two variables?'
    )
