"""A file that is replaced whole: the old one stands until the new one is on the disk."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, content: str | bytes) -> Path:
    """Write ``content`` (text as UTF-8) to ``path``.

    OSError, which names ``path``, leaves the old file and nothing unfinished.
    """
    part = path.with_name(path.name + '.part')
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(part, path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename, error.filename2 = str(path), None
        raise
    return path
