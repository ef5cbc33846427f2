"""Bars on stderr; where that is a file or a pipe, a line every 15 seconds instead.

rich says nothing there until the end, so that whoever looks at a log could not tell work from a
hang.  Imported where a bar is shown: it loads rich.
"""

from __future__ import annotations

import threading
from typing import Any

from rich.console import Console
from rich.progress import Progress as RichProgress
from rich.progress import ProgressColumn, Task

LINE_EVERY_S = 15.0


class Progress(RichProgress):
    """rich's ``Progress`` on stderr; ``options`` as there.  ``said``: field of the lines.

    Without a terminal a line every ``LINE_EVERY_S`` says how far each unfinished task is, also
    while nothing moves it; where a bar would stay, so does a last line.
    """

    def __init__(
        self, *columns: ProgressColumn, said: str = '', transient: bool = False, **options: Any
    ) -> None:
        console = Console(stderr=True)
        self._lines = not console.is_terminal
        super().__init__(
            *columns, console=console, transient=transient, disable=self._lines, **options
        )
        self._said, self._stays = said, not transient
        self._over = threading.Event()
        self._speaker = threading.Thread(target=self._speak, daemon=True)

    def start(self) -> None:
        """Show the bars, or begin to say lines."""
        super().start()
        if self._lines:
            self._speaker.start()

    def stop(self) -> None:
        """Take the bars away, or leave their last state."""
        super().stop()
        if not self._lines or self._over.is_set():
            return
        self._over.set()
        self._speaker.join()
        for task in self.tasks if self._stays else ():
            self._line(task)

    def _speak(self) -> None:
        while not self._over.wait(LINE_EVERY_S):
            for task in self.tasks:
                if not task.finished:
                    self._line(task)

    def _line(self, task: Task) -> None:
        parts = [] if task.total is None else [f'{task.percentage:.0f} %']
        if said := task.fields.get(self._said):
            parts.append(str(said))
        took_s = task.elapsed if task.finished_time is None else task.finished_time
        line = f'{task.description}: {", ".join([*parts, f"{took_s or 0.0:.0f} s"])}'
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)
