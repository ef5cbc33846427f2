"""Drawing on an RGB image: text with a real font, rounded panels, anti-aliased lines.

OpenCV draws the shapes, Pillow the letters.  A word that was drawn once is kept as a mask, since a
video repeats most of its words in every frame.
"""

from __future__ import annotations

import functools
import re

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw

from alpamayo_ros.film.letters import font, runs

Colour = tuple[int, int, int]
Canvas = UInt8[np.ndarray, 'h w 3']

BACKGROUND: Colour = (13, 17, 23)
PANEL: Colour = (22, 27, 34)
EDGE: Colour = (48, 54, 61)
TEXT: Colour = (230, 237, 243)
MUTED: Colour = (139, 148, 158)
BLUE: Colour = (88, 166, 255)
SHIFT = 4  # sub-pixel bits of OpenCV's coordinates
# Kana, Chinese letters, Korean syllables, wide forms: a line may end after each, without a space.
WIDE = '\u3000-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef\U00020000-\U0003fffd'
UNBROKEN = re.compile(rf' ?(?:[{WIDE}]|[^ {WIDE}]+)')


@functools.lru_cache(maxsize=4096)
def _mask(words: str, size: int, bold: bool) -> Float[np.ndarray, 'h w 1']:
    ascent, descent = font(size, bold).getmetrics()
    image = Image.new('L', (max(1, text_width(words, size, bold) + 1), ascent + descent))
    draw, left = ImageDraw.Draw(image), 0.0
    for piece, face in runs(words, size, bold):
        draw.text((left, ascent), piece, fill=255, font=face, anchor='ls')
        left += face.getlength(piece)
    return np.asarray(image, dtype=np.float32)[..., None] / 255


def text_width(words: str, size: int, bold: bool = False) -> int:
    """Width of a line in pixels."""
    return round(sum(face.getlength(piece) for piece, face in runs(words, size, bold)))


def text(
    canvas: Canvas,
    words: str,
    xy: tuple[int, int],
    size: int,
    colour: Colour = TEXT,
    bold: bool = False,
    anchor: str = 'left',
) -> None:
    """One line; ``xy`` is its top left, top middle or top right by ``anchor``; cut at the edge."""
    mask = _mask(words, size, bold)
    x, y = xy
    x -= {'left': 0, 'middle': mask.shape[1] // 2, 'right': mask.shape[1]}[anchor]
    left, top = max(0, x), max(0, y)
    right = min(canvas.shape[1], x + mask.shape[1])
    bottom = min(canvas.shape[0], y + mask.shape[0])
    if right <= left or bottom <= top:
        return
    part = mask[top - y : bottom - y, left - x : right - x]
    region = canvas[top:bottom, left:right]
    canvas[top:bottom, left:right] = region + part * (np.array(colour, np.float32) - region)


def wrap(words: str, size: int, width: int, lines: int, bold: bool = False) -> list[str]:
    """``words`` in at most ``lines`` lines of ``width`` pixels; what does not fit ends in '…'."""
    out: list[str] = []
    line = ''
    for word in UNBROKEN.findall(' '.join(words.split())):
        longer = line + word
        if line and text_width(longer, size, bold) > width:
            out.append(line)
            line = word.strip()
        else:
            line = longer
    out.append(line)
    if len(out) > lines:
        out = [*out[: lines - 1], ' '.join(out[lines - 1 :])]
    return [cut(one, size, width, bold) for one in out]


@functools.lru_cache(maxsize=1024)
def cut(words: str, size: int, width: int, bold: bool = False) -> str:
    """``words`` in ``width`` pixels; what does not fit ends in '…'."""
    while len(words) > 1 and text_width(words, size, bold) > width:
        words = words[:-2].rstrip(' ,.;') + '…'
    return words


def panel(
    canvas: Canvas,
    box: tuple[int, int, int, int],
    fill: Colour = PANEL,
    edge: Colour | None = EDGE,
    radius: int = 8,
) -> None:
    """A rounded rectangle; ``box``: left, top, width, height."""
    x, y, w, h = box
    corners = [(x + radius, y + radius), (x + w - 1 - radius, y + radius)]
    corners += [(x + w - 1 - radius, y + h - 1 - radius), (x + radius, y + h - 1 - radius)]
    for centre, start in zip(corners, (180, 270, 0, 90), strict=True):
        cv2.ellipse(canvas, centre, (radius, radius), start, 0, 90, fill, -1, cv2.LINE_AA)
    cv2.rectangle(canvas, (x + radius, y), (x + w - 1 - radius, y + h - 1), fill, -1)
    cv2.rectangle(canvas, (x, y + radius), (x + w - 1, y + h - 1 - radius), fill, -1)
    if edge is None:
        return
    for centre, start in zip(corners, (180, 270, 0, 90), strict=True):
        cv2.ellipse(canvas, centre, (radius, radius), start, 0, 90, edge, 1, cv2.LINE_AA)
    for a, b in (((x + radius, y), (x + w - 1 - radius, y)),
                 ((x + radius, y + h - 1), (x + w - 1 - radius, y + h - 1)),
                 ((x, y + radius), (x, y + h - 1 - radius)),
                 ((x + w - 1, y + radius), (x + w - 1, y + h - 1 - radius))):  # fmt: skip
        cv2.line(canvas, a, b, edge, 1)


def polyline(
    canvas: Canvas,
    points: Float[np.ndarray, 'n 2'],
    colour: Colour,
    width: int = 1,
    closed: bool = False,
) -> None:
    """A line through pixel coordinates with sub-pixel precision; fewer than two points: nothing.

    Points closer than two widths are left out: OpenCV rounds every joint, which shows as beads.
    """
    if len(points) >= 2 and bool(np.isfinite(points).all()):
        points = _apart(points, 2.0 * width + 2)
        fixed = np.clip(points, -4000, 8000) * (1 << SHIFT)
        fixed = fixed.round().astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(canvas, [fixed], closed, colour, width, cv2.LINE_AA, SHIFT)


def _apart(points: Float[np.ndarray, 'n 2'], least: float) -> Float[np.ndarray, 'm 2']:
    """``points`` at least ``least`` pixels of arc apart; the first and the last stay."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    cell = np.floor(np.concatenate([[0.0], np.cumsum(steps)]) / least)
    keep = np.concatenate([[True], np.diff(cell) > 0])
    if not keep[-1]:
        if keep.sum() > 1:
            keep[np.flatnonzero(keep)[-1]] = False
        keep[-1] = True
    return np.asarray(points[keep])


def polygon(canvas: Canvas, points: Float[np.ndarray, 'n 2'], colour: Colour) -> None:
    """A filled polygon in pixel coordinates."""
    if len(points) >= 3 and bool(np.isfinite(points).all()):
        fixed = (np.clip(points, -4000, 8000) * (1 << SHIFT)).round().astype(np.int32)
        cv2.fillPoly(canvas, [fixed.reshape(-1, 1, 2)], colour, cv2.LINE_AA, SHIFT)


def resized(image: UInt8[np.ndarray, '_ _ 3'], width: int) -> UInt8[np.ndarray, '_ _ 3']:
    """A copy of ``image`` that is ``width`` pixels wide."""
    size = (width, round(image.shape[0] * width / image.shape[1]))
    method = cv2.INTER_AREA if width < image.shape[1] else cv2.INTER_CUBIC
    return np.array(cv2.resize(image, size, interpolation=method), np.uint8)
