"""Where the rig of a recording is looked for, whatever way the recording was named."""

from pathlib import Path

import pytest

from alpamayo_ros.datasets.rig_file import rig_path


@pytest.mark.parametrize('named', ['.', '', './'])
def test_the_present_folder_has_a_name_too(named: str, tmp_path: Path, monkeypatch) -> None:
    bag = tmp_path / 'drive'
    bag.mkdir()
    monkeypatch.chdir(bag)
    assert rig_path(Path(named)) == tmp_path / 'drive.rig.yaml'
    (bag / 'below').mkdir()
    monkeypatch.chdir(bag / 'below')
    assert rig_path(Path('..')) == tmp_path / 'drive.rig.yaml'


def test_a_dot_is_an_ending_in_the_name_of_a_file_alone(tmp_path: Path) -> None:
    (tmp_path / 'drive_1.5').mkdir()
    assert rig_path(tmp_path / 'drive_1.5') == tmp_path / 'drive_1.5.rig.yaml'
    assert rig_path(Path('drive.mcap')) == Path('drive.rig.yaml')
