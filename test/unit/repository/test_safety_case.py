"""The safety case cites tests that exist, limits that exist, and says what nothing shows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from alpamayo_ros.faults import Code
from alpamayo_ros.limits import Limits

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / 'docs' / 'safety_case.md').read_text()
CITED = sorted(set(re.findall(r'`(test/[\w/]+\.py)::(\w+)`', PAGE)))
CLAIMS = re.findall(r'^### (C\d+)\. ', PAGE, re.MULTILINE)


def names_in(file: Path) -> set[str]:
    """Names of the test functions of a file, those inside classes too."""
    tree = ast.parse(file.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize('file', sorted({file for file, _ in CITED}))
def test_every_cited_test_exists(file: str) -> None:
    assert (ROOT / file).is_file(), f'{file} is cited and is not there'
    missing = {name for path, name in CITED if path == file} - names_in(ROOT / file)
    assert not missing, f'{file} has no {", ".join(sorted(missing))}'


def test_no_test_is_cited_in_another_form() -> None:
    """So that nothing escapes the test above."""
    loose = re.findall(r'`(test_\w+|test/[\w/]+\.py)`', PAGE)
    assert loose == []


def test_every_claim_has_argument_evidence_and_gap() -> None:
    assert CLAIMS == [f'C{i + 1}' for i in range(len(CLAIMS))] and len(CLAIMS) >= 10
    parts = re.split(r'^### C\d+\. ', PAGE, flags=re.MULTILINE)[1:]
    for name, part in zip(CLAIMS, parts, strict=True):
        body = part.split('\n## ')[0]
        for word in ('**Argument.**', '**Evidence.**', '**Gap.**'):
            assert word in body, f'{name} has no {word}'
        assert re.search(r'`test/[\w/]+\.py::\w+`', body), f'{name} cites no test'


def test_limits_and_codes_that_are_named_exist() -> None:
    limits = set(re.findall(r'`([a-z_]+_(?:m|s|mps|mps2|mps3|rad|rps|1pm|periods|plans))`', PAGE))
    unknown = {n for n in limits if n not in Limits.model_fields and not n.startswith('valid')}
    assert not unknown
    codes = set(re.findall(r'\b([A-Z]{3,}(?:_[A-Z]+)+)\b', PAGE)) - {'ROS_SECURITY_ENABLE'}
    assert not {c for c in codes if c not in Code.__members__ and not c.startswith('ROS_')}
