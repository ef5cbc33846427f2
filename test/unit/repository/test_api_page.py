"""docs/api.md: its planner drives, and its programs run as they are printed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import alpamayo_ros

PAGE = Path(__file__).resolve().parents[3] / 'docs' / 'api.md'
PLANNER, *PROGRAMS = re.findall(r'```python\n(.*?)```', PAGE.read_text(), re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the page's planner, as somebody would write it."""
    assert PLANNER.startswith('# my_planner.py')
    (tmp_path / 'my_planner.py').write_text(PLANNER)
    return tmp_path


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize('program', PROGRAMS, ids=['cycle', 'closed loop', 'metrics'])
def test_a_program_runs(folder: Path, program: str) -> None:
    done = python(folder, '-c', program)
    assert done.returncode == 0, done.stderr
    expected = {
        'propose': '(8, 60, 3) perception: ',
        'Task': 'my_planner:Follow ',
        'min_ade_k': '{1.0: ',
    }
    (said,) = (text for name, text in expected.items() if name in program)
    assert said in done.stdout


def test_the_public_names_are_there() -> None:
    for name in alpamayo_ros.__all__:
        assert getattr(alpamayo_ros, name) is not None
    assert set(alpamayo_ros.__all__) <= set(dir(alpamayo_ros))
    with pytest.raises(AttributeError, match='it has propose, decide'):
        alpamayo_ros.proposal  # noqa: B018


def test_the_planner_is_scored_by_the_command(folder: Path) -> None:
    words = ['-m', 'alpamayo_ros.cli.main', 'sim', '--planner', 'my_planner:Follow']
    done = python(folder, *words, '--seeds', '100', '--json', 'out.json')
    assert done.returncode == 0, done.stderr
    assert '"my_planner:Follow"' in (folder / 'out.json').read_text()


@pytest.mark.parametrize(
    ('name', 'said'),
    [
        ('my_planer:Follow', "no module 'my_planer'"),
        ('my_planner:Folow', 'did you mean my_planner:Follow?'),
        ('my_planner:', 'expected module:Class'),
        ('__main__:Follow', 'holds no class Follow'),
        ('broken:Thing', 'broken.py, line 2'),
        ('unmade:Thing', 'could not be made: RuntimeError: no licence (unmade.py, line 3)'),
        ('planless:Thing', 'no method plan(frames, given)'),
        ('crooked:Thing', 'expected (8, 60, 3) or (60, 3)'),
        (
            'follow',
            "no planner 'follow'; there are onnx, torch, torch_cuda, tensorrt_rtx, tensorrt, "
            'nvidia, scripted, expert, straight, and module:Class of your own',
        ),
    ],
)
def test_a_mistake_is_one_sentence(folder: Path, name: str, said: str) -> None:
    (folder / 'broken.py').write_text('import os\nraise ValueError(os.sep)\n')
    made = 'class Thing:\n    def __init__(self, profile):\n        '
    (folder / 'unmade.py').write_text(made + "raise RuntimeError('no licence')\n")
    (folder / 'planless.py').write_text(made + 'pass\n')
    plan = '    def plan(self, frames, given):\n        return [[0, 0, 0]]\n'
    (folder / 'crooked.py').write_text(made + 'pass\n' + plan)
    words = ['-m', 'alpamayo_ros.cli.main', 'sim', '--planner', name, '--seeds', '100']
    done = python(folder, *words)
    assert done.returncode in (2, 6) and 'Traceback' not in done.stderr
    told = ' '.join(re.sub(r'[│╭╰─╮╯]', ' ', done.stderr + done.stdout).split())
    assert ' '.join(said.split()) in told
