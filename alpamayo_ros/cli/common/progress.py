"""Bars on stderr; where that is a file or a pipe, a line now and then instead.

rich says nothing there until the end, so that whoever looks at a log could not tell work from a
hang.  Imported where a bar is shown: it loads rich.
"""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.progress import Progress as RichProgress
from rich.progress import ProgressColumn, TaskID

LINE_EVERY_S = 15.0


class Progress(RichProgress):
    """rich's ``Progress`` on stderr; ``options`` as there.  ``said``: field of the lines.

    Without a terminal a line at most every ``LINE_EVERY_S`` says how far a task is; where a bar
    would stay, so does its last one.
    """

    def __init__(
        self, *columns: ProgressColumn, said: str = '', transient: bool = False, **options: Any
    ) -> None:
        console = Console(stderr=True)
        self._lines = not console.is_terminal
        super().__init__(
            *columns, console=console, transient=transient, disable=self._lines, **options
        )
        self._said, self._stays, self._last_s = said, not transient, self.get_time()
        self._line_before = ''

    def update(self, task_id: TaskID, **changes: Any) -> None:  # type: ignore[override]
        """Move a task."""
        super().update(task_id, **changes)
        if self._lines and self.get_time() - self._last_s >= LINE_EVERY_S:
            self._last_s = self.get_time()
            self._line(task_id)

    def stop(self) -> None:
        """Take the bars away, or leave their last state."""
        super().stop()
        for task_id in self.task_ids if self._lines and self._stays else ():
            self._line(task_id)

    def _line(self, task_id: TaskID) -> None:
        task = next(task for task in self.tasks if task.id == task_id)
        parts = [f'{task.description}: {task.percentage:.0f} %']
        if said := task.fields.get(self._said):
            parts.append(str(said))
        line = ', '.join(parts)
        if line != self._line_before:
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)
        self._line_before = line
