"""A recording as roads make it: jitter, transport, losses, repeats, late and foreign messages."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from alpamayo_ros.bags.bag import BagMessage, BagReader, BagWriter
from alpamayo_ros.units import NS

MS = 1_000_000
WORDS = ((1.23, 'turn left in 40 m'), (1.5, 'turn right in 30 m'), (2.9, 'go straight'))


def roughen(source: Path, out: Path, seed: int = 0) -> None:
    """Write ``out``: the messages of ``source`` (a simulated drive) with everything above.

    Lost: one picture of front, a second of rear, 3 % of rear_left, half a second of all cameras, a
    fifth of odometry and 0.1 s of it; said: instructions in a row, a prompt, another calibration
    of rear.
    """
    items = list(BagReader(source))
    begin_ns, rng = items[0].time_ns, random.Random(seed)
    with BagWriter(out) as bag:
        text = bag.store.types['std_msgs/msg/String']
        found = [new for item in items for new in _rough(item, begin_ns, rng)]
        for at_s, words in (*WORDS, (2.0, 'prompt: drive carefully')):
            prompt = words.removeprefix('prompt: ')
            topic = f'/alpamayo/{"nav_text" if prompt == words else "prompt_text"}'
            time_ns = begin_ns + round(at_s * NS)
            found.append(BagMessage(topic, 'std_msgs/msg/String', time_ns, text(data=prompt)))
        for item in sorted(found, key=lambda i: i.time_ns):
            bag.write(item.topic, item.message, item.time_ns)


def _rough(item: BagMessage, begin_ns: int, rng: random.Random) -> list[BagMessage]:
    at_s = (item.time_ns - begin_ns) / NS
    camera = item.topic.split('/')[3] if '/camera/' in item.topic else ''
    if item.topic.endswith('camera_info') and camera == 'rear' and at_s > 3.4:  # then FAULT
        item.message.k = item.message.k * 1.01
    elif item.topic.endswith('/odometry'):
        lost = rng.random() < 0.2 or 3.6 < at_s < 3.7
        return [] if lost else [replace(item, time_ns=item.time_ns + rng.randint(5, 6) * MS)]
    elif camera and 'image' in item.topic:
        return _rough_image(item, camera, at_s, rng)
    return [item]


def _rough_image(
    item: BagMessage, camera: str, at_s: float, rng: random.Random
) -> list[BagMessage]:
    if 3.75 <= at_s < 4.25:
        return []
    lost = {'front': 2.5 <= at_s < 2.6, 'rear': 3.0 <= at_s < 4.1}
    lost['rear_left'] = rng.random() < 0.03
    if lost.get(camera, False):
        return []
    stamp = item.message.header.stamp
    total = stamp.sec * NS + stamp.nanosec + rng.randint(-2, 2) * MS
    stamp.sec, stamp.nanosec = total // NS, total % NS
    delay = rng.uniform(30, 55) + 90 * (rng.random() < 0.01)
    out = [replace(item, time_ns=item.time_ns + round(delay * MS))]
    if rng.random() < 0.05:  # sent twice
        out.append(replace(item, time_ns=item.time_ns + round((delay + 3) * MS)))
    return out
