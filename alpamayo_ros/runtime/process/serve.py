"""The model process from inside: open the runtime, answer requests until the parent hangs up.

``alpamayo_ros.model_process`` starts it and hands over what a cycle is (``pipeline.propose``).
It dies with its parent: by the kernel's parent-death signal, and by the end of the socket.
"""

from __future__ import annotations

import signal
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import astuple, replace
from typing import Any

from alpamayo_ros.environment import die_with
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import ModelGone, Runtime, words_after
from alpamayo_ros.runtime.loader import open_runtime
from alpamayo_ros.runtime.process.bounds import bound_self
from alpamayo_ros.runtime.process.channel import get_input, layout, put_fault, put_proposal
from alpamayo_ros.runtime.process.wire import SharedArrays, receive, send
from alpamayo_ros.runtime.scripted import Script
from alpamayo_ros.runtime.text import bounded_text
from alpamayo_ros.runtime.timed import TimedRuntime
from alpamayo_ros.types import PlannerInput, Proposal

OPENED_WITH = ('minimum_release', 'words_every_s', 'words_concurrent', 'trusted_keys')
RETRIED = (Code.MODEL_ABSENT, Code.MODEL_KILLED)  # of a process that may load at the next try

Propose = Callable[[PlannerInput, Runtime], Proposal]


def _open(hello: dict[str, Any]) -> TimedRuntime | Fault:
    profile = ModelProfile.model_validate(hello['profile'])
    script = None if hello['script'] is None else Script(**hello['script'])
    more = {name: hello[name] for name in OPENED_WITH}
    runtime = open_runtime(hello['kind'], profile, hello['folder'], script, **more)
    if isinstance(runtime, Fault):
        return runtime
    runtime.warm_up()
    return TimedRuntime(runtime)


def _cycle(
    runtime: TimedRuntime,
    arrays: SharedArrays,
    message: dict[str, Any],
    propose: Propose,
    together: bool,
) -> dict[str, Any]:
    """The reply; ``together``: words that its plan does not wait for come with it."""
    try:
        proposal = propose(get_input(arrays, message), runtime)
        later = words_after(runtime) if together else ''
        reply = put_proposal(arrays, replace(proposal, later=later))
    except ModelGone:
        raise
    except Exception as error:  # noqa: BLE001
        # The one place that catches everything: a failed cycle must not lose the warm process.
        traceback.print_exc()
        return {'id': message['id'], 'error': f'{type(error).__name__}: {error}'[:500]}
    notes = [put_fault(note) for note in getattr(runtime.inner, 'notes', ())]
    return {'id': message['id'], **reply, 'stage_ms': runtime.stage_ms, 'notes': notes}


def _afterwards(runtime: TimedRuntime) -> str:
    """Words that the reply did not wait for; a failure loses them and no more."""
    try:
        return bounded_text(words_after(runtime))[0]
    except Exception:  # noqa: BLE001
        traceback.print_exc()
        return ''


def serve(sock: socket.socket, memory_fd: int, propose: Propose) -> int:
    """Load, report, answer requests until the parent hangs up; the exit status."""
    hello = receive(sock)
    if hello is None:
        return 1
    bound_self(hello['files'])
    arrays = SharedArrays(layout(ModelProfile.model_validate(hello['profile'])), memory_fd)
    runtime = _open(hello)
    if isinstance(runtime, Fault):
        if runtime.code in RETRIED:
            print(runtime, file=sys.stderr)
            return 3  # the worker starts all of it again
        send(sock, put_fault(runtime))
        return 2
    identity = runtime.identity
    send(sock, {'identity': astuple(identity)})
    while (message := receive(sock)) is not None:
        send(sock, _cycle(runtime, arrays, message, propose, hello['lockstep']))
        if words := _afterwards(runtime):
            send(sock, {'words': words, 't0_ns': message['t0_ns']})
    return 0


def main(propose: Propose) -> int:
    """Entry point of the child process: ``SOCKET_FD MEMORY_FD PARENT_PID`` are its arguments."""
    sock_fd, memory_fd, parent = map(int, sys.argv[1:4])
    die_with(parent, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it hangs up
    try:
        return serve(socket.socket(fileno=sock_fd), memory_fd, propose)
    except ModelGone as gone:
        print(Fault(Code.MODEL_ABSENT, str(gone)), file=sys.stderr)
        return 3
    except MemoryError:
        fault = Fault(Code.MODEL_MEMORY, 'the model process ran out of memory')
        print(fault, file=sys.stderr)
        return 4
    except BrokenPipeError:
        return 0
