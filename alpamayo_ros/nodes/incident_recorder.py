"""Node ``incident_recorder``: the last minute in memory, on the disk when driving ends by a fault.

It listens beside the graph, in lockstep too: nobody waits for it.  What it keeps are messages as
they were sent, compressed pictures among them (pictures that are not compressed would fill the
memory in a second and are left out), and each decision with all that it was made from, so that
``alpamayo replay FILE`` can take it again.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.serialization import deserialize_message
from std_srvs.srv import Trigger as TriggerService

from alpamayo_ros.bags.disk_room import DiskRoom
from alpamayo_ros.bags.incident_topics import LASTING, incident_topics
from alpamayo_ros.datasets.rig_file import rig_text
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.incident import decision_record, file
from alpamayo_ros.incident.ring import Entry, Ring
from alpamayo_ros.incident.store import DOUBTED, IncidentFolder, Keep
from alpamayo_ros.incident.trigger import Event, Trigger
from alpamayo_ros.msg import Health
from alpamayo_ros.nodes.common.convert import ns
from alpamayo_ros.nodes.common.guards import Guards
from alpamayo_ros.nodes.common.node import AlpamayoNode, ConfigurationError, run
from alpamayo_ros.nodes.common.raw_topics import RawTopics
from alpamayo_ros.nodes.messages.recorded import raw_stamp_ns
from alpamayo_ros.parameters.of_nodes import INCIDENT_RECORDER
from alpamayo_ros.profile import load_profile
from alpamayo_ros.safety.state import Mode
from alpamayo_ros.sensing.rig import Rig, load_rig
from alpamayo_ros.units import counted

STATES = frozenset(int(mode) for mode in Mode)
ROOM_S = 5.0  # how often the disk is looked at
DRIVERS_S = 0.5  # how often it looks who publishes health: whom it saw alive it can see dead
ANSWER_S = 8.0  # a person who asked for a file waits so long for it


class IncidentRecorderNode(AlpamayoNode):
    """Keeps, notices, writes; a thread of its own does the last."""

    def __init__(self) -> None:
        super().__init__('incident_recorder', INCIDENT_RECORDER)
        s = self.settings
        rig, self._simulated = load_rig(s.rig), self.get_parameter('use_sim_time').value
        self._rig_text = rig_text(rig, 'The rig of the incident beside it.')
        self._source = f'the live graph, rig {rig.name}, profile {s.profile}'
        self.ring = Ring(s.window_s + s.after_s, s.memory_mb << 20, LASTING)
        self.trigger = Trigger(s.after_s, s.hold_s, s.silence_s, self._doubted)
        self.store = self._open_store()
        self._name_topics(rig)
        wanted = set(map(self.resolve_topic_name, incident_topics(rig)))
        self._raw = RawTopics(self, wanted.__contains__, self._take)
        self._writer = ThreadPoolExecutor(1, 'incident')
        self._last: Path | None = None
        self.create_service(TriggerService, '~/write', self._on_write)
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(s.discovery_s, self._look, clock=wall)
        self.create_timer(ROOM_S, self.store.look, clock=wall)
        self.create_timer(DRIVERS_S, self._drivers.look, clock=wall)

    def _open_store(self) -> IncidentFolder:
        s = self.settings
        if not s.folder:
            raise ConfigurationError('incident_recorder: parameter folder is empty; name one')
        if s.memory_mb > s.keep_mb:
            text = f'memory_mb {s.memory_mb} is more than keep_mb {s.keep_mb}: no file would stay'
            raise ConfigurationError(f'incident_recorder refuses to configure: {text}')
        folder, keep = Path(s.folder).absolute(), Keep(s.keep_files, s.keep_mb << 20)
        try:
            return IncidentFolder(folder, keep, DiskRoom(folder, self.limits))
        except OSError as error:
            text = f'incident_recorder refuses to configure: {error}'
            raise ConfigurationError(text) from error

    def _name_topics(self, rig: Rig) -> None:
        """Full names: of the mandatory camera and the decisions, for the page."""
        full = self.resolve_topic_name
        profile = load_profile(self.settings.profile)
        seen = [c.name for c in profile.cameras if c.mandatory] or [profile.cameras[0].name]
        self._camera = next((full(c.topic) for c in rig.cameras if c.name in seen), '')
        self._health, self._decisions = full('health'), full(decision_record.TOPIC)
        self._drivers = Guards(self, [self._health])

    # ---- keeping ------------------------------------------------------------------------------
    def _take(self, name: str, data: bytes) -> None:
        raw, at_ns = self._raw.topics[name], time.monotonic_ns()
        now_ns = self.get_clock().now().nanoseconds
        stamp_ns = raw_stamp_ns(data) if raw.stamped and self._simulated else 0
        entry = Entry(raw.topic, raw.offered, at_ns, max(now_ns, stamp_ns), data)
        self.ring.add(entry)
        if name == self._health:
            self._heard(deserialize_message(data, Health), at_ns)

    def _heard(self, message: Any, at_ns: int) -> None:
        states = (message.state, message.previous_state)
        if all(state in STATES for state in states):  # else it is not from our driver
            mode, before = map(Mode, states)
            self.trigger.heard(mode, before, message.reason, at_ns, ns(message.header.stamp))

    def _doubted(self) -> bool:
        """Whether more than one living process publishes health: each may have said it."""
        if not self._drivers.crowded(self._health):
            return False
        self._drivers.look()
        return any(fault.code is Code.DUP_PUBLISHER for fault in self._drivers.faults)

    # ---- writing ------------------------------------------------------------------------------
    def _look(self) -> None:
        """New topics, silence, files that are due, the disk."""
        at_ns = time.monotonic_ns()
        self._raw.discover()
        self.ring.trim(at_ns)
        if not self.settings.lockstep:  # there a slow machine is no silence
            self.trigger.look(at_ns)
        if events := self.trigger.due(at_ns):
            self._write(events)
        fault = self.store.fault
        self.faults.update({} if fault is None else {fault.code.name: str(fault)})

    def _write(self, events: tuple[Event, ...]) -> Future[Path | Fault]:
        entries = self.ring.entries()
        what = next((event.what for event in events if not event.doubted), DOUBTED)
        name = f'incident_{datetime.now(UTC):%Y%m%dT%H%M%SZ}_{what}'
        about = file.told(events, self._camera, self._decisions, self._source)
        return self._writer.submit(self._save, name, entries, about, events)

    def _save(
        self, name: str, entries: list[Entry], about: dict[str, str], events: tuple[Event, ...]
    ) -> Path | Fault:
        """Runs in the thread."""
        found = self.store.write(name, entries, about, self._rig_text)
        self._last = found if isinstance(found, Path) else None
        if self._last is not None:
            why = '; '.join(f'{event.what}: {event.reason}' for event in events)
            text = f'{found}: {counted(len(entries), "message")}; {why}'
            print(text, file=sys.stderr, flush=True)  # also while the middleware ends
        return found

    def _on_write(self, request: Any, response: Any) -> Any:
        """A person asks for what is held now."""
        at_ns = time.monotonic_ns()
        if self.trigger.holds(at_ns):
            hold_s, last = self.settings.hold_s, self._last
            response.success = last is not None
            response.message = f'{last} was written less than {hold_s:g} s ago'
            if last is None:
                response.message = f'the last file could not be written; ask again in {hold_s:g} s'
            return response
        now_ns = self.get_clock().now().nanoseconds
        asked = Event('REQUEST', at_ns, now_ns, 'a person asked for it')
        try:
            found = self._write((*self.trigger.take(at_ns), asked)).result(ANSWER_S)
        except NotYet:
            found = None
        response.success = isinstance(found, Path)
        response.message = str(found or f'not yet written after {ANSWER_S:g} s; see the log')
        return response

    def destroy_node(self) -> None:
        """An event that waits for what follows is written with what there is."""
        if hasattr(self, '_writer'):  # else: it refused to configure
            if events := self.trigger.take(time.monotonic_ns()):
                self._write(events)
            self._writer.shutdown(wait=True)
        super().destroy_node()


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros incident_recorder``."""
    return run(IncidentRecorderNode)


if __name__ == '__main__':
    sys.exit(main())
