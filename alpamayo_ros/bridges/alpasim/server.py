"""The gRPC server: sessions by uuid, each with its lock; what cannot be used is a status."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent import futures
from typing import TYPE_CHECKING, Any

from alpamayo_ros import __version__
from alpamayo_ros.bridges.alpasim.contract import CALLS, REVISION, SERVICE, message
from alpamayo_ros.bridges.alpasim.listening import check_listening, target
from alpamayo_ros.bridges.alpasim.session import Model, Session, Tally, open_session
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.pipeline import PlanConfig
from alpamayo_ros.statuses import MachineError

if TYPE_CHECKING:
    import grpc

MAX_MESSAGE = 64 << 20  # bytes: a 1080p picture as PNG has 3 MB, gRPC's own limit is 4 MB
MAX_SESSIONS = 16
IDLE_S = 600.0  # a session that nobody asks for so long gives way to a new one
MAX_UUID = 128  # characters
WORKERS = 8  # threads
INSTALL = 'pip install -r requirements/alpasim.txt'


def load_grpc() -> Any:
    """The module ``grpc``; MachineError says what to type where it is missing."""
    try:
        import grpc
    except ImportError as error:
        text = f'alpamayo egodriver needs grpcio, which is not installed: {INSTALL}'
        raise MachineError(text) from error
    return grpc


class Refused(Exception):
    """A request that is answered with a status: its name in gRPC, and a sentence."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(text)
        self.status = status


class _Entry:
    """A session, its lock, and when it was last asked for [s, monotonic]."""

    def __init__(self, session: Session) -> None:
        self.session, self.lock = session, threading.Lock()
        self.used_s = time.monotonic()


class Driver:
    """The eight calls of the contract, apart from gRPC; ``closed`` hears of a session's end."""

    def __init__(
        self,
        config: PlanConfig,
        model: Model,
        cameras: Mapping[str, str],
        closed: Callable[[str, Tally], None] = lambda uuid, tally: None,
    ) -> None:
        """``cameras``: camera of the profile -> logical id, where a person chose it."""
        self._config, self._model, self._cameras, self._closed = config, model, cameras, closed
        self._sessions: dict[str, _Entry] = {}
        self._lock = threading.Lock()

    def get_version(self, request: Any) -> Any:
        """Who answers."""
        reply = message('.common.VersionId')(version_id=f'alpamayo_ros {__version__}')
        reply.grpc_api_version.minor = 55
        return reply

    def start_session(self, request: Any) -> Any:
        """Open a rollout; its cameras must be those that the profile looks through."""
        uuid = request.session_uuid
        if not 0 < len(uuid) <= MAX_UUID:
            raise Refused('INVALID_ARGUMENT', f'session_uuid has 1 to {MAX_UUID} characters')
        made = open_session(request, self._config, self._cameras)
        if isinstance(made, Fault):
            raise Refused('INVALID_ARGUMENT', f'{made.code.name}: {made.message}')
        with self._lock:
            if uuid in self._sessions:
                raise Refused('ALREADY_EXISTS', f'session {ascii(uuid)} is open; close it first')
            self._make_room()
            self._sessions[uuid] = _Entry(made)
        return message('.common.SessionRequestStatus')()

    def _make_room(self) -> None:
        """Forget sessions that nobody has asked for, when there are too many."""
        if len(self._sessions) < MAX_SESSIONS:
            return
        oldest = min(self._sessions, key=lambda uuid: self._sessions[uuid].used_s)
        if time.monotonic() - self._sessions[oldest].used_s < IDLE_S:
            text = f'{MAX_SESSIONS} sessions are open; close one first'
            raise Refused('RESOURCE_EXHAUSTED', text)
        del self._sessions[oldest]

    def _entry(self, request: Any) -> _Entry:
        with self._lock:
            entry = self._sessions.get(request.session_uuid)
        if entry is None:
            name = ascii(request.session_uuid[:MAX_UUID])
            raise Refused('NOT_FOUND', f'no session {name}; start_session opens one')
        entry.used_s = time.monotonic()
        return entry

    def close_session(self, request: Any) -> Any:
        """Forget a rollout and say what it amounted to."""
        entry = self._entry(request)
        with self._lock:
            self._sessions.pop(request.session_uuid, None)
        self._closed(request.session_uuid, entry.session.tally)
        return message('.common.Empty')()

    def submit_image_observation(self, request: Any) -> Any:
        """A picture; a bad one is a fault of the next decision, not of the call."""
        return self._take(request, lambda session: session.image(request.camera_image))

    def submit_egomotion_observation(self, request: Any) -> Any:
        """Poses and speeds; bad ones are faults of the next decision."""
        return self._take(request, lambda session: session.motion(request))

    def submit_route(self, request: Any) -> Any:
        """The way ahead."""
        return self._take(request, lambda session: session.route(request.route))

    def submit_recording_ground_truth(self, request: Any) -> Any:
        """Accepted and never looked at: it is the answer."""
        return self._take(request, lambda session: None)

    def _take(self, request: Any, use: Callable[[Session], object]) -> Any:
        entry = self._entry(request)
        with entry.lock:
            use(entry.session)
        return message('.common.Empty')()

    def drive(self, request: Any) -> Any:
        """The plan from now on."""
        entry = self._entry(request)
        with entry.lock:
            reply = entry.session.drive(request.time_now_us, self._model)
        if isinstance(reply, Fault):
            status = 'INVALID_ARGUMENT' if reply.code is Code.STAMP_INVALID else ''
            raise Refused(status or 'FAILED_PRECONDITION', f'{reply.code.name}: {reply.message}')
        return reply


def _call(grpc: Any, driver: Driver, name: str) -> Callable[[Any, Any], Any]:
    """One call of the contract as gRPC wants it."""
    answer = getattr(driver, name)

    def call(request: Any, context: Any) -> Any:
        if name == 'get_version':
            context.send_initial_metadata((REVISION,))
        try:
            return answer(request)
        except Refused as error:
            context.abort(grpc.StatusCode[error.status], str(error))

    return call


def serve(driver: Driver, host: str, port: int) -> tuple[grpc.Server, int]:
    """Start to answer on ``host``; the port (0: any free one).

    ConfigError where ``host`` is not of this machine, MachineError where the port is taken.
    """
    grpc = load_grpc()
    check_listening(host, port)
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            _call(grpc, driver, name), message(asked).FromString, _bytes
        )
        for name, (asked, _) in CALLS.items()
    }
    options = [
        ('grpc.max_receive_message_length', MAX_MESSAGE),
        ('grpc.max_send_message_length', MAX_MESSAGE),
        ('grpc.so_reuseport', 0),
    ]
    server = grpc.server(futures.ThreadPoolExecutor(WORKERS), options=options)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    try:
        bound = server.add_insecure_port(target(host, port))
    except RuntimeError:
        bound = 0
    if bound == 0:
        text = f'port {port} of {host} cannot be used; another program may have it: choose --port'
        raise MachineError(text)
    server.start()
    return server, bound


def _bytes(reply: Any) -> bytes:
    return bytes(reply.SerializeToString(deterministic=True))
