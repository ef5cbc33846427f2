"""Exit statuses, one table for every command and node, and the errors that carry one."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """What the end of a process says; each member carries its sentence."""

    # fmt: off
    PASS = (0, 'Done; where there is a verdict, it is pass.')
    FAIL = (1, 'The verdict is fail, a figure is worse than --against allows, or a request to a '
               'running driver was refused.')
    USAGE = (2, 'What was typed or configured cannot be used; nothing was started.')
    NOT_EVALUABLE = (3, 'Everything ran and there is no verdict: nothing could be judged.')
    DAMAGED = (5, 'A bag, model or shard is cut off, altered or does not fit; what could be read '
                  'was used.')
    ENVIRONMENT = (6, 'The machine refused: a full disk, a missing permission or package, a port '
                      'in use, a graph that does not answer.')
    INTERNAL = (70, 'A defect of this package; the traceback is for its authors.')
    INTERRUPTED = (130, 'Ctrl-C or SIGTERM; what is kept is said.')
    # fmt: on

    meaning: str

    def __new__(cls, number: int, meaning: str) -> Status:
        """A number with its sentence."""
        made = int.__new__(cls, number)
        made._value_ = number
        made.meaning = meaning
        return made


class ConfigError(ValueError):
    """Something a person typed or wrote cannot be used; the text is one sentence for them."""

    status: Status = Status.USAGE


class MachineError(ConfigError):
    """What was typed is right, and this machine cannot do it."""

    status = Status.ENVIRONMENT


class NoSuchFileError(ConfigError, FileNotFoundError):
    """A name or a path that there is not."""
