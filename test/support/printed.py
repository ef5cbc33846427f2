"""Every command that README and docs print, and how a test carries it out at small size.

A command without a row of ``ROWS`` fails ``test_printed_commands.py``: whoever prints a command
says here how it is run.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / f'{name}.md' for name in ('README', 'CONTRIBUTING', 'SAFETY', 'SECURITY')]
PAGES += sorted((ROOT / 'docs').glob('*.md'))
ALPAMAYO = ('alpamayo', '.venv/bin/alpamayo')
SMALL = {  # options, and what a test gives them
    '--seeds': '100', '--worst': '1', '--limit': '1', '--seconds': '1',
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Printed:
    """One command of one page, in words, without its comment."""

    page: str
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        return ' '.join(self.words)


@dataclass(frozen=True, slots=True)
class Row:
    """How commands that begin with ``start`` are carried out.

    ``how``: ``run`` (by the command line, in a folder with the pages' files), ``checked`` (all
    that comes before the first process), ``tested`` (``about``: the test file that does the
    same), or ``elsewhere`` (``about``: what it needs that a test machine has not).  ``more``:
    words added.
    """

    start: str
    how: str
    about: str = ''
    more: tuple[str, ...] = ()


BLIND = ('--planner', 'straight')
ROWS = (
    # what needs another machine
    Row('colcon', 'elsewhere', 'ROS 2 of a distribution'),
    Row('source /opt/ros', 'elsewhere', 'ROS 2 of a distribution'),
    Row('rosdep', 'elsewhere', 'ROS 2 of a distribution'),
    Row('ros2 bag', 'elsewhere', 'ROS 2 of a distribution'),
    Row('rviz2', 'elsewhere', 'RViz'),
    Row('. install/setup.bash', 'elsewhere', 'ROS 2 of a distribution'),
    Row('alpamayo up vehicle --rig my_car.yaml --autoware', 'elsewhere', "Autoware's messages"),
    Row('docker', 'elsewhere', 'Docker'),
    Row('python3 -m pip install', 'elsewhere', 'a package index'),
    Row('pip install', 'elsewhere', 'a package index'),
    Row('WHEELS=', 'tested', 'test/unit/repository/test_run.py'),
    Row('./run bundle', 'tested', 'test/unit/repository/test_run.py'),
    Row('./run', 'tested', 'test/unit/repository/test_run.py'),
    Row('tools/processors', 'elsewhere', 'hours: it is the tests again'),
    Row('tools/colcon_wheels', 'elsewhere', 'minutes: it builds a workspace'),
    Row('sh bundle/', 'tested', 'test/unit/training/stream/test_gpu_bundle.py'),
    Row('export ', 'elsewhere', 'it sets a variable of the shell'),
    Row('. .venv/bin/activate', 'elsewhere', 'it sets variables of the shell'),
    Row('ros2 launch', 'tested', 'test/launch/test_bringup.py'),
    Row('cp ', 'run'),
    Row('python - ', 'tested', 'test/ros/test_node_behaviour.py'),
    Row('.venv/bin/python tools/instructions.py', 'tested',
        'test/unit/simulation/test_instructions.py'),
    Row('.venv/bin/python tools/chain_truth.py', 'tested',
        'test/unit/training/annotation/test_claimed.py'),
    Row('.venv/bin/python tools/drive_through_controller.py', 'tested',
        'test/ros/control/test_controller.py'),
    # weights that nobody may pass on
    Row('alpamayo model adopt', 'tested', 'test/unit/nvidia/test_model_adopt.py'),
    *(Row(f'alpamayo {call} --profile nvidia-1.5-10b', 'tested',
          'test/unit/nvidia/test_nvidia_process.py')
      for call in ('sim', 'replay drive.mcap', 'up simulator')),
    # graphs: everything before the first process; the graphs themselves are tested live
    Row('alpamayo up', 'checked', 'test/ros/test_simulator_graph.py'),
    *(Row(f'alpamayo {verb}', 'tested', 'test/ros/operating/test_operating.py')
      for verb in ('status', 'cap', 'arm', 'disarm', 'rearm', 'navigate', 'prompt', 'echo')),
    Row('alpamayo egodriver', 'tested', 'test/unit/bridges/test_alpasim_server.py'),
    Row('alpamayo view', 'tested', 'test/ros/operating/test_live_view.py'),
    # hours, or data that nobody may pass on
    Row('alpamayo train stream', 'tested', 'test/unit/training/test_train_command.py'),
    Row('alpamayo train', 'tested', 'test/unit/training/test_train_command.py'),
    Row('alpamayo export', 'tested', 'test/unit/cli/test_export.py'),
    Row('alpamayo model quantise', 'tested', 'test/unit/engine/test_int8_parity.py'),
    Row('alpamayo data convert', 'tested', 'test/unit/bags/test_data_command.py'),
    Row('alpamayo bench gpu', 'tested', 'test/unit/cli/test_bench_gpu.py'),
    Row('alpamayo bench released', 'tested', 'test/unit/cli/test_bench_released.py'),
    Row('alpamayo bench', 'tested', 'test/unit/cli/test_bench_cycle.py'),
    Row('alpamayo replay out/incidents', 'tested', 'test/unit/cli/test_incident_command.py'),
    # drives: one seed, by a planner that looks at nothing unless the page names one
    Row('alpamayo sim --list', 'run'),
    Row('alpamayo sim --planner my_planner', 'run'),
    Row('alpamayo sim', 'run', more=BLIND),
    Row('alpamayo data review clips --apply', 'tested',
        'test/unit/training/clips/test_clip_review.py'),
    Row('alpamayo data', 'run'),
    Row('alpamayo rig from-bag', 'run', more=('--force',)),
    Row('alpamayo rig check my_car.yaml --live', 'tested', 'test/ros/operating/test_rig_live.py'),
    Row('alpamayo rig', 'run'),
    Row('alpamayo replay /data/drive.mcap --map', 'tested', 'test/unit/replay/test_replay_cli.py'),
    Row('alpamayo replay', 'run'),
    Row('alpamayo doctor', 'run'),
    Row('alpamayo model', 'run'),
)  # fmt: skip


def commands() -> list[Printed]:
    """Every command of every page, in order, each once a page."""
    found: dict[Printed, None] = {}
    for page in PAGES:
        for block in re.findall(r'```bash\n(.*?)```', page.read_text(), re.DOTALL):
            for line in _lines(block):
                words = shlex.split(line, comments=True)
                if words:
                    found[Printed(page.name, tuple(words))] = None
    return list(found)


def _lines(block: str) -> list[str]:
    """Commands, joined where they go on in the next line; a here document is not one."""
    whole = re.sub(r"(<<'PY')\n.*?\nPY\n", r'\1\n', block.replace('\\\n', ' '), flags=re.DOTALL)
    return [part for line in whole.splitlines() for part in line.split(' && ')]


def arguments(command: Printed) -> tuple[str, ...]:
    """The words after ``alpamayo``; () for what is no call of it."""
    return command.words[1:] if command.words[0] in ALPAMAYO else ()


def row_of(command: Printed) -> Row | None:
    """The first row that the command begins with."""
    words = arguments(command)
    text = ' '.join(('alpamayo', *words)) if words else command.text
    return next((row for row in ROWS if text.startswith(row.start)), None)


def small(command: Printed, row: Row) -> list[str]:
    """The arguments with few seeds and runs, and what the row adds."""
    words = list(arguments(command))
    named = {'--planner', '--model', '--ablate', '--inject'} & set(words)
    words += [] if named else list(row.more)
    for option, value in SMALL.items():
        if option in words:
            words[words.index(option) + 1] = value
    if '--suite' in words:
        words += [] if '--limit' in words else ['--limit', '1']
        words += [] if '--seeds' in words else ['--seeds', '100']
    return words
