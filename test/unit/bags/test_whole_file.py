"""A file is replaced whole or not at all."""

import os

import pytest

from alpamayo_ros.bags.whole_file import write_whole


def test_a_refused_write_leaves_the_old_file_and_no_part(tmp_path, monkeypatch):
    path = write_whole(tmp_path / 'a.json', 'old')

    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(OSError, match='No space') as refused:
        write_whole(path, 'new')
    assert refused.value.filename == str(path)
    assert path.read_text() == 'old'
    assert [p.name for p in tmp_path.iterdir()] == ['a.json']
