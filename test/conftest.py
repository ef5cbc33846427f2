"""Shared set-up of the tests: shape types checked at run time, recorded data, one ROS domain a
test.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from jaxtyping import install_import_hook

from alpamayo_ros import environment

ROOT = Path(__file__).resolve().parents[1]
CHECKED = ('types', 'pipeline', 'sensing', 'motion', 'safety', 'evaluation')
DOMAINS = 100  # Fast DDS needs ids up to 101 on Linux; 0 is everybody's default

environment.apply()
install_import_hook([f'alpamayo_ros.{name}' for name in CHECKED], 'beartype.beartype')
hypothesis.settings.register_profile('repository', deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile('repository')
_domain = itertools.count(os.getpid())


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
def repository() -> Path:
    """Root of the source tree."""
    return ROOT


@pytest.fixture(autouse=True)
def ros_domain(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> int:
    """A ROS domain id of its own for every test, and a log folder that goes away with it."""
    domain = next(_domain) % DOMAINS + 1
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path_factory.getbasetemp() / 'ros_log'))
    return domain


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
