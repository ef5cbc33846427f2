"""Workers on a ray cluster (``--ray``): each an actor that holds one worker process on its node.

The optional extra ``ray``; address from RAY_ADDRESS, else ray starts on this machine alone.  The
same package and model must be installed on every node: a worker whose code or model differs is
refused, so rows are those of one machine.
"""

from __future__ import annotations

import os
from typing import Any

from alpamayo_ros.simulation.batch.journal import Job, code_sha256
from alpamayo_ros.simulation.batch.local_worker import Process
from alpamayo_ros.simulation.batch.pool import BatchError, WorkerLost
from alpamayo_ros.simulation.batch.task import Task

MISSING = (
    'expected the Python package ray for --ray, found none; type: pip install -r '
    'requirements/ray.txt'
)


class Actor:
    """What runs on a node: a worker process and the answers of it; errors are answers too."""

    def __init__(self, task_json: str) -> None:
        self._process: Process | None = None
        self._hello: dict[str, Any] = {'code_sha256': code_sha256()}
        try:
            self._process = Process(Task.from_json(task_json))
            self._hello['identity'] = self._process.identity
        except (BatchError, OSError) as error:
            self._hello['error'] = str(error)

    def hello(self) -> dict[str, Any]:
        """Hash of the code here, and the planner's identity or an ``error``."""
        return self._hello

    def drive(self, job_json: str) -> dict[str, Any]:
        """``row``, or ``error`` and whether the worker was ``lost``."""
        assert self._process is not None
        try:
            return {'row': self._process.drive(Job.from_json(job_json))}
        except BatchError as error:
            return {'error': str(error), 'lost': isinstance(error, WorkerLost)}


class Cluster:
    """A connection to ray; ``connect`` makes a worker there.  Use it in a ``with``."""

    def __init__(self, task: Task) -> None:
        os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')  # it would report to its makers
        try:
            import ray
        except ImportError as error:
            raise BatchError(MISSING) from error
        self._ray: Any = ray
        self._task = task
        address = os.environ.get('RAY_ADDRESS')
        options: dict[str, Any] = {} if address else {'include_dashboard': False}
        try:
            ray.init(address=address, ignore_reinit_error=True, **options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise BatchError(f'no ray cluster at {address or "this machine"}: {error}') from error
        self.cores = max(1, int(ray.cluster_resources().get('CPU', 1)))

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self._ray.shutdown()

    def connect(self) -> RayWorker:
        """A worker on any node with a free core."""
        return RayWorker(self._ray, self._task)


class RayWorker:
    """See ``pool.Worker``."""

    def __init__(self, ray: Any, task: Task) -> None:
        self._ray = ray
        self._actor = ray.remote(num_cpus=1)(Actor).remote(task.to_json())
        hello = self._get(self._actor.hello.remote())
        if 'error' in hello or hello['code_sha256'] != code_sha256():
            self.close()
            other = 'a node has other code than this machine: install the same version everywhere'
            raise BatchError(hello.get('error', other))
        self.identity: dict[str, Any] = hello['identity']

    def _get(self, reference: Any) -> dict[str, Any]:
        """An answer; WorkerLost when its actor or node is gone."""
        try:
            answer: dict[str, Any] = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            raise WorkerLost(f'a worker of the cluster is lost: {error}') from error
        return answer

    def drive(self, job: Job) -> dict[str, Any]:
        """The row of one drive."""
        answer = self._get(self._actor.drive.remote(job.to_json()))
        if 'error' in answer:
            raise (WorkerLost if answer['lost'] else BatchError)(answer['error'])
        row: dict[str, Any] = answer['row']
        return row

    def close(self) -> None:
        """End the actor; its process dies with it."""
        self._ray.kill(self._actor)
