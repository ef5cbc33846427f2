"""Node ``monitor``: what every node reports, as /diagnostics.

It only reports and decides nothing.
"""

from __future__ import annotations

import sys
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from visualization_msgs.msg import MarkerArray

from alpamayo_ros.bags.marker_style import state_text
from alpamayo_ros.causes import told
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.gpu import gpu_faults, open_gpus
from alpamayo_ros.msg import ChainOfCausation, FrameSetInfo, Health, StageTiming
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.node import AlpamayoNode, run
from alpamayo_ros.nodes.common.presence import LOOK_S, WRITES, Presence
from alpamayo_ros.nodes.messages import markers
from alpamayo_ros.nodes.messages.plots import OF_CYCLES, Plots
from alpamayo_ros.parameters.of_nodes import MONITOR

STATES = ('INIT', 'READY', 'ACTIVE', 'DEGRADED', 'FALLBACK', 'FAULT')
LEVELS = (
    DiagnosticStatus.OK,
    DiagnosticStatus.OK,
    DiagnosticStatus.OK,
    DiagnosticStatus.WARN,
    DiagnosticStatus.ERROR,
    DiagnosticStatus.ERROR,
)


class MonitorNode(AlpamayoNode):
    """Keeps the last report of every node and its time of arrival (monotonic)."""

    def __init__(self) -> None:
        super().__init__('monitor', MONITOR)
        out = qos.output(self.settings.lockstep)
        self._publisher = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._status: dict[str, DiagnosticStatus] = {}
        self._heard_s: dict[str, float] = {}
        self._found: dict[str, dict[str, str]] = {}  # faults by source
        self._faults: tuple[str, ...] = ()
        self._pictures: tuple[str, ...] = ()  # faults of the newest timestep
        self._state = -1
        sources = (
            (FrameSetInfo, 'frame_set_info', self._on_frames),
            (StageTiming, 'stage_timing', self._on_timing),
            (Health, 'health', self._on_health),
            (ChainOfCausation, 'reasoning', self._on_words),
        )
        for kind, topic, callback in sources:
            qos.watched_subscription(self, kind, topic, callback, out)
        shown = qos.output(False)
        self._markers = qos.watched_publisher(self, MarkerArray, 'state_markers', shown)
        self._plots = Plots(self, OF_CYCLES)
        self._presence = Presence(self, WRITES)
        self._reported: set[str] = set()  # nodes that said something themselves
        self._gpus = open_gpus()
        if isinstance(self._gpus, str):
            self.get_logger().info(self._gpus)
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(self.settings.period_s, self._report, clock=wall)
        self.create_timer(LOOK_S, self._look_for_nodes, clock=wall)

    def _keep(self, name: str, level: bytes, message: str, **values: object) -> None:
        self._reported.add(name)
        status = DiagnosticStatus(level=level, name=f'alpamayo: {name}', message=message)
        status.hardware_id = 'alpamayo'
        status.values = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
        self._status[name], self._heard_s[name] = status, time.monotonic()

    def _on_frames(self, message: FrameSetInfo) -> None:
        self._pictures = tuple(message.faults)
        self._keep(
            'camera_sync',
            DiagnosticStatus.OK if message.accepted else DiagnosticStatus.ERROR,
            ', '.join(message.faults) or 'frame sets in time',
            age_s=round(message.age_s, 4),
            max_skew_s=round(message.max_skew_s, 4),
            view_mask=bin(message.view_mask),
            late_frames=message.late_frames,
        )

    def _on_timing(self, message: StageTiming) -> None:
        self._plots.show(cycle_ms=message.wall_ms)
        stages = zip(message.stages, message.duration_ms, strict=False)
        self._keep(
            message.node or 'planner',
            DiagnosticStatus.WARN if message.deadline_missed else DiagnosticStatus.OK,
            'late' if message.deadline_missed else 'in time',
            wall_ms=round(message.wall_ms, 2),
            period_ms=round(message.period_ms, 1),
            **{f'{name}_ms': round(value, 2) for name, value in stages},
        )

    def _on_health(self, message: Health) -> None:
        self._plots.show(plan_age_ms=message.plan_age_ms)
        self._keep(
            'trajectory',
            LEVELS[message.state],
            f'{STATES[message.state]}: {self._cause(message)}',
            faults=' '.join(message.faults),
            sequence=message.sequence,
            plan_id=message.plan_id,
            armed=message.armed,
            plans=message.plans,
            stops=message.stops,
            refusals=message.refusals,
            deadline_misses=message.deadline_misses,
            worker_restarts=message.worker_restarts,
            runtime=message.runtime,
        )
        if self._markers.get_subscription_count():
            self._show(message)
        now = (tuple(message.faults), message.state)
        if now != (self._faults, self._state):
            self._faults, self._state = now
            self._report()

    def _show(self, message: Health) -> None:
        """State, armed and cap above the car, for RViz."""
        name, armed, cap_mps = STATES[message.state], message.armed, message.speed_cap_mps
        said = state_text(name, self._cause(message), armed, cap_mps)
        marker = markers.state(message.header.stamp, name, said)
        self._markers.publish(MarkerArray(markers=[marker]))

    def _cause(self, message: Health) -> str:
        """The first fault in the chain, those of the pictures included, with what follows."""
        own = dict(zip(message.faults, message.messages, strict=False))
        if message.state in (Health.READY, Health.ACTIVE) or not own:
            return str(message.reason)
        _, text, follow = told({**dict.fromkeys(self._pictures, ''), **own})[0]
        return f'{text} It can be why there is {", ".join(follow)}.' if follow else text

    def _on_words(self, message: ChainOfCausation) -> None:
        fine = message.complete and Code.COC_DISAGREES.name not in message.faults
        level = DiagnosticStatus.OK if fine else DiagnosticStatus.WARN
        self._keep('reasoning', level, message.intent, agreement=round(message.agreement, 2))

    def _look_for_nodes(self) -> None:
        """Report at once that one is there, has ended or is back; the rest it says itself."""
        found = self._presence
        before = (found.lost, found.there)
        found.look()
        for name in set(found.there) - self._reported:
            self._keep(name, DiagnosticStatus.OK, 'runs')
            self._reported.discard(name)
        if (found.lost, found.there) != before:
            self._tell('nodes', [] if found.fault is None else [found.fault])
            self._report()

    def _tell(self, source: str, faults: list[Fault]) -> None:
        """Log what of all sources came and went."""
        self._found[source] = {fault.code.name: str(fault) for fault in faults}
        self.faults.update(
            {n: text for found in self._found.values() for n, text in found.items()}
        )

    def _look_at_gpus(self) -> None:
        """Temperature and memory, or in words why nobody looks at them."""
        if isinstance(self._gpus, str):
            self._keep('gpu', DiagnosticStatus.OK, self._gpus)
            return
        readings = self._gpus.read()
        faults = gpu_faults(readings, self.limits)
        hard = any(fault.code is Code.GPU for fault in faults)
        level = DiagnosticStatus.ERROR if hard else DiagnosticStatus.WARN
        text = '; '.join(str(fault) for fault in faults) or 'within the limits'
        values = {f'{g.name}: C, memory used': (g.celsius, g.memory_ratio) for g in readings}
        self._keep('gpu', level if faults else DiagnosticStatus.OK, text, **values)
        self._tell('gpu', faults)

    def _report(self) -> None:
        self._look_at_gpus()
        message = DiagnosticArray()
        message.header.stamp = self.get_clock().now().to_msg()
        now = time.monotonic()
        for name in self._presence.lost:
            self._keep(name, DiagnosticStatus.ERROR, f'{Code.NODE_LOST.name}: it has ended')
            self._reported.discard(name)
        for name, status in self._status.items():
            silent_s = now - self._heard_s[name]
            if silent_s > self.settings.silence_s:
                status.level = DiagnosticStatus.STALE
                status.message = f'{Code.NODE_SILENT.name}: silent for {silent_s:.1f} s'
            message.status.append(status)
        self._publisher.publish(message)


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros monitor``."""
    return run(MonitorNode)


if __name__ == '__main__':
    sys.exit(main())
