"""What the tests share: shape types checked at run time, recorded data, a ROS domain each."""

from __future__ import annotations

import fcntl
import gc
import importlib.util
import itertools
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest
from jaxtyping import install_import_hook

from alpamayo_ros import environment

ROOT = Path(__file__).resolve().parents[1]
CHECKED = ('types', 'pipeline', 'sensing', 'motion', 'safety', 'bags', 'datasets')
CHECKED += ('film', 'metrics', 'recording', 'replay', 'reports', 'viewer')
LIVE = ('ros', 'processes')  # markers of tests in which other processes have a say
DOMAINS = 100  # Fast DDS needs ids up to 101 on Linux; 0 is everybody's default

# Threads of two workers that wait for each other in turns on two cores: a test of torch that takes
# 2 s of one took 81.
if 'PYTEST_XDIST_WORKER' in os.environ:
    os.environ.setdefault('OMP_NUM_THREADS', '1')
# Started in the background of a script, Ctrl-C is ignored, and every child would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
environment.apply()
install_import_hook([f'alpamayo_ros.{name}' for name in CHECKED], 'beartype.beartype')
hypothesis.settings.register_profile('repository', deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile('repository')
_domain = itertools.count(os.getpid())


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is loaded for the tests stays to the end: nothing of it is searched for garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked ``nightly``, unless ``-m`` speaks of it; live tests may try twice.

    Only where ``--max-suite-reruns`` says how many such tries there may be in all.
    """
    if config.getoption('max_suite_reruns', None):
        for item in items:
            if any(item.get_closest_marker(name) for name in LIVE):
                item.add_marker(pytest.mark.flaky(reruns=1))
    if 'nightly' in config.option.markexpr:
        return
    late = [item for item in items if item.get_closest_marker('nightly')]
    if late:
        config.hook.pytest_deselected(items=late)
        items[:] = [item for item in items if not item.get_closest_marker('nightly')]


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """``shared_data('surround_dgp')``: that folder of recorded data, or a skip that names it."""
    root = Path(os.environ.get('ALPAMAYO_SHARED') or ROOT.parent / 'shared' / 'data')

    def find(name: str) -> Path:
        path = root / name
        if not path.exists():
            pytest.skip(f'recorded data {path} is not here; set ALPAMAYO_SHARED to its folder')
        return path

    return find


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file of this process may grow beyond 4 kB: writes fall short, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def repository() -> Path:
    """Root of the source tree."""
    return ROOT


@pytest.fixture
def tools() -> Callable[[str], ModuleType]:
    """Loads a script of ``tools/`` by its name: they are no package."""
    return _tool


@cache
def _tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / 'tools' / f'{name}.py')
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # a dataclass looks for its module
    spec.loader.exec_module(module)
    return module


@contextmanager
def _own_domain(logs: Path) -> Iterator[int]:
    for domain in (next(_domain) % DOMAINS + 1 for _ in range(DOMAINS)):
        lock = (Path(tempfile.gettempdir()) / f'alpamayo_domain_{os.getuid()}_{domain}').open('w')
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            lock.close()  # another test run is in it
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('ROS_DOMAIN_ID', str(domain))
        patch.setenv('ROS_LOG_DIR', str(logs))
        yield domain
    lock.close()


@pytest.fixture(autouse=True)
def ros_domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A ROS domain id of its own for every test, and a log folder that goes away with it.

    Also when several test runs share the machine.
    """
    with _own_domain(tmp_path_factory.getbasetemp() / 'ros_log') as domain:
        yield domain


@pytest.fixture(scope='module')
def module_domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The same for what the tests of a module share."""
    with _own_domain(tmp_path_factory.getbasetemp() / 'ros_log') as domain:
        yield domain


@pytest.fixture
def rclpy_context(ros_domain: int) -> Iterator[object]:
    """An initialised rclpy context in the test's own domain; shut down afterwards."""
    rclpy = pytest.importorskip(
        'rclpy', reason='rclpy is not installed: ./run setup or source ROS 2'
    )
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=ros_domain)
    yield context
    context.try_shutdown()
