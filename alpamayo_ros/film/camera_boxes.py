"""Where each camera is drawn in a frame of the film."""

from __future__ import annotations

import math
from collections.abc import Iterable

Box = tuple[int, int, int, int]  # left, top, width, height [px]

# Side cameras stand beside the front one, the rear one below it.
NAMED: dict[str, Box] = {
    'front_left': (16, 68, 206, 118),
    'rear_left': (16, 190, 206, 118),
    'front': (226, 68, 412, 240),
    'front_right': (642, 68, 206, 118),
    'rear_right': (642, 190, 206, 118),
    'rear': (329, 312, 206, 118),
}
AREA: Box = (16, 68, 832, 240)  # of every camera but the rear one
COLUMNS, GAP = 4, 4


def camera_boxes(names: Iterable[str]) -> dict[str, Box]:
    """The box of every camera of ``names``.

    The six of ``NAMED``, whichever are there, as seen from the car. With any other camera, rows of
    at most four, the known ones first; only the rear camera keeps its place.
    """
    wanted = set(names)
    others = sorted(wanted - NAMED.keys())
    if not others:
        return NAMED
    row = [name for name in NAMED if name in wanted and name != 'rear'] + others
    columns = min(COLUMNS, len(row))
    lines = math.ceil(len(row) / columns)
    left, top, width, height = AREA
    w, h = (width + GAP) // columns - GAP, (height + GAP) // lines - GAP
    boxes = {
        name: (left + i % columns * (w + GAP), top + i // columns * (h + GAP), w, h)
        for i, name in enumerate(row)
    }
    return {**boxes, 'rear': NAMED['rear']} if 'rear' in wanted else boxes
