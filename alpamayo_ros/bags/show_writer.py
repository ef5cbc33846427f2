"""The messages with which RViz and Foxglove show a drive, all of them standard types.

The live graph sends the same (nodes/messages/markers.py); ``marker_style`` holds what both share.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from alpamayo_ros.bags import marker_style as style
from alpamayo_ros.bags.sensor_writer import SensorBag
from alpamayo_ros.sensing.rig import rotation_xyz

LINE_STRIP, CUBE, TEXT = 4, 1, 9  # visualization_msgs/Marker.type
INFO, WARN, ERROR = 20, 30, 40  # rcl_interfaces/Log.level
LIFETIME_S = 1
NO_PICTURE = np.zeros(0, np.uint8)


class ShowBag(SensorBag):
    """A bag writer that also knows paths, markers, words, diagnostics and plain numbers."""

    latched = ('/tf_static', '/alpamayo/route')

    def nav_path(
        self,
        topic: str,
        stamp_ns: int,
        frame_id: str,
        points: Float[np.ndarray, 'n 2'],
        at_ns: int = 0,
    ) -> None:
        """Append nav_msgs/Path through ``points``, headed along it; ``at_ns``: when recorded."""
        header = self.header(stamp_ns, frame_id)
        poses = []
        for (x, y), angle in zip(points.tolist(), headings(points), strict=True):
            pose = self.new(
                'geometry_msgs/msg/Pose',
                position=self.new('geometry_msgs/msg/Point', x=x, y=y, z=0.0),
                orientation=self.turn(angle),
            )
            poses.append(self.new('geometry_msgs/msg/PoseStamped', header=header, pose=pose))
        message = self.new('nav_msgs/msg/Path', header=header, poses=poses)
        self.write(topic, message, at_ns or stamp_ns)

    def turn(self, angle_rad: float) -> Any:
        """Quaternion of a turn about z."""
        z, w = math.sin(angle_rad / 2), math.cos(angle_rad / 2)
        return self.new('geometry_msgs/msg/Quaternion', x=0.0, y=0.0, z=z, w=w)

    def markers(self, topic: str, markers: list[Any], at_ns: int) -> None:
        """Append visualization_msgs/MarkerArray."""
        self.write(topic, self.new('visualization_msgs/msg/MarkerArray', markers=markers), at_ns)

    def line(
        self, stamp_ns: int, space: str, number: int, x: list[float], y: list[float],
        colour: style.Rgba,
    ) -> Any:  # fmt: skip
        """A polyline in base_link at ``stamp_ns`` [m]; the one called ``chosen`` is thick."""
        point = self.store.types['geometry_msgs/msg/Point']
        points = [
            point(x=a, y=b, z=style.LINE_HEIGHT_M)
            for a, b in zip(x, y, strict=True)
            if a is not None and b is not None
        ]
        width = style.CHOSEN_WIDTH_M if space == 'chosen' else style.CANDIDATE_WIDTH_M
        scale = np.array([width, 0.0, 0.0])
        return self._marker(stamp_ns, space, number, LINE_STRIP, colour, scale, points=points)

    def box(
        self, stamp_ns: int, space: str, number: int, place: tuple[float, float, float],
        size: tuple[float, float], colour: style.Rgba,
    ) -> Any:  # fmt: skip
        """A box in base_link: ``place`` of its middle (x, y, heading), length and width."""
        pose = np.eye(4)
        pose[:3, :3] = rotation_xyz(0.0, 0.0, place[2])
        pose[:3, 3] = place[0], place[1], style.CAR_HEIGHT_M / 2
        scale = np.array([*size, style.CAR_HEIGHT_M])
        return self._marker(stamp_ns, space, number, CUBE, colour, scale, pose)

    def words(self, stamp_ns: int, text: str) -> Any:
        """A text above the car."""
        look = (style.WORDS, style.WORDS_AT_M, style.WORDS_HEIGHT_M)
        return self._text(stamp_ns, 'coc', text, *look)

    def state(self, stamp_ns: int, name: str, text: str) -> Any:
        """The state above the words, in its colour."""
        look = (style.state_colour(name), style.STATE_AT_M, style.STATE_HEIGHT_M)
        return self._text(stamp_ns, 'state', text, *look)

    def _text(
        self, stamp_ns: int, space: str, text: str, colour: style.Rgba,
        place: tuple[float, float, float], height_m: float,
    ) -> Any:  # fmt: skip
        pose = np.eye(4)
        pose[:3, 3] = place
        scale = np.array([0.0, 0.0, height_m])
        return self._marker(stamp_ns, space, 0, TEXT, colour, scale, pose, text=text)

    def _marker(
        self, stamp_ns: int, space: str, number: int, kind: int, colour: style.Rgba,
        scale: np.ndarray, pose: np.ndarray | None = None, points: Sequence[Any] = (),
        text: str = '',
    ) -> Any:  # fmt: skip
        r, g, b, a = colour
        duration = self.new('builtin_interfaces/msg/Duration', sec=LIFETIME_S, nanosec=0)
        return self.new(
            'visualization_msgs/msg/Marker',
            header=self.header(stamp_ns, 'base_link'),
            ns=space,
            id=((number + 2**31) % 2**32) - 2**31,
            type=kind,
            action=0,
            pose=self._pose(np.eye(4) if pose is None else pose),
            scale=self._vector(scale),
            color=self.new('std_msgs/msg/ColorRGBA', r=r, g=g, b=b, a=a),
            lifetime=duration,
            frame_locked=False,
            points=list(points),
            colors=[],
            texture_resource='',
            texture=self.new(
                'sensor_msgs/msg/CompressedImage',
                header=self.header(0, ''),
                format='',
                data=NO_PICTURE,
            ),
            uv_coordinates=[],
            text=text,
            mesh_resource='',
            mesh_file=self.new('visualization_msgs/msg/MeshFile', filename='', data=NO_PICTURE),
            mesh_use_embedded_materials=False,
        )

    def image(self, topic: str, stamp_ns: int, frame_id: str, pixels: np.ndarray) -> None:
        """Append sensor_msgs/Image of an RGB picture."""
        height, width = pixels.shape[:2]
        message = self.new(
            'sensor_msgs/msg/Image', header=self.header(stamp_ns, frame_id), height=height,
            width=width, encoding='rgb8', is_bigendian=0, step=3 * width,
            data=np.ascontiguousarray(pixels).reshape(-1),
        )  # fmt: skip
        self.write(topic, message, stamp_ns)

    def text(self, topic: str, text: str, at_ns: int) -> None:
        """Append std_msgs/String."""
        self.write(topic, self.new('std_msgs/msg/String', data=text), at_ns)

    def number(self, topic: str, value: float, at_ns: int) -> None:
        """Append std_msgs/Float64, for plots."""
        self.write(topic, self.new('std_msgs/msg/Float64', data=float(value)), at_ns)

    def log(self, topic: str, level: int, name: str, text: str, at_ns: int) -> None:
        """Append rcl_interfaces/Log."""
        stamp = self.header(at_ns, '').stamp
        message = self.new(
            'rcl_interfaces/msg/Log', stamp=stamp, level=level, name=name, msg=text, file='',
            function='', line=0,
        )  # fmt: skip
        self.write(topic, message, at_ns)

    def diagnostics(
        self, topic: str, level: int, name: str, text: str, values: Mapping[str, object],
        at_ns: int,
    ) -> None:  # fmt: skip
        """Append diagnostic_msgs/DiagnosticArray with one status."""
        pairs: Iterable[Any] = (
            self.new('diagnostic_msgs/msg/KeyValue', key=key, value=str(value))
            for key, value in values.items()
        )
        status = self.new(
            'diagnostic_msgs/msg/DiagnosticStatus', level=level, name=name, message=text,
            hardware_id='alpamayo', values=list(pairs),
        )  # fmt: skip
        header = self.header(at_ns, '')
        kind = 'diagnostic_msgs/msg/DiagnosticArray'
        self.write(topic, self.new(kind, header=header, status=[status]), at_ns)


def headings(points: Float[np.ndarray, 'n 2']) -> list[float]:
    """Direction of a path at each of its points [rad]; where it does not move, as before."""
    out, last = [], 0.0
    steps = np.diff(points, axis=0, append=points[-1:])
    for dx, dy in steps.tolist():
        last = math.atan2(dy, dx) if math.hypot(dx, dy) > 1e-3 else last
        out.append(last)
    return out
