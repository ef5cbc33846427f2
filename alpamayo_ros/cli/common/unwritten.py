"""Says on the terminal that a film lacks letters for want of a font."""

from __future__ import annotations

from collections.abc import Iterable

import typer

from alpamayo_ros.film.captions import texts
from alpamayo_ros.film.letters import unwritten
from alpamayo_ros.recording.recording import Recording


def say_unwritten(recordings: Iterable[Recording]) -> None:
    """One sentence for the films of all ``recordings``, nothing where every letter has a font."""
    found = unwritten(text for recording in recordings for text in texts(recording))
    if found:
        typer.echo(f'alpamayo: {found}', err=True)
