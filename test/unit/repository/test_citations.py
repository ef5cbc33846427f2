"""What code, comments and pages cite exists: files, sections, rows, tests, codes, limits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alpamayo_ros.faults import Code
from alpamayo_ros.limits import Limits

ROOT = Path(__file__).resolve().parents[3]
SUFFIXES = ('.py', '.yaml', '.yml', '.md', '.toml', '.msg', '.txt', '.cmake', '.j2')
FOLDERS = ('alpamayo_ros', 'config', 'docs', 'launch', 'models', 'msg', 'test', 'tools')
FOUND = [*ROOT.glob('*'), *(path for folder in FOLDERS for path in (ROOT / folder).rglob('*'))]
TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in FOUND
    if path.is_file() and path.suffix in SUFFIXES and 'alpamayo_ros/msg' not in path.as_posix()
}
FAULTS = TEXTS['docs/faults.md']
ELSEWHERE = re.compile(
    r'\b(DESIGN|FIELD_NOTES|HOUSE|STYLE|FAULTS|BREAK|RELEASED)(\.md|\b section)'
)
PAPERS = re.compile(r'\bissue [A-Z]\b')


def cited(pattern: str) -> list[tuple[str, str]]:
    """(file, what) of each match; a citation may be broken over two lines."""
    found = []
    for name, text in TEXTS.items():
        flat = re.sub(r'\s*\n\s*(?:#\s*)?', ' ', text) if name.endswith('.py') else text
        found += [(name, match) for match in re.findall(pattern, flat)]
    return found


def test_no_document_from_outside_the_repository_is_cited():
    me = Path(__file__).relative_to(ROOT).as_posix()
    lines = [
        f'{name}: {line.strip()}'
        for name, text in TEXTS.items()
        for line in text.splitlines()
        if name != me and (ELSEWHERE.search(line) or PAPERS.search(line))
    ]
    assert lines == []


def test_cited_pages_and_their_sections_exist():
    for name, (page, section) in cited(r'\b(docs/[a-z_]+\.md)(?:, "([^"]+)")?'):
        assert page in TEXTS, f'{name} cites {page}'
        headings = re.findall(r'^#+ (.+)$', TEXTS[page], re.MULTILINE)
        assert not section or section in headings, f'{name} cites {page}, "{section}"'


def test_cited_rows_of_the_fault_matrix_exist():
    for name, row in cited(r'docs/faults\.md, rows? (F\d\d)'):
        assert re.search(rf'^\| [^|]*{row}\b', FAULTS, re.MULTILINE), f'{name} cites row {row}'


@pytest.mark.parametrize('top', ['alpamayo_ros', 'config', 'docs', 'launch', 'models', 'test'])
def test_cited_paths_exist(top):
    for name, path in cited(rf'(?<![\w/.-])({top}/[\w./-]*\.(?:py|md|yaml|json|xml|bin))\b'):
        assert (ROOT / path).exists(), f'{name} cites {path}'


def test_rows_of_the_fault_matrix_name_tests_and_codes_that_exist():
    rows = re.findall(r'^\| (F\d\d[^|]*)\|[^|]*\|([^|]*)\|([^|]*)\|$', FAULTS, re.MULTILINE)
    assert len(rows) > 30
    for row, outcome, tests in rows:
        paths = re.findall(r'`(test/[\w/]+\.py)`', tests)
        assert paths and all(path in TEXTS for path in paths), row
        for code in re.findall(r'\b[A-Z]+(?:_[A-Z]+)+\b', outcome):
            assert code in Code.__members__, f'{row} names {code}'


def test_limits_named_on_the_page_are_entries_of_the_file():
    known = set(Limits.model_fields)
    part = FAULTS[: FAULTS.index('## Fault matrix')]
    named = set(re.findall(r'`([a-z]+(?:_[a-z0-9]+)+)`', part)) - {'valid_until', '_warn_'}
    assert named <= known, sorted(named - known)
