"""Recorded scenes as JSON: what is written is read, what is wrong is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from log_scene import PROVENANCE, driven, lane, scene

from alpamayo_ros.datasets import log_format
from alpamayo_ros.datasets.log_build import GAP_S, Material, Seen, build
from alpamayo_ros.datasets.log_format import Log, LogError, read_log, write_log
from alpamayo_ros.datasets.log_map import Drawn
from alpamayo_ros.simulation.scenario import load_scenario


def _data(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / 'scene.json'
    write_log(scene((driven('a', 20.0, 5.0),)), path)
    data: dict[str, Any] = json.loads(path.read_text())
    return data


def _refused(data: object, tmp_path: Path) -> str:
    path = tmp_path / 'bad.json'
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    with pytest.raises(LogError) as error:
        read_log(path)
    return str(error.value)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    log = scene((driven('a', 20.0, 5.0), driven('p', 5.0, 0.0, 4.0, 'pedestrian')))
    size = write_log(log, tmp_path / 'scene.json')
    assert read_log(tmp_path / 'scene.json') == log
    assert size == (tmp_path / 'scene.json').stat().st_size


def test_who_stands_takes_one_entry_and_is_there_all_the_time() -> None:
    log = scene((driven('parked', 20.0, 0.0),))
    track = log.agents[0]
    assert len(track.x_m) == 1
    assert track.states().shape == (81, 4)
    assert np.allclose(track.states()[:, :2], [20.0, 0.0])


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'version': 2}, 'version'),
        ({'surprise': 1}, 'surprise'),
        ({'steps': 70}, 'all 70 steps'),
        ({'steps': 99_999}, 'steps'),
    ],
)
def test_a_wrong_log_is_refused_by_the_field(
    change: dict[str, object], words: str, tmp_path: Path
) -> None:
    assert words in _refused({**_data(tmp_path), **change}, tmp_path)


@pytest.mark.parametrize('whose', ['ego', 'agent'])
def test_who_jumps_farther_than_anything_drives_is_refused(tmp_path: Path, whose: str) -> None:
    data = _data(tmp_path)
    track = data['ego'] if whose == 'ego' else data['agents'][0]
    track['x_m'][3] = -15_000.0
    said = _refused(data, tmp_path)
    assert 'from entry 2 to the next' in said and '20 m at most' in said


def test_a_wrong_track_is_refused_by_its_place(tmp_path: Path) -> None:
    data = _data(tmp_path)
    data['agents'][0]['x_m'][3] = 'far'
    assert 'agents.0.x_m.3' in _refused(data, tmp_path)
    data = _data(tmp_path)
    data['agents'][0]['x_m'].pop()
    assert 'differ in length' in _refused(data, tmp_path)
    data = _data(tmp_path)
    data['agents'][0]['first'] = 5
    assert "'a' goes on after the last step" in _refused(data, tmp_path)
    data = _data(tmp_path)
    data['agents'][0]['stands'] = 5
    assert 'stands 5 steps' in _refused(data, tmp_path)


@pytest.mark.parametrize('value', ['NaN', '1e400', '-Infinity', '50000'])
def test_a_place_that_is_nowhere_is_refused(value: str, tmp_path: Path) -> None:
    text = json.dumps(_data(tmp_path)).replace('"x_m": [20.0', f'"x_m": [{value}', 1)
    assert value in text
    _refused(text, tmp_path)


def test_deep_or_broken_json_is_refused(tmp_path: Path) -> None:
    _refused('[' * 100_000, tmp_path)
    _refused('{"format": "alpamayo_log"', tmp_path)
    _refused('', tmp_path)


def test_a_file_that_is_too_large_is_not_even_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_format, 'MAX_BYTES', 10)
    assert 'at most 10' in _refused('{"format": "alpamayo_log"}', tmp_path)


def test_an_unknown_name_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(LogError, match='alpamayo data log'):
        read_log(tmp_path / 'nowhere.json')


# ---- how logs are made --------------------------------------------------------------------------
def _built(agents: tuple[Seen, ...], lines: tuple[Drawn, ...] = ()) -> Log:
    ego = driven('ego', 1000.0, 8.0, 2000.0, rate_hz=2.0)
    return build(Material('made_up', PROVENANCE, ego, agents, lines))


def test_two_hertz_become_ten_around_a_local_origin() -> None:
    log = _built((driven('a', 1020.0, 4.0, 2000.0, rate_hz=2.0),))
    assert log.steps == 81
    assert (log.ego.x_m[0], log.ego.y_m[0]) == (0.0, 0.0)
    assert log.ego.x_m[1] == pytest.approx(0.8)
    assert log.agents[0].x_m[10] == pytest.approx(24.0)
    assert log.agents[0].speed_mps[10] == pytest.approx(4.0)


def test_headings_are_not_interpolated_the_long_way_round() -> None:
    t, xy = np.array([0.0, 1.0]), np.array([[1010.0, 2000.0], [1009.0, 2000.0]])
    log = _built((Seen('a', 'car', 4.5, 1.8, t, xy, np.array([3.1, -3.1])),))
    assert abs(np.cos(log.agents[0].heading_rad[5])) > 0.99


def test_a_long_gap_cuts_a_track_and_a_short_one_does_not() -> None:
    a = driven('a', 1020.0, 4.0, 2000.0)
    for gap_s, tracks in ((GAP_S * 0.8, 1), (GAP_S * 2, 2)):
        seen = (a.time_s < 3.0) | (a.time_s > 3.0 + gap_s)
        cut = Seen('a', 'car', 4.5, 1.8, a.time_s[seen], a.xy[seen], a.heading_rad[seen])
        log = _built((cut,))
        assert [t.id for t in log.agents] == ['a'] * tracks
    assert log.agents[1].first >= 49


def test_the_ego_may_not_be_missing() -> None:
    ego = driven('ego', 0.0, 8.0)
    seen = (ego.time_s < 3.0) | (ego.time_s > 5.0)
    cut = Seen('ego', 'car', 4.5, 1.8, ego.time_s[seen], ego.xy[seen], ego.heading_rad[seen])
    with pytest.raises(LogError, match='missing for'):
        build(Material('made_up', PROVENANCE, cut, ()))


def test_what_is_far_away_is_left_out_and_lines_have_few_points() -> None:
    x = np.arange(0, 2000.0, 0.5)
    line = Drawn('lane_centre', np.stack([900.0 + x, np.full(len(x), 2000.0)], 1))
    log = _built((driven('far', 3000.0, 1.0, 2000.0),), (line,))
    assert log.agents == ()
    assert len(log.lines[0].x_m) == 2
    assert max(log.lines[0].x_m) < 300


def test_extended_scenes_say_so_and_go_straight_on() -> None:
    log = scene((driven('a', 20.0, 5.0), driven('left', 9.0, 1.0, 3.0, seconds=2.0)), extend_s=2.0)
    assert log.duration_s == pytest.approx(10.0)
    assert log.agents[0].x_m[-1] == pytest.approx(20.0 + 50.0, abs=0.1)
    assert log.agents[1].steps == 21  # who had left does not come back
    assert 'goes straight on' in log.provenance.assumed[-1]


def test_a_scenario_finds_the_log_beside_it(tmp_path: Path) -> None:
    write_log(scene(lines=(lane(0.0),)), tmp_path / 'scene.json')
    (tmp_path / 's.yaml').write_text(
        'name: s\ndescription: x\nmap: log\nduration_s: 9\ntraffic: {log: scene.json}\n'
    )
    assert load_scenario(tmp_path / 's.yaml').traffic.log == str(tmp_path / 'scene.json')


def test_the_example_of_the_page_is_a_log(repository: Path, tmp_path: Path) -> None:
    page = (repository / 'docs' / 'recorded_logs.md').read_text()
    (tmp_path / 'a.json').write_text(page.split('```json\n')[1].split('```')[0])
    log = read_log(tmp_path / 'a.json')
    assert (log.steps, log.agents[0].steps, log.signals[0].at(1)) == (3, 3, 'red')
