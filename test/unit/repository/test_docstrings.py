"""Docstrings: one summary on one line, a sentence; no paragraph broken in mid-sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ('alpamayo_ros', 'launch', 'test', 'tools')
FILES = [
    path
    for path in (ROOT / 'setup.py', *(p for name in FOLDERS for p in (ROOT / name).rglob('*.py')))
    if not path.is_relative_to(ROOT / 'alpamayo_ros' / 'msg')  # generated
]
WIDTH = 74  # a line that could take the next word up to here was broken by a tool, not by a person
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
ENDS = ('.', '!', '?', ':', ';', '``')
ITEM = re.compile(r'[-*|>+:]|\d+[.)] ')


def docstrings(source: str) -> Iterator[str]:
    """Every docstring as written, its first line indented as the others are."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node, clean=False)):
            yield ' ' * (node.body[0].col_offset + 3) + text


def wrong_summary(text: str) -> bool:
    """Whether the first paragraph spills onto a second line or ends as no sentence does."""
    first, *rest = text.splitlines()
    return bool(rest and rest[0].strip()) or not first.rstrip().endswith(('.', '!', '?'))


def broken_line(text: str) -> str:
    """The first line that ends early though its sentence and the paragraph go on, or ''."""
    lines = text.splitlines()
    for line, after in zip(lines, lines[1:], strict=False):
        plain = line.strip() and after.strip() and not line.rstrip().endswith(ENDS)
        if not plain or ITEM.match(after.strip()) or _indent(after) > _indent(line):
            continue
        if len(line.rstrip()) + 1 + len(after.split()[0]) <= WIDTH:
            return line.strip()
    return ''


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


@pytest.mark.parametrize(
    ('text', 'wrong'),
    [
        ('One sentence.', False),
        ('One sentence.\n\n    And what types cannot say.', False),
        ('A sentence that spills\n    over.', True),
        ('No sentence', True),
    ],
)
def test_the_rule_for_summaries(text, wrong):
    assert wrong_summary(text) is wrong


def test_the_rule_for_paragraphs():
    scar = 'S.\n\n    A line that goes on\n    here.'
    assert broken_line(scar) == 'A line that goes on'
    assert broken_line('S.\n\n    A list:\n    - one\n    - two\n      three') == ''


def test_every_summary_is_a_sentence_on_one_line():
    wrong = [
        f'{path.relative_to(ROOT)}: {text.strip()[:80]}'
        for path in FILES
        for text in docstrings(path.read_text())
        if wrong_summary(text)
    ]
    assert wrong == []


def test_no_paragraph_is_broken_in_mid_sentence():
    broken = {
        path.relative_to(ROOT).as_posix(): line
        for path in FILES
        for text in docstrings(path.read_text())
        if (line := broken_line(text))
    }
    assert broken == {}
