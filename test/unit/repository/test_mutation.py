"""``./run mutate``: its mutants, its lists, and a verdict of each kind on a small project."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[3] / 'tools' / 'mutation'
sys.path.insert(0, str(TOOL))
mutants = pytest.importorskip('mutants')


@pytest.fixture(scope='module')
def targets() -> dict[str, list[str]]:
    """File -> tests."""
    return tomllib.loads((TOOL / 'targets.toml').read_text())['tests']


def test_every_safety_file_is_listed_with_tests_that_exist(
    targets: dict[str, list[str]], repository: Path
) -> None:
    wanted = {'alpamayo_ros/limits.py', 'alpamayo_ros/motion/validate.py'}
    for folder in ('safety', 'sensing/synchronisation'):
        files = (repository / 'alpamayo_ros' / folder).glob('[!_]*.py')
        wanted |= {str(file.relative_to(repository)) for file in files}
    assert wanted == set(targets)
    assert all((repository / test).exists() for tests in targets.values() for test in tests)


def test_what_is_listed_as_equivalent_exists_and_has_a_reason(
    targets: dict[str, list[str]], repository: Path
) -> None:
    listed = tomllib.loads((TOOL / 'equivalent.toml').read_text()).get('equivalent', [])
    for entry in listed:
        keys = {m.key for m in mutants.Source(repository / entry['file']).mutants}
        key = (entry['function'], entry['before'], entry['after'], entry.get('nth', 0))
        assert key in keys and len(entry['reason']) > 20, entry


@pytest.mark.parametrize(
    ('source', 'after'),
    [
        ('x = a < b', {'x = a <= b'}),
        ('x = a is None', {'x = a is not None'}),
        ('x = a and b', {'x = a or b', 'x = a', 'x = b'}),
        ('x = not a', {'x = a'}),
        ('x = -a', {'x = a'}),
        ('x = a + b', {'x = a - b'}),
        ('x = 3', {'x = 4'}),
        ('x = 0.5', {'x = 1.0'}),
        ('x = False', {'x = True'}),
        ('x = min(a, b)', {'x = max(a, b)'}),
        ('x = abs(a)', {'x = a'}),
        ('x = f(a, key=b)', {'x = f(a)'}),
        ('x = zip(a, b, strict=True)', set()),
        ('x = [*a, *b]', {'x = [*(), *b]', 'x = [*a, *()]'}),
        ('x = a if b else c', {'x = a if True else c', 'x = a if False else c'}),
        ('if a:\n    b', {'True', 'False'}),
        ('while a:\n    b', {'False'}),
        ('a.append(b)', {'pass'}),
        ('a += b', {'pass'}),
        ('a.b = c', {'pass'}),
        ('x = [Code.A, Code.B][i]', None),
        ('x: int = y', set()),
        ('def f() -> 3:\n    """4"""\n    assert 5 < 6, f"{7}"', set()),
    ],
)
def test_mutants_of_a_line(source: str, after: set[str] | None) -> None:
    found = {m.after for m in mutants.mutants(ast.parse(source))}
    if after is None:
        assert 'x = [Code.B, Code.B][i]' in found
    else:
        assert found == after


def test_a_mutant_is_named_by_its_function_and_not_by_its_line() -> None:
    f = 'def f(a):\n    return a > 1\n'
    text = f + 'def g(a):\n    if a:\n        return a > 1\n    return a > 1\n'
    keys = [m.key for m in mutants.mutants(ast.parse(text))]
    assert ('f', 'return a > 1', 'return a >= 1', 0) in keys
    assert ('g', 'return a > 1', 'return a >= 1', 1) in keys and len(set(keys)) == len(keys)
    moved = [m.key for m in mutants.mutants(ast.parse('import os\n\n' + text))]
    assert moved == keys


THING, TEST = f'alpamayo_ros/{"thing"}.py', f'test/test_{"thing"}.py'  # of the small project
PROJECT = {
    'alpamayo_ros/__init__.py': '',
    THING: (
        'LOWEST = [3][0]\n\ndef half(n):\n    while n > 9:\n        n -= 1\n    return n > 5\n'
    ),
    f'alpamayo_ros/{"user"}.py': 'from alpamayo_ros.thing import half\n',
    'test/conftest.py': '',
    TEST: (
        'from alpamayo_ros import thing\n'
        'from alpamayo_ros.user import half\n\n'
        'def test_it():\n    assert half(20) and half(6) and not half(5) and thing.LOWEST == 3\n'
    ),
    'pyproject.toml': '[tool.pytest.ini_options]\n',
}


def mutate(folder: Path, equivalent: str = '') -> subprocess.CompletedProcess[str]:
    """The command in a project of one file."""
    tool = folder / 'tools' / 'mutation'
    tool.mkdir(parents=True, exist_ok=True)
    for path in TOOL.glob('*.py'):
        quick = path.read_text().replace('LEAST_CPU_S = 20.0', 'LEAST_CPU_S = 1.0')
        (tool / path.name).write_text(quick)
    (tool / 'targets.toml').write_text(f"bar = 0.9\n[tests]\n'{THING}' = ['{TEST}']\n")
    (tool / 'equivalent.toml').write_text(equivalent)
    for name, text in PROJECT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    command = [sys.executable, str(tool)]
    return subprocess.run(command, capture_output=True, text=True, timeout=500)


def entry(before: str, after: str) -> str:
    return (
        f"[[equivalent]]\nfile = '{THING}'\nfunction = 'half'\n"
        f"before = '{before}'\nafter = '{after}'\nreason = 'because'\n"
    )


def test_survivors_are_named_hangs_are_killed_and_a_stopped_run_goes_on(tmp_path: Path) -> None:
    done = mutate(tmp_path)
    assert done.returncode == 1, done.stderr
    # n -= 1 -> pass hangs, [3][1] cannot be imported; the loop's other mutants answer the same
    assert ' : LOWEST' not in done.stdout and 'pass' not in done.stdout
    row = next(w for w in done.stdout.splitlines() if w.startswith(f'{THING} '))
    assert 'below 90%' in row
    assert f'{THING}:4 half: n > 9  ->  n >= 9' in done.stdout
    assert 'return n > 5  ->  return n >= 5' not in done.stdout
    again = mutate(tmp_path)
    assert again.stdout == done.stdout and not again.stderr
    listed = [w.partition('half: ')[2].split('  ->  ') for w in done.stdout.splitlines()[2:]]
    good = mutate(tmp_path, ''.join(entry(*words) for words in listed))
    assert good.returncode == 0 and '100.0%' in good.stdout, good.stdout
    stale = mutate(tmp_path, entry('return n > 5', 'return n >= 5'))
    assert stale.returncode == 1 and 'does not survive' in stale.stdout


def test_tests_that_fail_by_themselves_say_nothing_about_mutants(tmp_path: Path) -> None:
    mutate(tmp_path)
    (tmp_path / 'test' / 'conftest.py').write_text('raise ValueError\n')
    tool = tmp_path / 'tools' / 'mutation'
    done = subprocess.run([sys.executable, str(tool)], capture_output=True, text=True, timeout=500)
    assert done.returncode == 2 and 'fail without a mutant' in done.stdout
    done = subprocess.run(
        [sys.executable, str(tool), 'nowhere.py'], capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 2 and 'no file ends in nowhere.py' in done.stderr
