"""Which font draws which letter: DejaVu Sans, else one that the machine has, else a code point.

DejaVu Sans comes with matplotlib and has the letters of Europe, not those of China, Japan or
Korea.  For these fontconfig is asked (``fc-match``).  A letter that no font has is drawn as it is
escaped in Python and JSON, ``\\u4e2d``.
"""

from __future__ import annotations

import functools
import itertools
import subprocess
from collections.abc import Iterable
from pathlib import Path

from PIL import ImageFont

PATIENCE_S = 10.0  # of fontconfig, which may build its cache first
NAMED = 12  # letters that the sentence quotes


@functools.lru_cache(maxsize=32)
def font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """DejaVu Sans of ``size`` pixels, as it comes with matplotlib."""
    return ImageFont.truetype(str(_dejavu(bold)), size)


def runs(words: str, size: int, bold: bool) -> list[tuple[str, ImageFont.FreeTypeFont]]:
    """``words`` in pieces of one font each."""
    if words.isascii() and words.isprintable():
        return [(words, font(size, bold))]
    drawn = [_drawn(letter, bold) for letter in words]
    return [
        (''.join(letter for letter, _ in group), _opened(*at, size) if at else font(size, bold))
        for at, group in itertools.groupby(drawn, key=lambda one: one[1])
    ]


def unwritten(texts: Iterable[str]) -> str:
    """What to say of letters that are drawn as code points; '' where each has a font."""
    letters = sorted({letter for text in texts if not text.isascii() for letter in text})
    missing = [letter for letter in letters if letter.isprintable() and _is_escaped(letter)]
    if not missing:
        return ''
    quoted = ''.join(missing[:NAMED]) + ('…' if len(missing) > NAMED else '')
    return (
        f'No font of this machine has the letters {quoted}: the film shows them as code points, '
        f'the first as {_escaped(missing[0])}. Install a font that has them (on Debian and '
        'Ubuntu fonts-noto-cjk and fontconfig, for Chinese, Japanese and Korean) and make the '
        'film again.'
    )


def _is_escaped(letter: str) -> bool:
    return _drawn(letter, False)[0] != letter


@functools.lru_cache(maxsize=4096)
def _drawn(letter: str, bold: bool) -> tuple[str, tuple[str, int] | None]:
    """What is drawn for a letter, with file and face of its font; None: DejaVu Sans."""
    if ord(letter) in _in_dejavu(bold):
        return letter, None
    found = on_machine(letter)
    return (_escaped(letter), None) if found is None else (letter, found)


def _escaped(letter: str) -> str:
    return letter.encode('unicode_escape').decode('ascii')


@functools.lru_cache(maxsize=4096)
def on_machine(letter: str) -> tuple[str, int] | None:
    """File and face of the machine's font for a letter, None where it has none that can draw it.

    fontconfig answers with another font where no font has the letter, so its answer is checked.
    """
    from matplotlib.ft2font import FT2Font

    pattern = f'sans:scalable=true:charset={ord(letter):x}'
    try:
        answer = subprocess.run(
            ['fc-match', '-f', '%{file}\t%{index}', pattern],
            capture_output=True, text=True, timeout=PATIENCE_S, check=True,
        ).stdout  # fmt: skip
        file, _, face = answer.partition('\t')
        found = file, int(face or 0)
        _opened(*found, 12)  # of a font of bitmaps, such as emoji, Pillow opens no such size
        return found if FT2Font(file).get_char_index(ord(letter)) else None
    except (OSError, subprocess.SubprocessError, ValueError, RuntimeError):
        return None


@functools.lru_cache(maxsize=64)
def _opened(file: str, face: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(file, size, index=face)


@functools.cache
def _in_dejavu(bold: bool) -> frozenset[int]:
    """Code points that DejaVu Sans has."""
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(str(_dejavu(bold))).get_charmap())


def _dejavu(bold: bool) -> Path:
    import matplotlib

    name = 'DejaVuSans-Bold.ttf' if bold else 'DejaVuSans.ttf'
    return Path(matplotlib.get_data_path()) / 'fonts' / 'ttf' / name
