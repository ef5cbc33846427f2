"""The pages of the public modules are made from the docstrings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import alpamayo_ros

ROOT = Path(__file__).resolve().parents[3]
pytest.importorskip('pdoc', reason='pdoc is not installed: ./run test')


@pytest.fixture
def tool(tools):
    return tools('api_pages')


def test_a_page_holds_names_signatures_and_docstrings(tmp_path, tool):
    tool.write(tmp_path, ['alpamayo_ros.pipeline', 'alpamayo_ros.faults'])
    page = (tmp_path / 'alpamayo_ros' / 'pipeline.html').read_text()
    assert 'id="decide"' in page and 'The one plan that may leave' in page
    assert (tmp_path / 'index.html').is_file() and (tmp_path / 'search.js').is_file()


def test_every_public_module_is_listed_and_no_other(tool):
    names = set(tool.modules())
    assert {'alpamayo_ros', 'alpamayo_ros.pipeline', 'alpamayo_ros.metrics.table'} <= names
    assert {name.split('.')[1] for name in names if '.' in name}.isdisjoint(tool.LEFT_OUT)
    assert not any('__' in name for name in names)  # compiled messages are no module to read


@pytest.mark.slow
@pytest.mark.timeout(900)  # half a minute of CPU, on a machine that does something else too
def test_every_public_module_has_a_page_and_nothing_is_warned_of(tmp_path, tool):
    call = [sys.executable, 'tools/api_pages.py', str(tmp_path), '--no-source']
    ended = subprocess.run(call, cwd=ROOT, env={**os.environ, 'PYTHONPATH': str(ROOT)},
                           capture_output=True, text=True)  # fmt: skip
    assert ended.returncode == 0 and 'pdoc' not in ended.stderr, ended.stderr[-2000:]
    pages = {name: tmp_path / f'{name.replace(".", "/")}.html' for name in tool.modules()}
    assert [name for name, page in pages.items() if not page.is_file()] == []
    front = pages['alpamayo_ros'].read_text()
    for name in alpamayo_ros.__all__:
        assert f'id="{name}"' in front, f'{name} is missing on the first page'
    assert 'The one plan that may leave' in front  # a name is there with its docstring
