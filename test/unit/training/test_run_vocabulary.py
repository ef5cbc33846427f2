"""The words of a run are those that it began with."""

from pathlib import Path

import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from first_grammar import first_profile

from alpamayo_ros.profile import load_profile
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.vocabulary import (
    build_vocabulary,
    further_vocabulary,
    run_vocabulary,
    write_vocabulary,
)


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A run that speaks nano's grammar."""
    write_vocabulary(build_vocabulary(load_profile('nano')), tmp_path)
    return tmp_path


def test_a_run_keeps_its_words(begun: Path) -> None:
    nano = load_profile('nano')
    grammar = run_vocabulary(nano, begun)
    assert grammar.tokenizer.to_json() == (begun / 'tokenizer.json').read_text()


def test_another_grammar_is_refused_but_a_new_run_may_begin_with_it(begun: Path) -> None:
    first = first_profile()
    with pytest.raises(ConfigError, match='began with another grammar .* than phrases_v1'):
        run_vocabulary(first, begun)
    assert further_vocabulary(first, begun).spec.version == 1


@pytest.mark.parametrize('name', ['tokenizer.json', 'grammar.json'])
def test_a_damaged_file_is_named(begun: Path, name: str) -> None:
    (begun / name).write_text('{"version": ')
    with pytest.raises(ConfigError, match=f'{name} is damaged'):
        run_vocabulary(load_profile('nano'), begun)
