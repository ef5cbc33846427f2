"""How every command ends: one sentence for what a person can mend, and a status of the table."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from alpamayo_ros.statuses import ConfigError, Status

# What is typed wrong, though the operating system is the one that says so.
TYPED = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


def answered(command: Callable[[], Any]) -> int:
    """The exit status of ``command``; where it was refused, the sentence goes to stderr."""
    try:
        status = command()
    except typer.Abort:
        _say('interrupted')
        return Status.INTERRUPTED
    except typer.TyperException as error:
        return _usage(error)
    except BrokenPipeError:  # a reader such as head has enough
        _silence()
        return Status.PASS
    except (ConfigError, OSError, UnicodeError) as error:
        _say(words_of(error))
        if isinstance(error, ConfigError):
            return error.status
        return Status.USAGE if isinstance(error, TYPED) else Status.ENVIRONMENT
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        _silence()  # rich ends with 1 here, which is a verdict
        return Status.PASS
    except Exception:  # noqa: BLE001  a defect must not end as a verdict does
        traceback.print_exc()
        return Status.INTERNAL
    if type(status) is int and status == Status.INTERRUPTED:  # typer's: nothing was said yet
        _say('interrupted')
    return status if isinstance(status, int) else Status.PASS


@contextmanager
def whoever_reads() -> Iterator[None]:
    """Prints for a reader that may have enough, such as head: a verdict is still to come."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _silence()
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        _silence()


def _usage(error: Any) -> int:
    """What the parser of the command line refused; a bare group shows its help."""
    if type(error).__name__ == 'NoArgsIsHelpError':
        error.show()
        return Status.USAGE
    said = error.format_message()
    for lead in ('Invalid value: ', 'Invalid value for '):
        said = said.removeprefix(lead)
    said = re.sub("^'(--[^']+)': ", r'\1: ', said)
    context = getattr(error, 'ctx', None)
    path = 'alpamayo' if context is None else context.command_path
    tail = '' if context is None else f'\n{path} --help explains every option'
    _say(said + tail, path)
    return Status.USAGE


def of_machine(error: OSError) -> bool:
    """Whether the machine refused: not what was typed wrong, nor a library's word for a file."""
    return error.errno is not None and not isinstance(error, TYPED)


def words_of(error: Exception) -> str:
    """The sentence of an error; of the operating system's, what it was about comes first."""
    if isinstance(error, OSError) and error.strerror:
        name = '' if error.filename is None else f'{error.filename}: '
        return f'{name}{error.strerror[0].lower()}{error.strerror[1:]}'
    return str(error)


def _say(text: str, path: str = 'alpamayo') -> None:
    print(f'{path}: {text}', file=sys.stderr)


def _silence() -> None:
    """Nobody reads stdout any more: what is still to be written goes nowhere."""
    sys.stdout.flush = lambda: None  # type: ignore[method-assign]
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())  # type: ignore[union-attr]
