"""Ctrl-C that is remembered, because rclpy can lose the exception of it.

Raised while a received message becomes Python's, KeyboardInterrupt ends as pybind11's RuntimeError
"Unable to convert call argument".
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any


class Interrupts:
    """A context in which ``signals`` raise KeyboardInterrupt and ``came`` says that one did.

    Entered by the main thread before ``rclpy.init``, whose handlers call those that they find.
    What is ignored, as Ctrl-C is in the background of a script, stays ignored.
    """

    def __init__(self, *signals: signal.Signals) -> None:
        self.came = False
        self._signals = signals
        self._before: dict[signal.Signals, Callable[..., Any] | int] = {}

    def __enter__(self) -> Interrupts:
        for number in self._signals:
            before = signal.getsignal(number)
            if before not in (signal.SIG_IGN, None):  # None: it is not Python's
                self._before[number] = before
                signal.signal(number, self._interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        raise KeyboardInterrupt
