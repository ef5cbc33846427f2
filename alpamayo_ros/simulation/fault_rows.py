"""Rows of the fault matrix (docs/faults.md) in the words of ``simulation.inject``."""

from __future__ import annotations

import re

# What streams of images and odometry can show; {t} becomes the start and the end.
ROWS = {
    'F01': 'shift_stamp(source=front,offset_ms=-400,{t})',
    'F02': 'drop(source=front_left,{t})',
    'F03': 'drop(source=front,{t})',
    'F05': 'drop_random(source=front,share=0.3,seed=5,{t})',
    'F06': 'freeze(source=front,{t})',
    'F08': 'truncate(source=front,seed=8,{t})',
    'F14': 'shift_stamp(source=rear,offset_ms=-60,{t})',
    'F18': 'shuffle(source=front,window_ms=300,seed=18,{t})',
    'F19': 'duplicate(source=front,{t})',
    'F20': 'set_stamp(source=front,stamp_ns=0,{t})',
    'F23': 'drop(source=odometry,{t})',
}
ROW = re.compile(r'F\d')
SECONDS = r'(\d{1,5}(?:\.\d{1,3})?)s'
SPAN = re.compile(rf'(F\d\d)@{SECONDS}:{SECONDS}')


def expand(part: str) -> str:
    """``F03@5s:2s`` (row, start, length) as an injector with arguments; other text as it is.

    ValueError names the rows that there are.
    """
    if not ROW.match(part):
        return part
    found = SPAN.fullmatch(part)
    if found is None or found[1] not in ROWS or not float(found[3]):
        known = ', '.join(ROWS)
        raise ValueError(f'{part!r}: expected ROW@START:LENGTH as F03@5s:2s; rows are {known}')
    start_s, length_s = float(found[2]), float(found[3])
    return ROWS[found[1]].format(t=f'start_s={start_s},stop_s={start_s + length_s}')
