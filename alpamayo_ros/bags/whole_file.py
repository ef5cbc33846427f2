"""A text file that is replaced whole: the old one stands until the new one is on the disk."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> Path:
    """Write ``text`` as UTF-8 to ``path``; OSError leaves the old file and nothing unfinished.

    One that names no file, as of a full disk, names ``path``.
    """
    part = path.with_name(path.name + '.part')
    try:
        part.write_text(text, encoding='utf-8')
        os.replace(part, path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)
        raise
    return path
