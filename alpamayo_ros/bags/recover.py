"""What can be read of a damaged bag, as a whole bag that says so."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alpamayo_ros.bags.bag import ABOUT, INCIDENT
from alpamayo_ros.bags.folder import open_file, open_recording
from alpamayo_ros.bags.mcap import McapFile
from alpamayo_ros.bags.mcap_writer import McapWriter
from alpamayo_ros.bags.merge import in_order
from alpamayo_ros.bags.pack import unpack
from alpamayo_ros.bags.parts import Damage


@dataclass(frozen=True, slots=True)
class Recovered:
    """Messages by topic that were saved, and the damage that ended them ('' : there was none)."""

    counts: Counter[str]
    damage: str


def recover(
    source: Path, out: Path, progress: Callable[[int], None] = lambda _: None
) -> Recovered:
    """Copy every message before the first damage of each file into ``out`` (.mcap), byte for byte.

    QoS profiles are not kept; an incident goes on being one.  ValueError where ``out`` exists or
    is no .mcap.
    """
    if out.suffix != '.mcap' or out.exists():
        raise ValueError(f'{out}: expected the name of an .mcap that does not exist yet')
    counts: Counter[str] = Counter()
    damage: list[str] = []
    with _writing(out) as writer:
        try:
            _copy(source, writer, counts, damage, progress)
        except Damage as error:
            damage.append(str(error))
        texts = {'origin': 'recovered', 'source': source.name}
        writer.note(ABOUT, (_incident(source) or texts) | {'damage': '; '.join(damage)})
        writer.close()
    return Recovered(counts, '; '.join(damage))


def _incident(source: Path) -> dict[str, str]:
    """What an incident says of itself, as far as it can be read; nothing for any other bag."""
    try:
        file = McapFile(source)
    except (OSError, ValueError, Damage):
        return {}
    try:
        said = file.notes(ABOUT)
    except ValueError:
        return {}
    finally:
        file.close()
    return said if said.get('origin') == INCIDENT else {}


def _copy(
    source: Path,
    writer: McapWriter,
    counts: Counter[str],
    damage: list[str],
    progress: Callable[[int], None],
) -> None:
    channels: dict[str, int] = {}
    with open_recording(source) as recording:
        for _, file in in_order(recording.files):
            try:
                storage = open_file(file)
                for stored in storage.messages(lambda _: True):
                    topic = stored.topic
                    if topic.name not in channels:
                        channels[topic.name] = writer.channel(topic)
                    data = unpack(stored.data, 'zstd') if recording.packed else stored.data
                    writer.write(channels[topic.name], stored.time_ns, data)
                    counts[topic.name] += 1
                    progress(counts.total())
                storage.close()
            except (Damage, ValueError) as error:
                damage.append(f'{file.name}: {error}')
        if recording.wrong is not None:
            damage.append(str(recording.wrong))


@contextmanager
def _writing(out: Path) -> Iterator[McapWriter]:
    """A writer of ``out``, which has its name when it is whole; an exception leaves nothing.

    Until then it lies in a folder of its own: ``out`` + ``.part`` may be what is being read.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix='.bag-') as folder:
        unfinished = Path(folder) / out.name
        with unfinished.open('wb') as file:
            yield McapWriter(file)
        unfinished.replace(out)
