"""Configuration files: every refusal names file, line, key and the nearest word."""

from pathlib import Path

import pytest
import yaml

from alpamayo_ros.config_file import line_of, nearest
from alpamayo_ros.limits import load_limits
from alpamayo_ros.profile import load_profile, share_dir
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.yaml_file import read_yaml

CONFIG = share_dir() / 'config'
SHIPPED = {
    load_rig: CONFIG / 'rigs' / 'sim.yaml',
    load_profile: CONFIG / 'profiles' / 'nano.yaml',
    load_scenario: CONFIG / 'scenarios' / 'stopped_car.yaml',
    load_limits: CONFIG / 'limits.param.yaml',
}


def changed(load, before: str, after: str, folder: Path) -> Path:
    """The shipped file with one place rewritten."""
    text = SHIPPED[load].read_text()
    assert before in text, before
    path = folder / 'mine.yaml'
    path.write_text(text.replace(before, after, 1))
    return path


def line(path: Path, part: str) -> int:
    return next(n for n, t in enumerate(path.read_text().splitlines(), 1) if part in t)


@pytest.mark.parametrize(
    ('load', 'before', 'after', 'at', 'said'),
    [
        (
            load_rig,
            '  width:',
            '  widht:',
            'widht',
            "no key 'widht' in cameras.0; did you mean width?",
        ),
        (load_rig, 'policy: hold', 'policy: hodl', 'hodl', "'hold', 'mask' or 'reject', got 'ho"),
        (load_rig, 'wheelbase_m: ', 'wheelbase_m: -', 'wheelbase_m', 'vehicle.wheelbase_m: input'),
        (load_profile, 'max_coc:', 'max_cot:', 'max_cot', 'did you mean max_coc?'),
        (load_profile, ', camera: rear_right', ', camera: rihgt', 'rihgt', "wants camera 'rihgt'"),
        (load_profile, 'heads: 3, kv', 'heads: 7, kv', 'heads: 7', 'backbone.heads 7 must divide'),
        (load_scenario, 'duration_s:', 'duration:', 'duration:', 'did you mean duration_s?'),
        (load_limits, 'curvature_1pm:', 'curvature_1mp:', '1mp', 'did you mean curvature_1pm?'),
    ],
)
def test_the_line_the_key_and_the_nearest_word_are_said(
    load, before, after, at, said, tmp_path
) -> None:
    path = changed(load, before, after, tmp_path)
    with pytest.raises(ConfigError) as refused:
        load(path)
    text = str(refused.value)
    assert said in text and '\n' not in text
    named = int(text.split(f'{path}:')[1].split(':')[0])
    missing = 'this key is missing' in text  # a misspelt key is also one that is missing
    assert missing or named == line(path, at), text


@pytest.mark.parametrize('load', SHIPPED)
@pytest.mark.parametrize(
    ('content', 'said'),
    [
        (b'', 'mine.yaml: expected '),
        (b'- 1\n- 2\n', 'mine.yaml: expected '),
        (b'a: [\n', 'mine.yaml:2: no valid YAML'),
        (b'a: 1\nb: 2\na: 3\n', "mine.yaml: line 3 has the key 'a' a second time"),
        (b'\xff\xfe\x00', 'mine.yaml: no text in UTF-8'),
        (b'a: !!python/object:os.system {}\n', 'mine.yaml:1: no valid YAML'),
        (b'a: \x07\n', 'mine.yaml: unacceptable character'),
    ],
)
def test_a_file_that_is_no_such_file_is_one_sentence(load, content, said, tmp_path) -> None:
    path = tmp_path / 'mine.yaml'
    path.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        load(path)
    assert said in str(refused.value) and '\n' not in str(refused.value)


def test_a_name_that_there_is_not_names_the_nearest_and_a_path_what_lies_beside(tmp_path) -> None:
    (tmp_path / 'car.yaml').touch()
    for load, name, said in [
        (load_rig, 'sin', "no rig 'sin'; did you mean sim?"),
        (load_profile, 'nan', "no profile 'nan'; did you mean nano?"),
        (load_scenario, 'stoped_car', 'did you mean stopped_car'),
        (load_scenario, 'zzz', 'alpamayo sim --list'),
        (load_rig, tmp_path / 'cor.yaml', 'cor.yaml; did you mean car.yaml?'),
        (load_rig, tmp_path / 'no' / 'car.yaml', 'no rig file'),
    ]:
        with pytest.raises(FileNotFoundError) as refused:
            load(name)
        assert said in str(refused.value)
    (tmp_path / 'folder.yaml').mkdir()
    with pytest.raises(ConfigError, match='is a folder; expected the .yaml file of a profile'):
        load_profile(tmp_path / 'folder.yaml')


def test_every_key_of_a_shipped_file_has_its_line() -> None:
    path = SHIPPED[load_rig]
    lines = path.read_text().splitlines()
    tree = yaml.safe_load(path.read_text())
    assert read_yaml(path) == tree
    for place, camera in enumerate(tree['cameras']):
        for key in camera:
            assert f'{key}:' in lines[line_of(path, ('cameras', place, key)) - 1]


def test_words_that_are_not_alike_are_not_offered() -> None:
    assert nearest('xyz', ['winding_road']) == ''
    assert nearest('wining_road', ['winding_road', 'town']) == '; did you mean winding_road?'
