"""Names of cameras by the words of their topics and frames, where no transform says more."""

from __future__ import annotations

import re
from collections.abc import Iterable

SIDES = {
    'front': 'front', 'forward': 'front', 'fwd': 'front', 'rear': 'rear', 'back': 'rear',
    'backward': 'rear', 'left': 'left', 'right': 'right',
}  # fmt: skip
WHERE = {
    ('front',): 'front',
    ('front', 'left'): 'front_left',
    ('front', 'right'): 'front_right',
    ('rear', 'left'): 'rear_left',
    ('rear',): 'rear',
    ('rear', 'right'): 'rear_right',
    ('left',): 'front_left',
    ('right',): 'front_right',
}
PLAIN = ('image', 'raw', 'compressed', 'camera', 'color', 'rect', 'sensing', 'sensors', 'optical')


def words(text: str) -> list[str]:
    """``/CAM_FRONT_LEFT/imageRaw`` -> cam, front, left, image, raw."""
    apart = re.sub(r'(?<=[a-z0-9])(?=[A-Z])', ' ', text)
    return [word.lower() for word in re.split(r'[^A-Za-z0-9]+', apart) if word]


def direction(*texts: str) -> str:
    """The profiles' name for where a camera looks, by the first text that says so; '' unknown."""
    for text in texts:
        sides = {SIDES[word] for word in words(text) if word in SIDES}
        name = WHERE.get(tuple(s for s in ('front', 'rear', 'left', 'right') if s in sides))
        if name:
            return name
    return ''


def own_name(topic: str, taken: Iterable[str]) -> str:
    """A name from a topic that says no direction: ``/cam0/image_raw`` -> cam0."""
    parts = [word for word in words(topic) if word not in PLAIN] or ['camera']
    return numbered('_'.join(parts), taken)


def numbered(name: str, taken: Iterable[str]) -> str:
    """``name``, or ``name_2``, ``name_3`` where it is taken."""
    known, number, out = set(taken), 1, name
    while out in known:
        number += 1
        out = f'{name}_{number}'
    return out
