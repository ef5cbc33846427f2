"""One table of exit statuses: the code, the reference page and what commands end with."""

import ast
import re
from pathlib import Path

from alpamayo_ros.nodes.operating import __main__ as operating
from alpamayo_ros.statuses import Status


def test_the_reference_page_holds_the_table(repository: Path) -> None:
    text = (repository / 'docs' / 'reference.md').read_text()
    section = text.split('## Exit statuses')[1].split('\n## ')[0]
    rows = re.findall(r'^\| (\d+) \| (\w+) \| (.*) \|$', section, re.M)
    assert rows == [(str(int(s)), s.name, s.meaning) for s in Status]


def test_commands_end_with_names_of_the_table_and_not_with_numbers(repository: Path) -> None:
    found = []
    for path in sorted((repository / 'alpamayo_ros' / 'cli').rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith('Exit'):
                said = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant)]
                found += [f'{path.name}: {ast.unparse(node)}'] if int in map(type, said) else []
    assert not found


def test_who_asks_a_running_graph_ends_with_the_same_statuses() -> None:
    assert (operating.NOBODY, operating.INTERRUPTED) == (Status.ENVIRONMENT, Status.INTERRUPTED)
