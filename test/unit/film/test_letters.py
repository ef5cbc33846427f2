"""Letters that DejaVu Sans lacks: another font of the machine draws them, or their code points."""

from __future__ import annotations

import stat
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import recorded

from alpamayo_ros.cli.common.unwritten import say_unwritten
from alpamayo_ros.film import canvas, letters
from alpamayo_ros.recording.recording import EVENTS, Recording

SCRIPT_A = '\U0001d4b6'  # in STIX, which comes with matplotlib, and not in DejaVu Sans
STIX = str(Path(matplotlib.get_data_path()) / 'fonts' / 'ttf' / 'STIXGeneral.ttf')
STOP = '停车'


def drawn(words: str) -> np.ndarray:
    picture = np.zeros((40, 400, 3), np.uint8)
    canvas.text(picture, words, (4, 4), 18)
    return picture


def forget() -> None:
    for known in (letters.on_machine, letters._drawn, canvas._mask, canvas.cut):
        known.cache_clear()


@pytest.fixture
def fontconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A machine whose fc-match answers with one font, or that has no fc-match."""

    def answers(file: str) -> None:
        if file:
            program = tmp_path / 'fc-match'
            program.write_text(f'#!/bin/sh\nprintf "%s\\t0" "{file}"\n')
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv('PATH', str(tmp_path))
        forget()

    yield answers
    forget()


def test_a_font_of_the_machine_draws_what_dejavu_lacks(fontconfig):
    fontconfig(STIX)
    (before, dejavu), (there, stix), (after, _) = letters.runs(f'a {SCRIPT_A} b', 18, False)
    assert (before, there, after) == ('a ', SCRIPT_A, ' b')
    assert dejavu.getname()[0] == 'DejaVu Sans' and stix.getname()[0] == 'STIXGeneral'
    assert canvas.text_width(f'a {SCRIPT_A} b', 18) == round(
        dejavu.getlength('a ') + stix.getlength(SCRIPT_A) + dejavu.getlength(' b')
    )
    assert (drawn(SCRIPT_A) != drawn('\ufffd')).any() and drawn(SCRIPT_A).any()
    assert letters.unwritten([SCRIPT_A]) == ''


@pytest.mark.parametrize('font', [STIX, '', '/nowhere/a.ttf'])
def test_a_letter_that_no_font_has_is_written_as_its_code_point(fontconfig, font: str):
    fontconfig(font)
    assert (drawn(f'go {STOP}') == drawn('go \\u505c\\u8f66')).all()
    assert canvas.text_width(STOP, 18) == canvas.text_width('\\u505c\\u8f66', 18)


def test_a_control_character_is_written_as_its_code_point(fontconfig):
    fontconfig('')
    assert (drawn('a\nb') == drawn('a\\nb')).all()
    assert letters.unwritten(['a\nb']) == ''


def test_what_dejavu_has_asks_no_other_font(fontconfig):
    fontconfig(STIX)
    words = 'Straße · 3 m/s² – привет …'
    assert [piece for piece, _ in letters.runs(words, 14, True)] == [words]
    assert letters.on_machine.cache_info().misses == 0


def test_a_line_may_end_between_two_chinese_letters(fontconfig):
    fontconfig('')
    lines = canvas.wrap('please ' + STOP * 2, 18, canvas.text_width('please ' + STOP, 18), 2)
    assert lines == [f'please {STOP}', STOP]
    assert canvas.wrap('go  on', 18, 400, 2) == ['go on']


def recording(folder: Path, words: str) -> Recording:
    recorded.write(folder, steps=3)
    path = folder / EVENTS
    path.write_text(path.read_text().replace('I keep my speed', words), encoding='utf-8')
    return Recording(folder)


def test_the_terminal_says_once_which_letters_are_missing(
    fontconfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    fontconfig('')
    found = [recording(tmp_path / 'a', f'so {STOP}'), recording(tmp_path / 'b', STOP)]
    say_unwritten(found)
    said = capsys.readouterr().err
    assert said.count('No font of this machine has the letters 停车:') == 1 == said.count('\n')
    assert 'as \\u505c' in said and 'Install a font' in said
    say_unwritten([recording(tmp_path / 'c', 'straight on')])
    assert capsys.readouterr().err == ''
