"""Every entry of the limits file decides something: raised and lowered, a verdict changes.

The scenes stand in ``test/support/limit_cases_*.py``, each made with the public code that
enforces the entry.
"""

import ast
import re
from collections import defaultdict
from pathlib import Path

import limit_cases_inputs
import limit_cases_machine
import limit_cases_plans
import pytest

from alpamayo_ros.limits import Limits

CASES = defaultdict(tuple)
for module in (limit_cases_plans, limit_cases_inputs, limit_cases_machine):
    for entry, cases in module.CASES.items():
        CASES[entry] += cases

PACKAGE = Path(__file__).resolve().parents[3] / 'alpamayo_ros'
UNITS = {'ns': 's', 'ms': 's', 'mm': 'm', 'deg': 'rad'}  # the same quantity in another unit
SUFFIX = r'_(m|mm|rad|deg|mps|mps2|mps3|1pm|rps|s|ns|ms|ratio|periods|bytes|celsius|plans)$'


@pytest.mark.parametrize('name', Limits.model_fields)
def test_raised_and_lowered_the_entry_changes_a_verdict(name):
    assert CASES[name], f'{name} has no case: what does it decide?'
    for case in CASES[name]:
        case.check(name)


def test_no_case_is_about_an_entry_that_is_gone():
    assert set(CASES) <= set(Limits.model_fields)


def subject(name):
    """What a name is about, without its level: ('skew', 's') of SKEW_NS and of skew_warn_s."""
    short = name.lower().strip('_')
    unit = re.search(SUFFIX, short)
    found = unit.group(1) if unit else ''
    return re.sub(r'_(warn|limit)$', '', re.sub(SUFFIX, '', short)), UNITS.get(found, found)


SUBJECTS = {subject(name) for name in Limits.model_fields}


def numbers(tree):
    """Names that a module, a class or a signature gives a number to that is not zero."""
    for node in ast.walk(tree):
        pairs = []
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            pairs = [(node.target.id, node.value)]
        elif isinstance(node, ast.Assign):
            pairs = [(t.id, node.value) for t in node.targets if isinstance(t, ast.Name)]
        elif isinstance(node, ast.arguments):
            arguments = [*node.posonlyargs, *node.args]
            given = arguments[len(arguments) - len(node.defaults) :]
            pairs = [(a.arg, v) for a, v in zip(given, node.defaults, strict=True)]
            pairs += [(a.arg, v) for a, v in zip(node.kwonlyargs, node.kw_defaults, strict=True)]
        yield from ((name, value) for name, value in pairs if _number(value))


def _number(value):
    """Whether a value is written as a number, or as a product of numbers, that is not zero."""
    if isinstance(value, ast.BinOp):
        return _number(value.left) or _number(value.right)
    constant = isinstance(value, ast.Constant) and type(value.value) in (int, float)
    return constant and value.value != 0


def test_a_second_home_would_be_found():
    found = numbers(
        ast.parse('class A:\n    skew_ns: int = 50 * MS\ndef f(rest_speed_mps=0.1): 0')
    )
    assert [subject(name) in SUBJECTS for name, _ in found] == [True, True]


def test_no_limit_has_a_second_home():
    """No module, class or signature of the package gives a number to the name of a limit."""
    paths = [p for p in PACKAGE.rglob('*.py') if 'msg' not in p.parts and p.name != 'limits.py']
    found = [
        f'{path.relative_to(PACKAGE)}: {name}'
        for path in paths
        for name, _ in numbers(ast.parse(path.read_text()))
        if subject(name) in SUBJECTS
    ]
    assert found == []


def test_all_nodes_take_one_limits_file():
    """``limits`` stands once, for every node, and no node has a limit among its parameters."""
    text = (PACKAGE.parent / 'config' / 'nodes.param.yaml').read_text()
    assert len(re.findall(r'^ +limits:', text, re.M)) == 1
    named = re.findall(r'^ +(\w+): [\d.]', text, re.M)
    assert not {subject(name) for name in named} & SUBJECTS
