"""Mutation of the safety code: do the tests notice when a line of it is changed?

    ./run mutate                             every file of tools/mutation/targets.toml
    ./run mutate safety/gate.py limits.py    files whose path ends so
    ./run mutate --fresh                     forget the verdicts in out/mutation

A run that was stopped goes on where it was: verdicts stay valid until the file, its tests or
test/support change.  1 when a file is below the bar, 2 when nothing can be said.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mutants import Key, Mutant, Source

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
RESULTS = ROOT / 'out' / 'mutation'


@dataclass
class Target:
    """A file, its tests, and the verdicts there are: of mutants by key."""

    name: str
    tests: list[str]
    source: Source
    equivalent: dict[Key, str]
    verdicts: dict[Key, str] = field(default_factory=dict)

    @cached_property
    def results(self) -> Path:
        """Where verdicts are kept, a line each; named by what they depend on most."""
        names = (self.name, *self.tests, 'test/conftest.py')
        files = [*(ROOT / name for name in names), *sorted((ROOT / 'test/support').glob('*.py'))]
        digest = hashlib.sha256(b'\0'.join(path.read_bytes() for path in files)).hexdigest()
        return RESULTS / f'{self.name.replace("/", ".")}.{digest[:16]}.jsonl'

    @property
    def log(self) -> Path:
        """What pytest said."""
        return RESULTS / f'{self.name.replace("/", ".")}.log'

    def of(self, verdict: str) -> list[Mutant]:
        """The mutants with that verdict."""
        return [m for m in self.source.mutants if self.verdicts.get(m.key) == verdict]

    @property
    def survivors(self) -> list[Mutant]:
        """Those that a test should kill."""
        alive = [*self.of('survived'), *self.of('unsure')]
        return [m for m in alive if m.key not in self.equivalent]

    @property
    def stale(self) -> list[Key]:
        """Entries of equivalent.toml whose mutant is killed or is not there."""
        alive = {m.key for m in self.of('survived')}
        return [key for key in self.equivalent if key not in alive]

    @property
    def counted(self) -> int:
        """Mutants that can be killed."""
        return len(self.source.mutants) - len(self.equivalent)

    @property
    def share(self) -> float:
        """Share of them that is."""
        return 1.0 - len(self.survivors) / self.counted if self.counted else 1.0


def read_targets(words: list[str], fresh: bool) -> tuple[list[Target], float]:
    """The targets whose path ends as one of ``words`` (all without words), and the bar."""
    table = tomllib.loads((HERE / 'targets.toml').read_text())
    entries = tomllib.loads((HERE / 'equivalent.toml').read_text()).get('equivalent', [])
    names = [n for n in table['tests'] if not words or n.endswith(tuple(words))]
    if not names:
        known = '\n  '.join(table['tests'])
        raise LookupError(f'no file ends in {" or ".join(words)}; there are\n  {known}')
    RESULTS.mkdir(parents=True, exist_ok=True)
    targets = []
    for name in names:
        mine = {_key(e): e['reason'] for e in entries if e['file'] == name}
        target = Target(name, table['tests'][name], Source(ROOT / name), mine)
        if fresh:
            target.results.unlink(missing_ok=True)
        if target.results.exists():
            lines = target.results.read_text().splitlines()
            target.verdicts = {tuple(json.loads(w)[0]): json.loads(w)[1] for w in lines}
        targets.append(target)
    return targets, float(table['bar'])


def _key(entry: dict[str, Any]) -> Key:
    return entry['function'], entry['before'], entry['after'], entry.get('nth', 0)


def run(target: Target, jobs: int) -> bool:
    """Try the mutants that have no verdict yet; False when the tests fail without a mutant."""
    waiting = [m for m in target.source.mutants if m.key not in target.verdicts]
    if not waiting:
        return True
    screen, total = os.fdopen(os.dup(2), 'w'), len(target.source.mutants)

    def tell(mutant: Mutant | None, verdict: str, seconds: float) -> None:
        if mutant is None:
            words = f'{target.name}: the tests take {seconds:.1f} s'
        else:
            target.verdicts[mutant.key] = verdict
            with target.results.open('a') as file:
                file.write(json.dumps([mutant.key, verdict, round(seconds, 2)]) + '\n')
            alive = len(target.survivors)
            words = f'{target.name}: {len(target.verdicts)} of {total}, {alive} survive'
        if screen.isatty():
            print(f'\r{words}\033[K', end='', file=screen, flush=True)
        elif len(target.verdicts) % 20 == 0 or verdict != 'killed':
            print(words, file=screen, flush=True)

    from trial import try_mutants  # imports pytest, with the variables that ``main`` set

    module = '.'.join(Path(target.name).with_suffix('').parts)
    status = try_mutants(target.source, module, waiting, target.tests, jobs, tell, target.log)
    if screen.isatty():
        print(file=screen)
    lines = target.results.read_text().splitlines() if target.results.exists() else []
    target.verdicts = {tuple(json.loads(line)[0]): json.loads(line)[1] for line in lines}
    return status == 0


def report(targets: list[Target], bar: float) -> int:
    """Print the table and the survivors; 1 when a file is below the bar or an entry is stale."""
    print(f'{"file":50} {"killed":>6} {"of":>5} {"share":>6}  equivalent')
    for t in targets:
        mark = '' if t.share >= bar else f'  below {bar:.0%}'
        killed = len(t.of('killed'))
        print(f'{t.name:50} {killed:6} {t.counted:5} {t.share:6.1%}  {len(t.equivalent)}{mark}')
    for t in targets:
        for m in t.survivors:
            print(f'{t.name}:{m.line} {m.function}: {m.before}  ->  {m.after}')
    stale = [(t.name, key) for t in targets for key in t.stale]
    for name, (function, before, after, _) in stale:
        print(f'{name} {function}: {before}  ->  {after}  is listed and does not survive')
    return int(bool(stale) or any(t.share < bar for t in targets))


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(
        prog='./run mutate', description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('files', nargs='*')
    parser.add_argument('--fresh', action='store_true', help='try every mutant again')
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), help='at a time')
    given = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    os.environ.update({f'{name}_NUM_THREADS': '1' for name in ('OMP', 'OPENBLAS')})
    targets, bar = read_targets(given.files, given.fresh)
    for target in targets:
        if not run(target, given.jobs):
            words = f'the tests of {target.name} fail without a mutant'
            print(f'mutate: {words}, or pytest broke: {target.log.relative_to(ROOT)}')
            return 2
    return report(targets, bar)


if __name__ == '__main__':
    try:
        status = main()
    except (LookupError, KeyboardInterrupt) as error:
        print(
            f'\nmutate: {error or "stopped; the same command goes on from here"}', file=sys.stderr
        )
        status = 2
    sys.exit(status)
