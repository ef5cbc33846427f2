"""The model in a child process with a deadline: it can hang or die, the planner goes on.

One supervisor thread spawns the child, reads its replies, kills it when a deadline passes, starts
it again with growing pauses; only ``wait`` and ``wait_warm`` block (docs/design.md, "The graph").
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.runtime.base import Identity
from alpamayo_ros.runtime.process.bounds import LOOK_S, memory_of
from alpamayo_ros.runtime.process.channel import get_fault, get_proposal, put_input
from alpamayo_ros.runtime.process.child import Child, WorkerSpec
from alpamayo_ros.runtime.process.lives import Lives
from alpamayo_ros.runtime.process.wire import receive, send
from alpamayo_ros.runtime.text import bounded_text
from alpamayo_ros.runtime.timed import add_up
from alpamayo_ros.types import PlannerInput, Proposal

WorkerState = Literal['starting', 'warm', 'busy', 'dead']


class Worker:
    """Parent's side.  ``listener`` is called from the supervisor thread whenever there is news."""

    def __init__(self, spec: WorkerSpec, listener: Callable[[], None] | None = None) -> None:
        self.spec = spec
        self.restarts = 0
        self.identity: Identity | None = None
        self.failed: Fault | None = None
        self._listener = listener
        self._news = threading.Condition()
        self._state: WorkerState = 'dead'
        self._child: Child | None = None
        self._request = (0, 0, 0.0)  # id, t0_ns, begin
        self._deadline = float('inf')
        self._result: Proposal | None = None
        self._words = ('', 0)
        self._faults: deque[Fault] = deque(maxlen=64)
        self._errors = 0
        self._lives = Lives(spec.limits)
        self._closing = False
        self._spawned = threading.Event()
        self._bell, self._ear = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name='model worker', daemon=True)

    @property
    def state(self) -> WorkerState:
        """Starting (loading), warm (idle), busy (a cycle runs) or dead (none; see ``failed``)."""
        return self._state

    @property
    def pid(self) -> int | None:
        """Process id of the child that lives now."""
        child = self._child
        return None if child is None else child.process.pid

    def start(self) -> None:
        """Spawn the child and return; it is warm later (call before ``rclpy.init``)."""
        self._thread.start()
        self._spawned.wait()

    def submit(self, inputs: PlannerInput) -> bool:
        """Start a cycle; False when the child is not idle, or (MODEL_ERROR) the input is unfit.

        Keep the newest input then: nothing queues.
        """
        with self._news:
            if self._state != 'warm' or self._child is None:
                return False
            now = time.monotonic()
            self._request = (self._request[0] + 1, inputs.t0_ns, now)
            try:
                message = put_input(self._child.arrays, inputs)
                # Before the message leaves: the answer may be here before ``send`` returns.
                self._result, self._state = None, 'busy'
                self._deadline = now + self.spec.deadline_s
                send(self._child.sock, {'id': self._request[0], **message})
            except (ConnectionError, ValueError) as error:
                self._state, self._deadline = 'warm', float('inf')
                if isinstance(error, ValueError):  # else it just died; the supervisor sees that
                    self._faults.append(Fault(Code.MODEL_ERROR, str(error)))
                return False
        self._ring()
        return True

    def poll(self) -> Proposal | None:
        """The proposal that has arrived since the last call, or None."""
        with self._news:
            result, self._result = self._result, None
            return result

    def words(self) -> tuple[str, int]:
        """The newest words with the t0 of their pictures, for the next cycle; '' before any."""
        with self._news:
            return self._words

    def wait(self, timeout_s: float) -> Proposal | None:
        """Wait for the running cycle to end, well or not; its proposal or None."""
        with self._news:
            self._news.wait_for(lambda: self._state != 'busy' or bool(self._result), timeout_s)
        return self.poll()

    def wait_warm(self, timeout_s: float) -> bool:
        """Wait until the child is warm; False when it is not in time, or never will be."""
        with self._news:
            self._news.wait_for(
                lambda: self._state == 'warm' or self.failed is not None, timeout_s
            )
            return self._state == 'warm'

    def faults(self) -> list[Fault]:
        """Faults since the last call, oldest first."""
        with self._news:
            found = list(self._faults)
            self._faults.clear()
            return found

    def close(self) -> None:
        """End the child; returns when it is gone."""
        self._closing = True
        self._ring()
        if self._thread.is_alive():
            self._thread.join()
        self._bell.close()
        self._ear.close()

    def _ring(self) -> None:
        self._bell.send(b'.')

    def _tell(
        self,
        fault: Fault | None = None,
        state: WorkerState | None = None,
        result: Proposal | None = None,
    ) -> None:
        """All of it at once: who sees the result sees its fault and the state too."""
        with self._news:
            if result is not None:
                self._result, self._words = result, result.newest_words(self._words)
            if fault is not None:
                self._faults.append(fault)
            if state is not None:
                self._state = state
            self._news.notify_all()
        if self._listener is not None:
            self._listener()

    def _run(self) -> None:
        while not self._closing and self.failed is None:
            with self._news:
                self._child = Child.spawn(self.spec)
                self._deadline = time.monotonic() + self.spec.startup_s
                self._state = 'starting'
                self._errors = 0
            self._spawned.set()
            reason = self._serve(self._child)
            with self._news:
                self._state = 'dead'
                child, self._child = self._child, None
            status = child.bury()
            if not self._closing:
                self._mourn(reason, status)

    def _serve(self, child: Child) -> Fault | None:
        """Answer replies until this child has to go; the reason."""
        while not self._closing:
            left = self._deadline - time.monotonic()
            if left <= 0.0:
                starting = self._state == 'starting'
                limit_s = self.spec.startup_s if starting else self.spec.deadline_s
                numbers = {'limit_ms': limit_s * 1e3}
                return Fault(Code.MODEL_KILLED, f'no answer while {self._state}', numbers)
            ready, _, _ = select.select([child.sock, self._ear], [], [], min(left, LOOK_S))
            if self._ear in ready:
                self._ear.recv(4096)
            reason = self._handle(child, receive(child.sock)) if child.sock in ready else None
            reason = reason or memory_of(child.process.pid, self.spec.limits)
            if reason is not None:
                return reason
        return None

    def _handle(self, child: Child, message: dict[str, Any] | None) -> Fault | None:
        if message is None:
            return Fault(Code.MODEL_ABSENT)
        if 'fault' in message:
            self.failed = get_fault(message)
            return self.failed
        if 'identity' in message:
            self.identity = Identity(*message['identity'])
            self._deadline = float('inf')
            self._tell(state='warm')
            return None
        if 'words' in message:  # of a cycle whose plan is out
            with self._news:
                self._words = (bounded_text(message['words'])[0], int(message['t0_ns']))
            return None
        number, _, begin = self._request
        if message.get('id') != number:
            return Fault(Code.MODEL_ABSENT, 'the model process answered a question nobody asked')
        self._deadline = float('inf')
        if 'error' in message:
            return self._failure(str(message['error']))
        self._errors = 0
        self._faults.extend(map(get_fault, message['notes']))
        self._success(child, message, time.monotonic() - begin)
        return None

    def _failure(self, text: str) -> Fault | None:
        self._errors += 1
        if self._errors >= self.spec.limits.model_failures:
            return Fault(Code.MODEL_FAILING, text, {'failures': float(self._errors)})
        self._tell(Fault(Code.MODEL_ERROR, text), 'warm')
        return None

    def _success(self, child: Child, message: dict[str, Any], wall_s: float) -> None:
        numbers = {'wall_ms': wall_s * 1e3, 'period_ms': self.spec.period_s * 1e3}
        if wall_s > self.spec.overrun_s:
            self._tell(Fault(Code.MODEL_OVERRUN, 'the cycle was dropped', numbers), 'warm')
            return
        proposal = get_proposal(child.arrays, message, add_up(message['stage_ms'], wall_s * 1e3))
        late = wall_s > self.spec.warn_s
        self._tell(Fault(Code.MODEL_OVERRUN_WARN, '', numbers) if late else None, 'warm', proposal)

    def _mourn(self, reason: Fault | None, status: int) -> None:
        """Report the death, and pause before the next life unless there is none."""
        if reason is not None:
            values = {**reason.values, 'exit': float(status)}
            self._tell(Fault(reason.code, reason.message, values))
        if self.failed is not None:
            return
        now = time.monotonic()
        pause_s = self._lives.end(now, reason)
        if isinstance(pause_s, Fault):
            self.failed = pause_s
            self._tell(self.failed)
            return
        end = now + pause_s
        while not self._closing and (left := end - time.monotonic()) > 0.0:
            if select.select([self._ear], [], [], left)[0]:
                self._ear.recv(4096)
        self.restarts += 1
