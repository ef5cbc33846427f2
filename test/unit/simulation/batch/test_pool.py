"""Drives over several workers: order, lost workers, failures, interruption; with fake workers."""

import threading
import time
from pathlib import Path

import pytest

from alpamayo_ros.simulation.batch.journal import Job, Journal, code_sha256
from alpamayo_ros.simulation.batch.pool import BatchError, Pool, WorkerLost
from alpamayo_ros.simulation.scenario import Scenario


def job(name: str, seed: int = 0, duration_s: float = 10.0) -> Job:
    return Job(Scenario(name=name, description='', duration_s=duration_s), seed)


class Fake:
    """A worker that answers at once, fails or is lost as told."""

    identity = {'name': 'fake'}
    made: list['Fake'] = []

    def __init__(self, log: list[str], lost: tuple[str, ...] = (), bad: tuple[str, ...] = ()):
        self.log, self.lost, self.bad, self.closed = log, set(lost), bad, False
        Fake.made.append(self)

    def drive(self, job: Job) -> dict:
        self.log.append(job.scenario.name)
        if job.scenario.name in self.lost:
            raise WorkerLost('killed')
        if job.scenario.name in self.bad:
            raise BatchError('no road')
        return {'name': job.scenario.name, 'seed': job.seed}

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def none_made() -> None:
    Fake.made = []


def test_longest_first() -> None:
    log: list[str] = []
    jobs = [job('short', duration_s=5), job('long', duration_s=60), job('middle', duration_s=20)]
    with Pool(lambda: Fake(log), 1) as pool:
        pool.drive(jobs, lambda job, row: None)
    assert log == ['long', 'middle', 'short'] and all(f.closed for f in Fake.made)


def test_every_job_once_over_many_workers() -> None:
    log: list[str] = []
    jobs, done = [job(f'j{i}') for i in range(40)], []
    with Pool(lambda: Fake(log), 4) as pool:
        pool.drive(jobs, lambda job, row: done.append((job.scenario.name, row['name'])))
    assert sorted(log) == sorted(j.scenario.name for j in jobs)
    assert all(a == b for a, b in done) and len(done) == 40 and len(Fake.made) <= 4


def test_a_lost_worker_is_replaced_and_its_drive_tried_again() -> None:
    log: list[str] = []
    workers = iter([Fake(log, lost=('a',)), Fake(log)])
    done: list[str] = []
    told: list[str] = []
    with Pool(lambda: next(workers), 1) as pool:
        jobs = [job('a'), job('b')]
        pool.drive(jobs, lambda job, row: done.append(job.scenario.name), told.append)
    assert log == ['a', 'a', 'b'] and done == ['a', 'b'] and Fake.made[0].closed
    assert told == ['a, seed 0: killed; driven once more']


def test_a_drive_that_fails_does_not_stop_the_others() -> None:
    log: list[str] = []
    done: list[str] = []
    with (
        pytest.raises(BatchError, match=r'(?s)2 of 4 drives failed.*b, seed 7: no road.*killed'),
        Pool(lambda: Fake(log, lost=('c',), bad=('b',)), 1) as pool,
    ):
        jobs = [job('a'), job('b', 7), job('c'), job('d')]
        pool.drive(jobs, lambda job, row: done.append(job.scenario.name))
    assert done == ['a', 'd'] and log.count('c') == 2 and log.count('b') == 1


def test_a_single_drive_that_fails_is_not_counted() -> None:
    with (
        pytest.raises(BatchError, match='^the drive failed:\n  b, seed 7: no road'),
        Pool(lambda: Fake([], bad=('b',)), 1) as pool,
    ):
        pool.drive([job('b', 7)], lambda job, row: None)


def test_a_worker_that_is_another_one_is_refused() -> None:
    def connect() -> Fake:
        worker = Fake([], lost=('a',))
        worker.identity = {'name': f'fake {len(Fake.made)}'}
        return worker

    with pytest.raises(BatchError, match='another one'), Pool(connect, 1) as pool:
        pool.drive([job('a')], lambda job, row: None)
    assert all(f.closed for f in Fake.made)


def test_a_second_worker_that_cannot_start_ends_the_batch() -> None:
    def connect() -> Fake:
        if Fake.made:
            raise BatchError('no memory')
        return Fake([], lost=('a',))

    with pytest.raises(BatchError, match='no memory'), Pool(connect, 1) as pool:
        pool.drive([job('a'), job('b')], lambda job, row: None)


def test_an_interruption_closes_workers_that_are_driving() -> None:
    freed = threading.Event()

    class Slow(Fake):
        def drive(self, job: Job) -> dict:
            if job.scenario.name == 'slow':
                freed.wait(500)
                raise WorkerLost('killed')
            return super().drive(job)

        def close(self) -> None:
            super().close()
            freed.set()

    def interrupt(job: Job, row: dict) -> None:
        raise KeyboardInterrupt

    began = time.monotonic()
    jobs = [job('slow', duration_s=60), job('quick')]
    with pytest.raises(KeyboardInterrupt), Pool(lambda: Slow([]), 2) as pool:
        pool.drive(jobs, interrupt)
    assert time.monotonic() - began < 400 and all(f.closed for f in Fake.made)


# ---- the journal --------------------------------------------------------------------------------
def test_a_job_is_named_by_its_content() -> None:
    assert job('a').key == job('a').key and job('a').key != job('a', 1).key
    assert job('a').key != job('a', duration_s=11.0).key, 'a changed template is driven again'
    again = Job.from_json(job('a', 3).to_json())
    assert again == job('a', 3) and again.key == job('a', 3).key


def test_a_template_is_what_it_says_and_its_log_wherever_that_lies(tmp_path: Path) -> None:
    said = {'name': 'a', 'description': '', 'duration_s': 10.0}
    assert Job(Scenario(**said, goal_m=300.0), 0).key == job('a').key, 'a default says nothing'

    def logged(path: Path, text: str) -> str:
        path.write_text(text)
        return Job(Scenario(**said, map='log', traffic={'log': str(path)}), 0).key

    assert logged(tmp_path / 'x.json', '1') == logged(tmp_path / 'y.json', '1')
    assert logged(tmp_path / 'x.json', '2') != logged(tmp_path / 'y.json', '1')


def test_rows_survive_a_cut_and_other_settings_are_put_aside(tmp_path: Path) -> None:
    path = tmp_path / 'journal.jsonl'
    kept = Journal(path, {'task': 1})
    kept.add('a', {'seed': 1, 'x': 0.1})
    kept.add('b', {'seed': 2, 'x': 0.2})
    whole = path.read_text()
    for cut in range(len(whole.splitlines()[0]) + 1, len(whole)):
        path.write_text(whole[:cut])
        rows = Journal(path, {'task': 1}).rows
        assert set(rows) <= {'a', 'b'} and all(r['x'] in (0.1, 0.2) for r in rows.values())
    path.write_text(whole)
    other = Journal(path, {'task': 2})
    assert not other.rows and other.stale is not None and other.stale.read_text() == whole
    other.finish()
    assert not path.exists()


def test_the_code_has_one_hash() -> None:
    assert code_sha256() == code_sha256() and len(code_sha256()) == 64
