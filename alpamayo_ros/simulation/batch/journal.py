"""Finished rows on disk, a line each, so that a batch of drives survives whatever stops it.

The first line names all that every row depends on (task, model, code); a row's own scenario and
seed are its key.  A line is written whole and handed to the operating system before the next
drive ends, so that ``kill -9`` loses at most the drives in progress.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from alpamayo_ros.bags.whole_file import write_whole
from alpamayo_ros.datasets.log_format import log_path
from alpamayo_ros.profile import share_dir
from alpamayo_ros.simulation.scenario import Scenario

PACKAGE = Path(__file__).parents[2]
# What decides a drive: code by folder, numbers by file.  Reports and commands may change freely.
CODE = ('simulation', 'sensing', 'motion', 'safety', 'runtime', 'metrics')
CODE_FILES = ('pipeline.py', 'noise.py', 'types.py', 'profile.py')
NUMBERS = ('limits.param.yaml', 'rigs/*.yaml', 'profiles/*.yaml', 'maps/*', 'prompts.yaml')
STALE = '.stale'


@dataclass(frozen=True)
class Job:
    """One drive: a scenario and a seed.  ``record``: folder for a recording of it, '' for none."""

    scenario: Scenario
    seed: int
    record: str = ''

    @cached_property
    def template(self) -> str:
        """Hash of the scenario's content, 16 digits.

        Of what it says (not what it leaves to defaults, so that a new field of the schema changes
        none) and of its recorded log, not of where that lies.
        """
        said = self.scenario.model_dump(mode='json', exclude_defaults=True)
        if self.scenario.traffic.log:
            log = log_path(self.scenario.traffic.log)
            said['traffic']['log'] = hashlib.sha256(log.read_bytes()).hexdigest()
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def key(self) -> str:
        """Names the drive by its content: the same key, the same row."""
        return f'{self.scenario.name}/{self.seed}/{self.template}'

    def to_json(self) -> str:
        """One line for a worker, which needs no scenario file of its own."""
        scenario = self.scenario.model_dump(mode='json')
        return json.dumps({'scenario': scenario, 'seed': self.seed, 'record': self.record})

    @staticmethod
    def from_json(line: str) -> Job:
        """What ``to_json`` wrote."""
        parts = json.loads(line)
        return Job(Scenario.model_validate(parts['scenario']), parts['seed'], parts['record'])


@lru_cache(maxsize=1)
def code_sha256() -> str:
    """Hash of the code and the numbers that decide a drive, for journals and other machines."""
    files = [p for folder in CODE for p in (PACKAGE / folder).rglob('*.py')]
    files += [PACKAGE / name for name in CODE_FILES]
    files += [p for pattern in NUMBERS for p in (share_dir() / 'config').glob(pattern)]
    digest = hashlib.sha256()
    for path in sorted(p for p in files if p.is_file()):
        digest.update(path.name.encode() + b'\0' + path.read_bytes())
    return digest.hexdigest()


class Journal:
    """Finished rows by key; ``path`` None keeps nothing.

    ``stale``: where rows of other settings were moved that lay at ``path``, None if there were
    none.
    """

    def __init__(self, path: Path | None, head: dict[str, Any]) -> None:
        self.path, self.rows = path, dict[str, dict[str, Any]]()
        self.stale: Path | None = None
        if path is None:
            return
        first = json.dumps(head, sort_keys=True)
        lines = path.read_text().splitlines() if path.is_file() else []
        if lines and lines[0] == first:
            self.rows = dict(filter(None, map(_row, lines[1:])))
        elif len(lines) > 1:
            self.stale = path.with_name(path.name + STALE)
            os.replace(path, self.stale)
        whole = [first, *(_line(key, row) for key, row in self.rows.items())]
        write_whole(path, '\n'.join(whole) + '\n')

    def add(self, key: str, row: dict[str, Any]) -> None:
        """Keep one row; OSError names the journal."""
        self.rows[key] = row
        if self.path is None:
            return
        try:
            with self.path.open('a') as file:
                file.write(_line(key, row) + '\n')
        except OSError as error:
            error.filename = str(self.path)
            raise

    def finish(self) -> None:
        """Remove the file: the rows stand elsewhere now."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def _line(key: str, row: dict[str, Any]) -> str:
    return json.dumps({'key': key, **row})


def _row(line: str) -> tuple[str, dict[str, Any]] | None:
    """Key and row of a line; None where it was cut off."""
    try:
        row: dict[str, Any] = json.loads(line)
        return str(row.pop('key')), row
    except (json.JSONDecodeError, KeyError, AttributeError):
        return None
