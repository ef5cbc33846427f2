"""House rules that can be counted: sizes of files, functions and folders; docstrings, types."""

import ast
from collections import Counter
from pathlib import Path

import pytest

LARGEST_FOLDER = 25  # files: what a person takes in at one look
LONG_FILE, LONG_FILES = 250, 0.02  # lines, share of all files
LONG_FUNCTION = 22  # lines, 90th percentile


@pytest.fixture(scope='module')
def sources() -> dict[Path, ast.Module]:
    """Every hand-written module of the package with its syntax tree."""
    root = Path(__file__).resolve().parents[3] / 'alpamayo_ros'
    paths = [p for p in sorted(root.rglob('*.py')) if p.relative_to(root).parts[0] != 'msg']
    assert len(paths) > 300
    return {path: ast.parse(path.read_text()) for path in paths}


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods, nested ones too."""
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def public(node: ast.Module | ast.ClassDef) -> list[ast.FunctionDef]:
    """Functions and methods that another module may call."""
    found = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name[0] != '_']
    for inner in node.body:
        if isinstance(inner, ast.ClassDef) and inner.name[0] != '_':
            found += public(inner)
    return found


def test_no_folder_is_a_hall(sources: dict[Path, ast.Module], repository: Path) -> None:
    tests = (repository / 'test').rglob('*.py')
    folders = Counter(p.parent for p in (*sources, *tests) if p.name != '__init__.py')
    folder, count = folders.most_common(1)[0]
    assert count <= LARGEST_FOLDER, f'{folder} holds {count} files'


def test_few_files_are_long(sources: dict[Path, ast.Module]) -> None:
    long = {p.name: n for p in sources if (n := len(p.read_text().splitlines())) > LONG_FILE}
    assert len(long) <= LONG_FILES * len(sources), long


def test_most_functions_are_short(sources: dict[Path, ast.Module]) -> None:
    lines = sorted(f.end_lineno - f.lineno + 1 for t in sources.values() for f in functions(t))
    assert lines[int(0.9 * len(lines))] <= LONG_FUNCTION


def test_public_functions_say_what_they_do(sources: dict[Path, ast.Module]) -> None:
    found = [(p.name, f.name, ast.get_docstring(f)) for p, t in sources.items() for f in public(t)]
    silent = [name for name in found if not name[2]]
    assert len(silent) <= 0.01 * len(found), silent


def test_public_functions_are_typed(sources: dict[Path, ast.Module]) -> None:
    untyped = []
    for path, tree in sources.items():
        for f in public(tree):
            given = [*f.args.posonlyargs, *f.args.args, *f.args.kwonlyargs]
            open_ = [a.arg for a in given if a.arg not in ('self', 'cls') and not a.annotation]
            if open_ or f.returns is None:
                untyped.append((path.name, f.name, open_))
    assert not untyped


def test_no_two_files_of_tests_have_one_name(repository: Path):
    names = Counter(path.name for path in (repository / 'test').rglob('test_*.py'))
    assert not [name for name, count in names.items() if count > 1]  # pytest imports them by name
