"""The pages of the public modules are made from the docstrings."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
pytest.importorskip('pdoc', reason='pdoc is not installed: ./run test')


def tool():
    spec = importlib.util.spec_from_file_location('api_pages', ROOT / 'tools' / 'api_pages.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_page_holds_names_signatures_and_docstrings(tmp_path):
    tool().write(tmp_path, ['alpamayo_ros.pipeline', 'alpamayo_ros.faults'])
    page = (tmp_path / 'alpamayo_ros' / 'pipeline.html').read_text()
    assert 'id="decide"' in page and 'The one plan that may leave' in page
    assert (tmp_path / 'index.html').is_file() and (tmp_path / 'search.js').is_file()


def test_every_public_module_is_listed_and_no_other():
    names = set(tool().modules())
    assert {'alpamayo_ros', 'alpamayo_ros.pipeline', 'alpamayo_ros.metrics.table'} <= names
    assert {name.split('.')[1] for name in names if '.' in name}.isdisjoint(tool().LEFT_OUT)
