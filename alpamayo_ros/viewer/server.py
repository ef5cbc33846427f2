"""The process that serves page and data: rerun's own program, on this machine's loopback only.

The SDK's ``serve_grpc`` and ``serve_web_viewer`` listen on every interface and cannot be told not
to (0.41), which would show a vehicle's cameras to its whole network; the program can.
"""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from alpamayo_ros.viewer.packages import environment
from alpamayo_ros.viewer.web_page import HOST, PageServer

START_S = 20.0


class PortError(Exception):
    """A port is taken, or the server did not start; the text says what to type."""


def check_ports(first: int) -> None:
    """PortError where somebody answers already on the page's port or on the next one."""
    for port in (first, first + 1):
        if _answers(port):
            raise PortError(
                f'port {port} is taken (page and data need {first} and {first + 1}); '
                f'type --port {first + 100}'
            )


class Server:
    """Page at ``port``, data at ``port`` + 1; use it in a ``with``."""

    def __init__(
        self, program: Path, port: int, memory: str = '2GiB', file: Path | None = None
    ) -> None:
        """Serve an empty view, or what a file holds.

        ``memory``: of the drive that is kept for a browser that comes later; then the oldest goes.
        ``file``: an .rrd whose content is what is sent.
        """
        self.port, self._program, self._memory = port, program, memory
        self._files = [] if file is None else [str(file)]
        self._process: subprocess.Popen[bytes] | None = None
        self._page: PageServer | None = None
        self._said = tempfile.TemporaryFile()

    @property
    def data_url(self) -> str:
        """Where the SDK sends to and the page reads from."""
        return f'rerun+http://{HOST}:{self.port + 1}/proxy'

    @property
    def page_url(self) -> str:
        """What a browser opens."""
        query = f'url={quote(self.data_url, safe="")}&hide_welcome_screen=1&theme=dark'
        return f'http://{HOST}:{self.port}/?{query}'

    def __enter__(self) -> Server:
        """Start and wait until both ports answer."""
        check_ports(self.port)
        command = [
            str(self._program),
            *self._files,
            '--serve-web',
            '--bind',
            HOST,
            '--port',
            str(self.port + 1),
        ]
        inner = free_port()
        command += ['--web-viewer-port', str(inner), '--server-memory-limit', self._memory]
        self._process = subprocess.Popen(
            command,
            env=environment(self._program),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,  # Ctrl-C is for us; we end it
            preexec_fn=die_with_parent(),
        )
        end_s = time.monotonic() + START_S
        while not (_answers(inner) and _answers(self.port + 1)):
            if self._process.poll() is not None or time.monotonic() > end_s:
                said = self.stop().strip().splitlines()[-3:]
                raise PortError('the viewer did not start: ' + ' / '.join(said))
            time.sleep(0.05)
        self._page = PageServer(self.port, inner, self.port + 1)
        self._page.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> str:
        """End both; what the program said on standard error."""
        if self._page is not None:
            self._page.stop()
            self._page = None
        process = self._process
        if process is None:
            return ''
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._said.seek(0)
        return self._said.read().decode(errors='replace')


def die_with_parent() -> Callable[[], None] | None:
    """What a child calls first so that the kernel ends it when this process is killed (Linux)."""
    if sys.platform != 'linux':
        return None
    library = ctypes.CDLL(None)  # before the fork: afterwards as little as possible
    pr_set_pdeathsig = 1
    return lambda: library.prctl(pr_set_pdeathsig, signal.SIGTERM)


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0
