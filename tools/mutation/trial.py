"""Tries the mutants of one file: one pytest that forks a child a mutant.

Everything that does not depend on the file is imported once, before the forks; a child imports
the mutant and what depends on it, and ends at the first test that fails.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, ModuleType

import hypothesis
import pytest
from mutants import Mutant, Source

SURVIVED, KILLED, UNSURE, INTERRUPTED = 0, 1, 3, 4  # exit status of a child
VERDICTS = {SURVIVED: 'survived', UNSURE: 'unsure'}  # others, signals too: it is killed
PHASES = (hypothesis.Phase.explicit, hypothesis.Phase.generate)  # a failure is not made small
EXAMPLES = 20  # of a property
LEAST_CPU_S = 20.0  # what a mutant may use, or ten times what the tests use: more is a hang
MEMORY_BYTES = 8 << 30
OPTIONS = ('-x', '-s', '-q', '-p', 'no:cacheprovider', '-o', 'addopts=', '-m', 'not slow')
Tell = Callable[[Mutant | None, str, float], None]


@dataclass
class Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads ``code`` as the module ``name``; while there is none, importing it fails."""

    name: str
    path: Path
    code: CodeType | None = None
    loaded: bool = False

    def find_spec(
        self, name: str, path: object, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module under mutation is found here, every other one elsewhere."""
        if name != self.name:
            return None
        if self.code is None:
            raise ImportError(f'{name} is imported by the children')
        return importlib.util.spec_from_loader(name, self, origin=str(self.path))

    def exec_module(self, module: ModuleType) -> None:
        """Run the mutant."""
        assert self.code is not None  # ``find_spec`` saw to it
        self.loaded = True
        module.__file__ = str(self.path)
        exec(self.code, module.__dict__)  # noqa: S102  the project's own source, changed


@dataclass(eq=False)
class Trial:
    """A pytest plugin.  ``tell`` gets each verdict; that of None, which changes nothing, first."""

    source: Source
    waiting: Sequence[Mutant]
    loader: Loader
    scratch: Path
    jobs: int
    tell: Tell
    running: dict[int, tuple[Mutant | None, Path]] = field(default_factory=dict)
    failed: bool = False
    interrupted: bool = False

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        """conftest.py is loaded: fork, and only children go on from here."""
        hypothesis.settings.register_profile('mutation', max_examples=EXAMPLES, phases=PHASES)
        hypothesis.settings.load_profile('mutation')
        sys.meta_path.insert(0, self.loader)
        if self._begin(None, 10 * LEAST_CPU_S):
            return
        seconds, verdict = self._end()
        if verdict != 'survived':
            os._exit(KILLED)
        _import_all((self.scratch / 'modules').read_text().split())
        for mutant in self.waiting:
            while len(self.running) >= self.jobs:
                self._end()
            if self._begin(mutant, max(LEAST_CPU_S, 10 * seconds)):
                return
        while self.running:
            self._end()
        os._exit(0)

    def _begin(self, mutant: Mutant | None, cpu_s: float) -> bool:
        """Fork; True in the child."""
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        pid = os.fork()
        if pid:
            self.running[pid] = mutant, folder
            return False
        os.environ['PYTEST_DEBUG_TEMPROOT'] = str(folder)
        resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_s), int(cpu_s) + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        self.loader.code = self.source.code(mutant)
        return True

    def _end(self) -> tuple[float, str]:
        """CPU time and verdict of the next child that ends."""
        pid, status, used = os.wait4(-1, 0)
        mutant, folder = self.running.pop(pid)
        shutil.rmtree(folder, ignore_errors=True)
        code = os.waitstatus_to_exitcode(status)
        if code == INTERRUPTED:
            os._exit(INTERRUPTED)
        verdict, seconds = VERDICTS.get(code, 'killed'), used.ru_utime + used.ru_stime
        self.tell(mutant, verdict, seconds)
        return seconds, verdict

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that failed has killed the mutant."""
        self.failed |= report.failed

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """So has a test file that cannot be imported with it."""
        self.failed |= report.failed

    def pytest_keyboard_interrupt(self) -> None:
        """No verdict, unless a test failed: pytest ends so too when a file cannot be imported."""
        self.interrupted = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """A child exits with its verdict; that without a mutant says what it imported."""
        modules = self.scratch / 'modules'
        if not modules.exists():
            modules.write_text('\n'.join(sys.modules))
        if self.failed:
            os._exit(KILLED)
        if self.interrupted:
            os._exit(INTERRUPTED)
        os._exit(SURVIVED if self.loader.loaded and not exitstatus else UNSURE)


def _import_all(names: Sequence[str]) -> None:
    """What the tests use, except for what depends on the module under mutation."""
    for name in names:
        if not name.startswith(('test_', '__')):
            with contextlib.suppress(ImportError):
                importlib.import_module(name)


def try_mutants(
    source: Source,
    module: str,
    waiting: Sequence[Mutant],
    tests: list[str],
    jobs: int,
    tell: Tell,
    log: Path,
) -> int:
    """Run ``tests`` against each of ``waiting``: 0, or 1 when they fail without a mutant.

    In a process of its own, so that the next file finds nothing imported; it writes to ``log``.
    """
    with tempfile.TemporaryDirectory(prefix='mutation_') as scratch:
        pid = os.fork()
        if not pid:
            file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
            os.dup2(file, 1)
            os.dup2(file, 2)
            loader = Loader(module, source.path)
            trial = Trial(source, waiting, loader, Path(scratch), jobs, tell)
            os._exit(int(pytest.main([*OPTIONS, *tests], plugins=[trial])))
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
