"""Who may import what, as far as the import graph's contracts (``./run lint``) cannot show it."""

import pkgutil
import subprocess
import sys

import pytest

import alpamayo_ros

RUN_TIME = ('bringup', 'environment', 'faults', 'model_process', 'motion', 'nodes', 'pipeline')
RUN_TIME += ('profile', 'runtime', 'safety', 'sensing', 'simulation', 'types')
NEEDS_TORCH = ('runtime.torch_runtime', 'runtime.torch_cuda.')
# of the vendor's own process
CHILD = ('drawn', 'engine', 'expert', 'language', 'load', 'own', 'timing', 'tower')
NEEDS_TORCH += tuple(f'runtime.nvidia.child.{name}' for name in CHILD)
SHOWN = ('bags', 'datasets', 'film', 'metrics', 'recording', 'replay', 'reports', 'viewer')


def modules(tops: tuple[str, ...]) -> list[str]:
    """Every module below the given top-level names, except those whose purpose is torch."""
    found = [m.name for m in pkgutil.walk_packages(alpamayo_ros.__path__, 'alpamayo_ros.')]
    short = [name.removeprefix('alpamayo_ros.') for name in found]
    return [n for n in short if n.split('.')[0] in tops and not n.startswith(NEEDS_TORCH)]


def loaded_by(names: list[str], *packages: str) -> set[str]:
    """Which of ``packages`` a fresh process has loaded after importing all ``names``."""
    code = (
        'import importlib, sys\n'
        f'for name in {names!r}: importlib.import_module("alpamayo_ros." + name)\n'
        f'print(*(p for p in {packages!r} if p in sys.modules))'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def test_the_run_time_path_loads_no_torch() -> None:
    names = modules(RUN_TIME)
    assert 'nodes.planner' in names and 'pipeline' in names
    assert loaded_by(names, 'torch', 'alpamayo_ros.nodes') == {'alpamayo_ros.nodes'}


def test_the_core_loads_no_ros() -> None:
    names = modules((*(top for top in RUN_TIME if top != 'nodes'), 'cli', *SHOWN))
    found = loaded_by(names, 'rclpy', 'alpamayo_ros.msg', 'alpamayo_ros.pipeline')
    assert found == {'alpamayo_ros.pipeline'}


def test_a_node_starts_without_what_is_checked_before_the_graph() -> None:
    """They start all at once; bags, scenarios and tokens were a fifth of what that took."""
    names = ('egomotion', 'monitor', 'navigation', 'planner', 'trajectory')
    checked = ('alpamayo_ros.preflight', 'alpamayo_ros.simulation', 'cv2', 'mcap', 'tokenizers')
    assert loaded_by([f'nodes.{name}' for name in names], *checked) == set()


@pytest.mark.parametrize(('program', 'before'), [('-m', False), ('node', True)])
def test_a_node_looks_for_garbage_once_everything_is_loaded(program: str, before: bool) -> None:
    """``-m`` is what Python calls itself while it looks for the module to run."""
    code = (
        f'import gc, sys; sys.argv = [{program!r}]\n'
        'from alpamayo_ros import bringup, nodes\n'
        'print(gc.isenabled(), nodes.loaded(), gc.isenabled(), gc.get_freeze_count() > 10_000)'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stdout == f'{before} None True True\n', done.stderr
