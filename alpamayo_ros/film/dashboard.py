"""One frame of the film, 1280 x 720: cameras, the scene from above, the words, the dials."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import UInt8

from alpamayo_ros import palette
from alpamayo_ros.film import canvas
from alpamayo_ros.film.camera_boxes import camera_boxes
from alpamayo_ros.film.canvas import Canvas
from alpamayo_ros.film.top_view import Car, Scene, TopView
from alpamayo_ros.metrics.words import COUNTERFACTUAL
from alpamayo_ros.metrics.words import PARTS as MANDATORY

WIDTH, HEIGHT = 1280, 720
HEADER = 60
PARTS = (*MANDATORY, COUNTERFACTUAL)  # the last: if said
STATES = ('INIT', 'READY', 'ACTIVE', 'DEGRADED', 'FALLBACK', 'FAULT')
CONTACT = 'CONTACT'  # shown in place of a state once somebody was touched
SPEED_BOX, STEER_BOX = (16, 312, 309, 118), (539, 312, 309, 118)
WORDS_BOX = (16, 438, 832, 266)
VIEW_BOX = (864, 68, 400, 636)
SLOW_MPS, AHEAD_M, MOST_AHEAD = 12.0, 44.0, 3.5


@dataclass(frozen=True, slots=True)
class FrameContent:
    """Everything one frame shows.  ``reason``: the sentence of the fault, '' when all is well.

    ``note``: where the other cars come from, '' where none are known.
    """

    title: str
    subtitle: str
    time_s: float
    scene: Scene
    images: Mapping[str, UInt8[np.ndarray, '_ _ 3'] | None] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    speed_mps: float = 0.0
    acceleration_mps2: float = 0.0
    steering_rad: float = 0.0
    state: str = 'INIT'
    reason: str = ''
    runtime: str = ''
    car: Car = Car()
    note: str = ''


class Dashboard:
    """Composes frames; what never changes is drawn once.

    ``max_speed_mps``: what the bar shows at most; faster cars are seen from further above.
    """

    def __init__(self, max_speed_mps: float = SLOW_MPS, max_steering_rad: float = 0.55) -> None:
        self.max_speed_mps, self.max_steering_rad = max_speed_mps, max_steering_rad
        ahead_m = AHEAD_M * min(max(1.0, max_speed_mps / SLOW_MPS), MOST_AHEAD)
        self._view = TopView(VIEW_BOX[2], VIEW_BOX[3], ahead_m, ahead_m / 4)
        self._base = self._still()

    def compose(self, content: FrameContent) -> UInt8[np.ndarray, '720 1280 3']:
        """One frame."""
        out: Canvas = self._base.copy()
        self._header(out, content)
        for name, box in camera_boxes(content.images).items():
            _camera(out, name, box, content.images.get(name))
        below = f'{content.speed_mps * 3.6:.0f} km/h   {content.acceleration_mps2:+.1f} m/s²'
        share = content.speed_mps / self.max_speed_mps
        _gauge(out, SPEED_BOX, 'speed', f'{content.speed_mps:.1f}', 'm/s', share, below)
        _steering(out, STEER_BOX, content.steering_rad, self.max_steering_rad)
        _words(out, content.words)
        x, y, w, h = VIEW_BOX
        out[y : y + h, x : x + w] = self._view.draw(content.scene, content.car)
        _legend(out, content.note)
        return out

    def _still(self) -> Canvas:
        out: Canvas = np.empty((HEIGHT, WIDTH, 3), np.uint8)
        out[:] = canvas.BACKGROUND
        for box in (SPEED_BOX, STEER_BOX, WORDS_BOX):
            canvas.panel(out, box)
        return out

    def _header(self, out: Canvas, content: FrameContent) -> None:
        bad = content.state == CONTACT
        colour = palette.STOP if bad else palette.STATES.get(content.state, canvas.MUTED)
        width = canvas.text_width(content.state, 16, True) + 28
        canvas.panel(out, (WIDTH - 16 - width, 11, width, 32), colour, None, 8)
        canvas.text(out, content.state, (WIDTH - 16 - width // 2, 17), 16, (10, 12, 16), True,
                    'middle')  # fmt: skip
        right = WIDTH - 16 - width - 18
        canvas.text(out, f'{content.time_s:.1f} s', (right, 12), 22, anchor='right')
        runtime = canvas.cut(content.runtime, 14, 300)
        canvas.text(out, runtime, (right - 110, 19), 14, canvas.MUTED, anchor='right')
        left = right - 110 - canvas.text_width(runtime, 14) - 28
        canvas.text(out, canvas.cut(content.title, 23, left, True), (16, 8), 23, bold=True)
        # half of the line at least is the subtitle's; a reason takes what it leaves
        room = right - 17 - 28
        subtitle = canvas.cut(content.subtitle, 14, room // 2 if content.reason else room)
        canvas.text(out, subtitle, (17, 37), 14, canvas.MUTED)
        line = canvas.cut(content.reason, 14, room - canvas.text_width(subtitle, 14))
        canvas.text(out, line, (right, 40), 14, colour, anchor='right')


def _camera(
    out: Canvas,
    name: str,
    box: tuple[int, int, int, int],
    image: UInt8[np.ndarray, '_ _ 3'] | None,
) -> None:
    """A picture that fills its box (cut at the sides it has too much of), with its name."""
    x, y, w, h = box
    if image is None:
        canvas.panel(out, box)
        canvas.text(out, 'no picture', (x + w // 2, y + h // 2 - 8), 13, canvas.MUTED,
                    anchor='middle')  # fmt: skip
    else:
        scale = max(w / image.shape[1], h / image.shape[0])
        size = (max(w, round(image.shape[1] * scale)), max(h, round(image.shape[0] * scale)))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        big = cv2.resize(image, size, interpolation=method)
        left, top = (size[0] - w) // 2, (size[1] - h) // 2
        out[y : y + h, x : x + w] = big[top : top + h, left : left + w]
    label = canvas.cut(name.replace('_', ' '), 11, w - 16)
    width = canvas.text_width(label, 11) + 10
    region = out[y + h - 19 : y + h - 3, x + 3 : x + 3 + width]
    region[:] = (region * 0.35).astype(np.uint8)
    canvas.text(out, label, (x + 8, y + h - 18), 11, (235, 238, 242))


def _gauge(
    out: Canvas,
    box: tuple[int, int, int, int],
    name: str,
    value: str,
    unit: str,
    share: float,
    below: str,
) -> None:
    """A number with its unit and a bar."""
    x, y, w, _ = box
    canvas.text(out, name.upper(), (x + 16, y + 12), 11, canvas.MUTED, True)
    canvas.text(out, value, (x + 15, y + 28), 36, bold=True)
    canvas.text(out, unit, (x + 25 + canvas.text_width(value, 36, True), y + 47), 16, canvas.MUTED)
    canvas.text(out, below, (x + w - 16, y + 50), 14, canvas.MUTED, anchor='right')
    bar = (x + 16, y + 86, w - 32, 14)
    canvas.panel(out, bar, canvas.EDGE, None, 7)
    filled = round(min(max(share, 0.0), 1.0) * bar[2])
    if filled >= 14:
        canvas.panel(out, (bar[0], bar[1], filled, bar[3]), canvas.BLUE, None, 7)


def _steering(
    out: Canvas, box: tuple[int, int, int, int], angle_rad: float, limit_rad: float
) -> None:
    """The steering angle as a number, a bar to its side and a turned wheel."""
    x, y, w, _ = box
    degrees = math.degrees(angle_rad)
    side = 'left' if degrees > 0.05 else 'right' if degrees < -0.05 else ''
    value = f'{abs(degrees):.1f}°'
    canvas.text(out, 'STEERING', (x + 16, y + 12), 11, canvas.MUTED, True)
    canvas.text(out, value, (x + 15, y + 28), 36, bold=True)
    canvas.text(out, side, (x + 24 + canvas.text_width(value, 36, True), y + 47), 16, canvas.MUTED)
    bar = (x + 16, y + 86, w - 32, 14)
    canvas.panel(out, bar, canvas.EDGE, None, 7)
    middle = bar[0] + bar[2] // 2
    reach = round(min(max(angle_rad / limit_rad, -1.0), 1.0) * bar[2] / 2)
    left, right = min(middle, middle - reach), max(middle, middle - reach)
    out[bar[1] : bar[1] + bar[3], left : max(right, left + 1)] = canvas.BLUE
    out[bar[1] - 3 : bar[1] + bar[3] + 3, middle : middle + 1] = canvas.MUTED
    centre, radius = (x + w - 50, y + 46), 30
    cv2.circle(out, centre, radius, canvas.MUTED, 5, cv2.LINE_AA)
    turn = angle_rad * 6  # a wheel turns further than the tyres
    for spoke in (math.pi / 2, math.pi, 2 * math.pi):
        angle = spoke - turn
        end = (centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle))
        canvas.polyline(out, np.array([centre, end], float), canvas.MUTED, 4)
    cv2.circle(out, centre, 7, canvas.MUTED, -1, cv2.LINE_AA)


def _words(out: Canvas, words: Mapping[str, str]) -> None:
    """The chain of causation in its parts; the counterfactual only where there is one."""
    x, y, w, h = WORDS_BOX
    shown = PARTS if words.get(PARTS[-1]) else PARTS[:-1]
    row = h / len(shown)
    for index, name in enumerate(shown):
        top = round(y + index * row)
        if index:
            out[top, x + 18 : x + w - 18] = canvas.EDGE
        canvas.text(out, name.upper(), (x + 18, top + round(row / 2) - 8), 12, canvas.BLUE, True)
        said = words.get(name, '')
        lines = canvas.wrap(said or '–', 18, w - 174, 2)
        first = top + round(row / 2) - 12 * len(lines)
        for number, line in enumerate(lines):
            colour = canvas.TEXT if said else canvas.MUTED
            canvas.text(out, line, (x + 158, first + 24 * number), 18, colour)


def _legend(out: Canvas, note: str) -> None:
    """What the colours of the view from above mean, and whose word the other cars are."""
    x, y, _, h = VIEW_BOX
    entries = (
        (palette.PLAN, 'plan'),
        (palette.CHEAP, 'candidates, cheap'),
        (palette.DEAR, 'dear'),
        (palette.DRIVEN, 'driven'),
    )
    left, top = x + 12, y + h - 40
    region = out[top - 8 : y + h, x : x + VIEW_BOX[2]]
    region[:] = (region * 0.45).astype(np.uint8)
    for colour, label in entries:
        out[top + 6 : top + 9, left : left + 16] = colour
        canvas.text(out, label, (left + 21, top), 11, (225, 229, 233))
        left += 21 + canvas.text_width(label, 11) + 16
    note = canvas.cut(note, 11, VIEW_BOX[2] - 24)
    canvas.text(out, note, (x + 12, top + 18), 11, (201, 150, 96))
