"""Node ``viewer``: the running graph in a browser; ``alpamayo view --live`` starts it.

It listens as the recorder does, but keeps nothing and takes no part in lockstep: a slow browser
or a killed viewer costs the graph nothing.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from alpamayo_ros.nodes.common.node import ConfigurationError, run
from alpamayo_ros.nodes.operating.status_record import SILENT_S
from alpamayo_ros.nodes.recorder import RecorderNode
from alpamayo_ros.parameters.of_nodes import VIEWER
from alpamayo_ros.recording import events
from alpamayo_ros.reports.shots import car_of
from alpamayo_ros.sensing.rig import Rig, load_rig
from alpamayo_ros.viewer import packages, show
from alpamayo_ros.viewer.layout import blueprint
from alpamayo_ros.viewer.screen import Screen
from alpamayo_ros.viewer.server import PortError, Server
from alpamayo_ros.viewer.view_scene import State

MEMORY = '100MiB'  # of the past, which a browser that comes later goes through first


class ViewerNode(RecorderNode):
    """A recorder whose sink is a page."""

    def __init__(self) -> None:
        super().__init__('viewer', VIEWER)

    def open_writer(self) -> PageSink:
        """The page, or a file."""
        try:
            sink = PageSink(self.settings, load_rig(self.settings.rig))
        except (packages.MissingError, PortError) as error:
            raise ConfigurationError(f'viewer: {error}') from error
        self.get_logger().info(sink.where)
        return sink


class PageSink:
    """Shows what the recorder writes; ``where``: the address of the page, or the file."""

    fault = None  # there is no disk to fill

    def __init__(self, settings: Any, rig: Rig) -> None:
        """Open the page or the file; MissingError and PortError say what to type."""
        rerun = packages.load()
        self._open = ExitStack()
        self._stream = show.new_stream(rerun, settings.flush_s)
        if settings.save:
            Path(settings.save).parent.mkdir(parents=True, exist_ok=True)
            self._stream.save(settings.save)
            self.where = f'writing {settings.save}'
        else:
            server = self._open.enter_context(Server(packages.binary(), settings.port, MEMORY))
            self._stream.connect_grpc(server.data_url)
            self.where = f'open {server.page_url} in a browser of this machine'
        cameras = {camera.name: camera for camera in rig.cameras}
        self._stream.send_blueprint(blueprint(rerun, list(cameras), live=True))
        self._screen = Screen(rerun, self._stream, State(car=car_of(rig.vehicle)), cameras)
        self._heard_s: float | None = None  # of a driver that is not known to be silent
        if settings.browser and not settings.save:
            show.open_browser(server.page_url)

    def write(self, event: events.Event) -> None:
        """Show an event."""
        if isinstance(event, events.Health):
            self._heard_s = time.monotonic()
        self._screen.take(event)

    def image(self, wall_ns: int, camera: str, stamp_ns: int, data: bytes) -> None:
        """Show a picture."""
        self._screen.picture(camera, stamp_ns, data)

    def flush(self) -> None:
        """Say when the driver has fallen silent; rerun sends by itself, every ``flush_s``."""
        if self._heard_s is not None and time.monotonic() - self._heard_s > SILENT_S:
            self._screen.silent(f'the driver has said nothing for {SILENT_S:g} s')
            self._heard_s = None

    def close(self) -> None:
        """Finish the file and end the server; say where the file could not be written."""
        try:
            self._stream.flush(timeout_sec=show.FLUSH_S)
        except RuntimeError as error:
            print(f'viewer: {self.where} failed: {error}', file=sys.stderr, flush=True)
        self._stream.disconnect()
        self._open.close()


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros viewer``."""
    return run(ViewerNode)


if __name__ == '__main__':
    sys.exit(main())
