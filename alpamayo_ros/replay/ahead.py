"""Work that runs ahead of its consumer, in a thread, in order, at most so many items ahead."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar('T')
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException


class _End:
    pass


def ahead(items: Iterable[T], depth: int) -> Generator[T, None, None]:
    """The same items in the same order, made by a thread at most ``depth`` ahead.

    An exception of ``items`` is raised here.  Closing the iterator ends the thread.
    """
    waiting: queue.Queue[T | _Failed | _End] = queue.Queue(depth)
    stop = threading.Event()

    def put(item: T | _Failed | _End) -> None:
        while not stop.is_set():
            try:
                return waiting.put(item, timeout=POLL_S)
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                put(item)
                if stop.is_set():
                    return
            put(_End())
        except BaseException as error:  # noqa: BLE001  (raised again by the consumer)
            put(_Failed(error))

    thread = threading.Thread(target=work, name='ahead', daemon=True)
    thread.start()
    try:
        while True:
            item = waiting.get()
            if isinstance(item, _End):
                return
            if isinstance(item, _Failed):
                raise item.error
            yield item
    finally:
        stop.set()
        thread.join()


class Inline(Generic[T]):
    """``Behind`` without a thread."""

    def __init__(self, take: Callable[[T], None]) -> None:
        self.put = take

    def close(self) -> None:
        """Nothing waits."""


class Behind(Generic[T]):
    """The other way round: items are dealt with later, in order, by a thread of its own."""

    def __init__(self, take: Callable[[T], None], depth: int) -> None:
        """``put`` waits when ``depth`` items are not dealt with yet."""
        self._take = take
        self._waiting: queue.Queue[T | _End] = queue.Queue(depth)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name='behind', daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Hand over; raises what an earlier item brought about."""
        self._raise()
        self._waiting.put(item)

    def close(self) -> None:
        """Wait until everything is dealt with."""
        self._waiting.put(_End())
        self._thread.join()
        self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _work(self) -> None:
        failed = False
        while True:
            item = self._waiting.get()
            if isinstance(item, _End):
                return
            if failed:
                continue  # drain, so that nobody waits for ever
            try:
                self._take(item)
            except BaseException as error:  # noqa: BLE001  (raised again by put or close)
                self._error, failed = error, True
