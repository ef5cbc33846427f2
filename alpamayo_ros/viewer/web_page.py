"""The viewer's page as this machine serves it: rerun's own, forbidden to call home.

Measured in Chromium with rerun 0.41: its page asks fonts.googleapis.com for a font, api.github.com
for releases and sends usage statistics to tel.rerun.io.  The policy below, an HTTP header, lets
the page talk to this machine and to nobody else.
"""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = '127.0.0.1'
FILES = ('/', '/re_viewer.js', '/re_viewer_bg.wasm', '/favicon.ico', '/favicon.svg')
KEPT = ('content-type', 'rerun-final-length')
BLOCK = 1 << 18


def policy(data_port: int) -> str:
    """Content-Security-Policy of the page; WebAssembly needs ``wasm-unsafe-eval``."""
    here = f'http://{HOST}:{data_port}'
    return (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:; "
        "style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data: blob:; "
        f"worker-src 'self' blob:; connect-src 'self' data: blob: {here}"
    )


class PageServer(ThreadingHTTPServer):
    """Passes on the files of rerun's program at ``inner``, with the policy."""

    daemon_threads = True

    def __init__(self, port: int, inner: int, data_port: int) -> None:
        """Listen; ``start`` answers."""
        super().__init__((HOST, port), _Handler)
        self.inner, self.policy = inner, policy(data_port)

    def start(self) -> None:
        """Answer in a thread."""
        threading.Thread(target=self.serve_forever, name='page', daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: PageServer

    def do_GET(self) -> None:
        """A file of the viewer."""
        path = self.path.partition('?')[0]
        if path not in FILES:
            self.send_error(404)
            return
        inner = http.client.HTTPConnection(HOST, self.server.inner, timeout=30)
        try:
            inner.request('GET', path)
            answer = inner.getresponse()
            self.send_response(answer.status)
            for name in KEPT:
                if value := answer.getheader(name):
                    self.send_header(name, value)
            self.send_header('Content-Security-Policy', self.server.policy)
            self.send_header('Referrer-Policy', 'no-referrer')
            self.end_headers()
            while block := answer.read(BLOCK):
                self.wfile.write(block)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the browser went away
        finally:
            inner.close()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
