"""What was true at each instant of a simulated drive, to judge its words by: ``facts.jsonl``.

The simulator writes it into the folder of the recording when the drive has ended; no topic carries
it, so no planner can read it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

FACTS = 'facts.jsonl'


@dataclass(frozen=True, slots=True)
class SceneFacts:
    """The truth of the pictures of t0.

    ``true``: facts by subject, those of ``metrics.language.coc_facts``; 'manoeuvre' is missing
    where the drive ended before it was over.  ``unjudged``: of which nothing need be said, and
    may.  ``bend_1pm``: the sharpest curvature of the way within 20 m, positive to the left.
    ``gap_m``: bumper to bumper to the vehicle ahead, None where there is none within 60 m.
    """

    t0_ns: int
    true: dict[str, list[str]]
    unjudged: dict[str, list[str]]
    bend_1pm: float
    gap_m: float | None


def write(folder: Path, records: Iterable[SceneFacts]) -> None:
    """One line an instant, into the folder of a recording, which is made where it is missing."""
    lines = [json.dumps(asdict(r), separators=(',', ':')) + '\n' for r in records]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FACTS).write_text(''.join(lines), encoding='utf-8')


def read(folder: Path) -> dict[int, SceneFacts]:
    """The records of a recording by their t0; empty where nobody kept them.

    ValueError: the file is damaged.
    """
    path = folder / FACTS
    if not path.is_file():
        return {}
    try:
        found = [SceneFacts(**json.loads(line)) for line in path.read_text('utf-8').splitlines()]
    except (ValueError, TypeError) as error:
        raise ValueError(f'{path} is damaged ({error}); record the drive again') from error
    return {facts.t0_ns: facts for facts in found}
