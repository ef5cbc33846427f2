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
from dataclasses import astuple
from typing import Any

from alpamayo_ros.environment import die_with
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import ModelGone, Runtime
from alpamayo_ros.runtime.loader import open_runtime
from alpamayo_ros.runtime.process.bounds import bound_self
from alpamayo_ros.runtime.process.channel import get_input, layout, put_fault
from alpamayo_ros.runtime.process.wire import SharedArrays, receive, send
from alpamayo_ros.runtime.scripted import Script
from alpamayo_ros.runtime.text import bounded_text, bounded_tokens
from alpamayo_ros.runtime.timed import TimedRuntime
from alpamayo_ros.types import PlannerInput, Proposal

RETRIED = (Code.MODEL_ABSENT, Code.MODEL_KILLED)  # of a process that may load at the next try

Propose = Callable[[PlannerInput, Runtime], Proposal]


def _open(hello: dict[str, Any]) -> TimedRuntime | Fault:
    profile = ModelProfile.model_validate(hello['profile'])
    script = None if hello['script'] is None else Script(**hello['script'])
    more = {name: hello[name] for name in ('minimum_release', 'words_every_s', 'trusted_keys')}
    runtime = open_runtime(hello['kind'], profile, hello['folder'], script, **more)
    if isinstance(runtime, Fault):
        return runtime
    runtime.warm_up()
    return TimedRuntime(runtime)


def _cycle(
    runtime: TimedRuntime, arrays: SharedArrays, message: dict[str, Any], propose: Propose
) -> dict[str, Any]:
    try:
        proposal = propose(get_input(arrays, message), runtime)
        arrays.write('candidates', proposal.candidates)
    except ModelGone:
        raise
    except Exception as error:  # noqa: BLE001
        # The one place that catches everything: a failed cycle must not lose the warm process.
        traceback.print_exc()
        return {'id': message['id'], 'error': f'{type(error).__name__}: {error}'[:500]}
    text, cut = bounded_text(proposal.text)
    ids, cut_ids = bounded_tokens(proposal.token_ids)
    return {
        'id': message['id'],
        't0_ns': proposal.t0_ns,
        'text': text,
        'token_ids': list(ids),
        'truncated': proposal.truncated or cut or cut_ids,
        'stage_ms': runtime.stage_ms,
        'text_t0_ns': proposal.text_t0_ns,
        'notes': [put_fault(note) for note in getattr(runtime.inner, 'notes', ())],
    }


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
        send(sock, _cycle(runtime, arrays, message, propose))
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
