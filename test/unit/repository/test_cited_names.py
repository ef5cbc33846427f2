"""Files and modules that docstrings and comments of the package name exist."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / 'alpamayo_ros'
FOLDERS = ('alpamayo_ros', 'config', 'docs', 'launch', 'models', 'msg', 'test', 'tools')
SOURCES = [p for p in PACKAGE.rglob('*.py') if not p.is_relative_to(PACKAGE / 'msg')]
AREAS = {p.name for p in PACKAGE.iterdir() if p.is_dir()} | {'evaluation'}  # as it was once called
FILE = re.compile(r'(?<![\w/.*{<>-])((?:[\w-]+/)*[\w-]+\.(?:py|md))\b')
MODULE = re.compile(r'``([a-z_]\w*(?:\.[A-Za-z_]\w*)+)``')
DATA = ('.safetensors', '.npy', '.npz', '.yaml', '.json')


def prose(path: Path) -> Iterator[str]:
    """The docstrings and comments of a module."""
    source = path.read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield ast.get_docstring(node) or ''
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def endings() -> set[str]:
    """Every way to name a file by the end of its path."""
    paths = [*ROOT.glob('*'), *(p for name in FOLDERS for p in (ROOT / name).rglob('*'))]
    parts = [path.relative_to(ROOT).parts for path in paths]
    return {'/'.join(part[i:]) for part in parts for i in range(len(part))}


def known(name: str) -> bool:
    """Whether a dotted name that begins with a folder of the package is a module or in one."""
    path = PACKAGE.joinpath(*name.split('.'))
    if path.is_dir() or path.with_suffix('.py').is_file():
        return True
    module, _, attribute = name.rpartition('.')
    source = PACKAGE.joinpath(*module.split('.')).with_suffix('.py')
    return source.is_file() and re.search(rf'\b{attribute}\b', source.read_text()) is not None


def test_files_named_in_docstrings_and_comments_exist():
    here = endings()
    wrong = [
        f'{path.relative_to(ROOT)}: {name}'
        for path in SOURCES
        for text in prose(path)
        for name in FILE.findall(text)
        if name not in here
    ]
    assert wrong == []


def test_modules_named_in_docstrings_and_comments_exist():
    wrong = [
        f'{path.relative_to(ROOT)}: {name}'
        for path in SOURCES
        for text in prose(path)
        for name in MODULE.findall(text)
        if name.split('.')[0] in AREAS and not name.endswith(DATA) and not known(name)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ('name', 'there'),
    [
        ('simulation.road_rules', True),
        ('metrics.rules', True),
        ('simulation.rules', False),
        ('model.vla.VLA', True),
        ('model.vla.Nothing', False),
    ],
)
def test_the_rule_for_modules(name, there):
    assert known(name) is there
