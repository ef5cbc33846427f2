"""A disk that takes no more names the file, which numpy and the operating system leave out."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written(file: Path) -> Iterator[None]:
    """While ``file`` is written: the OSError of a full disk says which file it was."""
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        number = error.errno or errno.ENOSPC  # numpy says how many bytes went in, and no more
        raise OSError(number, os.strerror(number), str(file)) from error
