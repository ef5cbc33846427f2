"""Workers on a ray cluster, with a stand-in for ray that calls at once (ray is an extra)."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from alpamayo_ros.simulation.batch import cluster, suite
from alpamayo_ros.simulation.batch.batch import Execution
from alpamayo_ros.simulation.batch.pool import BatchError, Pool
from alpamayo_ros.simulation.batch.task import Task

TEMPLATE = """
name: {name}
description: a short drive
duration_s: 3
goal_m: {goal_m}
start: {{arc_m: 10, speed_mps: 5}}
traffic: {{oncoming: false}}
"""


class RayError(Exception):
    pass


class StandIn:
    """The part of ray that ``cluster`` uses; an actor is an object of this process."""

    exceptions = SimpleNamespace(RayError=RayError)

    def __init__(self) -> None:
        self.asked: dict = {}
        self.killed: list = []
        self.lose_after = 10**9
        self.closed = False

    def init(self, **options: object) -> None:
        self.asked = options

    def cluster_resources(self) -> dict:
        return {'CPU': 2.0}

    def remote(self, **options: object):
        assert options == {'num_cpus': 1}
        return lambda kind: SimpleNamespace(remote=lambda *words: self._actor(kind(*words)))

    def _actor(self, made: cluster.Actor) -> SimpleNamespace:
        calls = {
            name: SimpleNamespace(remote=lambda *words, n=name: (made, n, words))
            for name in ('hello', 'drive')
        }
        return SimpleNamespace(made=made, **calls)

    def get(self, reference: tuple) -> dict:
        made, name, words = reference
        self.lose_after -= name == 'drive'
        if name == 'drive' and self.lose_after == 0:
            raise RayError('the node is gone')
        return getattr(made, name)(*words)

    def kill(self, actor: SimpleNamespace) -> None:
        self.killed.append(actor)
        if actor.made._process is not None:
            actor.made._process.close()

    def shutdown(self) -> None:
        self.closed = True


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    made = StandIn()
    monkeypatch.setitem(sys.modules, 'ray', made)
    monkeypatch.delenv('RAY_ADDRESS', raising=False)
    return made


@pytest.fixture
def jobs(tmp_path: Path) -> list:
    for name, goal_m in (('a', 6), ('b', 9)):
        (tmp_path / f'{name}.yaml').write_text(TEMPLATE.format(name=name, goal_m=goal_m))
    return suite.jobs(suite.templates(str(tmp_path)), [0, 1])


def test_the_same_rows_as_here_although_a_node_is_lost(ray: StandIn, jobs: list) -> None:
    task = Task('', 'straight')
    ray.lose_after = 2
    with cluster.Cluster(task) as found:
        assert found.cores == 2
        there = suite.run(task, jobs, Execution(2, connect=found.connect))
    assert there == suite.run(task, jobs)
    assert len(ray.killed) >= 2 and ray.closed and ray.asked['address'] is None


def test_a_node_with_other_code_is_refused(
    ray: StandIn, jobs: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster.Actor, 'hello', lambda self: {'code_sha256': 'x', 'identity': {}})
    task = Task('', 'straight')
    with (
        cluster.Cluster(task) as found,
        pytest.raises(BatchError, match='other code'),
        Pool(found.connect, 1),
    ):
        pass


def test_a_model_that_is_not_on_the_node_is_named(ray: StandIn, tmp_path: Path) -> None:
    task = Task('', 'onnx', model=str(tmp_path / 'nothing'))
    with cluster.Cluster(task) as found, pytest.raises(BatchError, match='nothing'):
        found.connect()


def test_without_ray_the_error_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'ray', None)
    with pytest.raises(BatchError, match='pip install'):
        cluster.Cluster(Task('', 'straight'))


def test_a_cluster_that_is_not_there_is_named(
    ray: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**options: object) -> None:
        raise ConnectionError('refused')

    monkeypatch.setattr(ray, 'init', refuse)
    monkeypatch.setenv('RAY_ADDRESS', '10.0.0.1:6379')
    with pytest.raises(BatchError, match='10.0.0.1'):
        cluster.Cluster(Task('', 'straight'))
