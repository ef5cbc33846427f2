"""Faults in words: injectors by name, and rows of the fault matrix (docs/faults.md)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from alpamayo_ros.config_file import nearest
from alpamayo_ros.simulation import inject, inject_contents
from alpamayo_ros.simulation.inject import Injector
from alpamayo_ros.units import NS

BY_NAME: dict[str, Callable[..., Injector]] = {
    f.__name__: f
    for f in (
        *(inject.drop, inject.drop_random, inject.shift_stamp, inject.set_stamp, inject.delay),
        *(inject.shuffle, inject.duplicate, inject.freeze, inject.truncate, inject.flip_bits),
        *(inject.jump_clock, inject.decimate, inject_contents.paint, inject_contents.spoil),
        *(inject_contents.teleport, inject_contents.fail, inject_contents.print_sign),
    )
}
CAMERAS = ('front', 'front_left', 'front_right', 'rear_left', 'rear', 'rear_right')
# What streams of images, odometry and answers can show; {t} becomes the start and the end,
# {clock} the same for a clock that is wrong in between.
ROWS = {
    'F01': 'shift_stamp(source=front,offset_ms=-400,{t})',
    'F02': 'drop(source=front_left,{t})',
    'F03': 'drop(source=front,{t})',
    'F04': ';'.join(f'drop(source={name},{{t}})' for name in CAMERAS),
    'F05': 'drop_random(source=front,share=0.3,seed=5,{t})',
    'F06': 'freeze(source=front,{t})',
    'F07': 'paint(source=front,kind=black,{t})',
    'F08': 'truncate(source=front,seed=8,{t})',
    'F09': 'flip_bits(source=front,bits=8,seed=9,{t})',
    'F14': 'shift_stamp(source=rear,offset_ms=-60,{t})',
    'F16': 'jump_clock(by_s=-50,{clock})',
    'F17': 'jump_clock(by_s=10,{clock})',
    'F18': 'shuffle(source=front,window_ms=300,seed=18,{t})',
    'F19': 'duplicate(source=front,{t})',
    'F20': 'set_stamp(source=front,stamp_ns=0,{t})',
    'F22': 'spoil(field=speed_mps,{t})',
    'F23': 'drop(source=odometry,{t})',
    'F24': 'teleport(by_m=5,{t})',
    'F32': 'print_sign(source=front,{t})',
    'F34': 'fail(code=MODEL_FAILING,{t})',
    'F36': 'fail(code=MODEL_KILLED,{t})',
    'F50': 'fail(code=MODEL_ABSENT,{t})',
}
ROW = re.compile(r'F\d')
SECONDS = r'(\d{1,5}(?:\.\d{1,3})?)s'
SPAN = re.compile(rf'(F\d\d)@{SECONDS}:{SECONDS}')
JUMP = 'jump_clock'

# What a text may ask for; other numbers only have to be finite.
RANGES: dict[str, tuple[float, float]] = {
    'share': (0, 1), 'keep_every': (1, 1000), 'bits': (0, 10_000), 'seed': (0, 2**31 - 1),
    'window_ms': (0, 10_000), 'by_ms': (0, 10_000), 'offset_ms': (-1e7, 1e7), 'at_s': (0, 1e5),
    'start_s': (0, 1e5), 'stop_s': (0, inject.FOREVER), 'by_s': (-1e5, 1e5), 'by_m': (-1e5, 1e5),
    'stamp_ns': (0, 2**63 - 1),
}  # fmt: skip
LONGEST = 2000  # characters of a text
WHOLE = ('keep_every', 'bits', 'seed', 'stamp_ns')
TOLD = (
    'x_m',
    'y_m',
    'heading_rad',
    'speed_mps',
    'yaw_rate_rps',
)  # of a state, in nav_msgs/Odometry
WORDS = ('source', 'kind', 'field', 'code', 'text')
OF_PICTURES = ('paint', 'print_sign', 'truncate', 'flip_bits')  # change bytes of a camera
OF_ODOMETRY = ('spoil', 'teleport')
ODOMETRY = 'odometry'  # as a source, whatever its topic


def expand(part: str) -> str:
    """``F03@5s:2s`` (row, start, length) as injectors with arguments; other text as it is.

    ValueError names the rows that there are.
    """
    if not ROW.match(part):
        return part
    found = SPAN.fullmatch(part)
    if found is None or found[1] not in ROWS or not float(found[3]):
        known = ', '.join(ROWS)
        raise ValueError(f'{part!r}: expected ROW@START:LENGTH as F03@5s:2s; rows are {known}')
    start_s, stop_s = float(found[2]), float(found[2]) + float(found[3])
    times = f'start_s={start_s},stop_s={stop_s}'
    return ROWS[found[1]].format(t=times, clock=f'at_s={start_s},stop_s={stop_s}')


def parse(text: str) -> list[Injector]:
    """Injectors from text; ValueError names what is not understood or out of range.

    For example ``drop(source=front,start_s=5,stop_s=7);flip_bits(source=rear,bits=8,seed=1)``, or
    a row of the fault matrix with its start and length: ``F03@5s:2s``.
    """
    return [_made(*call) for call in calls(text)]


def of_streams(text: str) -> list[Injector]:
    """Those that change messages; a clock's jumps are left to whoever keeps the clock."""
    return [_made(*call) for call in calls(text) if call[0] != JUMP]


def of_topics(text: str) -> list[Injector]:
    """Those that a graph's topics can show; ValueError names what has no topic there."""
    for name, given in calls(text):
        if name == JUMP or name == 'fail' or given.get('source') == 'model':
            raise ValueError(f'{name} has no topic in a graph: try it with alpamayo sim --inject')
        if name == 'spoil' and given['field'] not in TOLD:
            said = f'odometry messages have no {given["field"]}; expected one of {", ".join(TOLD)}'
            raise ValueError(said)
    return parse(text)


def jumps(text: str) -> bool:
    """Whether a clock jumps in ``text``."""
    return any(name == JUMP for name, _ in calls(text))


class Announced:
    """Says once when an injector of ``text`` begins and once when it ends."""

    def __init__(self, text: str) -> None:
        """Nothing has begun."""
        self._spans: list[tuple[str, float, float]] = []
        self._before_s = -1.0
        for name, given in calls(text):
            start_s, stop_s = given.pop('start_s', 0.0), given.pop('stop_s', inject.FOREVER)
            what = ', '.join(f'{key}={value}' for key, value in given.items())
            self._spans.append((f'{name}({what})', start_s, stop_s))

    def at(self, elapsed_s: float) -> list[str]:
        """What has begun or ended since the last call."""
        before_s, self._before_s = self._before_s, elapsed_s
        found = []
        for what, start_s, stop_s in self._spans:
            until = '' if stop_s == inject.FOREVER else f', until {stop_s:g} s'
            if before_s < start_s <= elapsed_s:
                found.append(f'injection begins: {what}{until}')
            if before_s < stop_s <= elapsed_s:
                found.append(f'injection ends: {what}')
        return found


def clock_offset_ns(text: str, elapsed_s: float) -> int:
    """How far the clock of ``text``'s jumps is off after ``elapsed_s``; positive: ahead."""
    offset_s = 0.0
    for name, given in calls(text):
        if name == JUMP and given['at_s'] <= elapsed_s < given.get('stop_s', inject.FOREVER):
            offset_s += given['by_s']
    return round(offset_s * NS)


def calls(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and arguments of every injector in ``text``."""
    if len(text) > LONGEST:
        raise ValueError(f'{len(text)} characters of faults; expected {LONGEST} at most')
    words = (p.strip() for p in text.split(';'))
    for part in (one for word in words if word for one in expand(word).split(';')):
        name, bracket, rest = part.partition('(')
        if name not in BY_NAME or not bracket or not rest.endswith(')'):
            raise ValueError(_no_injector(part, name))
        given = _arguments(part, rest[:-1])
        _made(name, given)
        _check_source(name, str(given.get('source', ODOMETRY)))
        if given.get('stop_s', inject.FOREVER) <= begin_s(given):
            raise ValueError(f'{part!r}: expected stop_s beyond {begin_s(given):g}, its begin')
        yield name, given


def begin_s(given: dict[str, Any]) -> float:
    """When an injector with these arguments begins."""
    return float(given.get('start_s', given.get('at_s', 0.0)))


def _no_injector(part: str, name: str) -> str:
    """What is wrong with the words of a call."""
    if name in BY_NAME:
        return f'{part!r}: expected {name}(KEY=VALUE,...), with both brackets'
    known = sorted(BY_NAME)
    return f'{part!r} is no injector{nearest(name, known)}; there are {", ".join(known)}'


def _check_source(name: str, source: str) -> None:
    """ValueError where an injector is asked of messages of another kind."""
    if name in OF_PICTURES and source in (ODOMETRY, inject.ALL, 'model'):
        raise ValueError(f'{name} changes the bytes of a picture; expected a camera, not {source}')
    if name in OF_ODOMETRY and source != ODOMETRY:
        raise ValueError(f'{name} changes odometry; expected source={ODOMETRY}, not {source}')


def _arguments(part: str, inside: str) -> dict[str, Any]:
    """What stands between the brackets."""
    found: dict[str, Any] = {}
    for pair in filter(None, (p.strip() for p in inside.split(','))):
        key, equals, value = pair.partition('=')
        if not equals:
            raise ValueError(f'{pair!r} in {part!r}: expected name=value')
        found[key.strip()] = _argument(key.strip(), value.strip())
    return found


def _made(name: str, arguments: dict[str, Any]) -> Injector:
    """The injector of a call."""
    try:
        return BY_NAME[name](**arguments)
    except TypeError as error:
        raise ValueError(f'{name!r}: {error}') from error


def _argument(key: str, text: str) -> int | float | str:
    """The value of an argument; ValueError where it is no number or out of range."""
    if key in WORDS:
        return text
    if key == 'payload':
        raise ValueError('a payload cannot be written as text; leave it out')
    kind = int if key in WHOLE else float
    low, high = RANGES.get(key, (-1e9, 1e9))
    try:
        value = kind(text)
    except ValueError:
        raise ValueError(f'{key}={text!r}: expected {kind.__name__}') from None
    if not low <= value <= high:
        raise ValueError(f'{key}={text}: expected {low:g} to {high:g}')
    return value
