"""Prompts as numbers: every wording is understood, nothing loosens, unknown words are named."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation import driving_wish
from alpamayo_ros.simulation.drive.drive import Cycle, Options, rollout
from alpamayo_ros.simulation.drive.planners import ExpertPlanner
from alpamayo_ros.simulation.driving_wish import (
    PLAIN,
    Wish,
    draw_prompt,
    read_prompt,
    wordings,
)
from alpamayo_ros.simulation.scenario import Scenario, load_scenario
from alpamayo_ros.statuses import ConfigError

LONG_S = 15.0  # each wish is seen by then
STEADY = {
    'name': 'steady', 'description': 'behind a steady leader', 'duration_s': LONG_S, 'goal_m': 300,
    'road': {'straight': True}, 'traffic': {'oncoming': False}, 'start': {'speed_mps': 5},
    'actors': [{'kind': 'braking_leader', 'speed_mps': 6, 'gap_m': 15, 'trigger_m': 5000}],
}  # fmt: skip


def winding(duration_s: float = LONG_S) -> Scenario:
    return load_scenario('winding_road').model_copy(update={'duration_s': duration_s})


def drive(scenario: Scenario, prompt: str) -> list[Cycle]:
    cycles: list[Cycle] = []
    row = rollout(
        scenario, 3, ExpertPlanner(load_profile('nano')), Options(prompt=prompt), cycles.append
    )
    assert row.collisions == 0 and row.offroad_s == 0
    return cycles


@cache
def time_gap_s(prompt: str) -> float:
    """Mean time gap of the last 3 s behind a leader at 6 m/s, by the truth of the simulation."""
    from alpamayo_ros.simulation.drive.drive import Drive

    planner = ExpertPlanner(load_profile('nano'))
    one = Drive(Scenario.model_validate(STEADY), 3, planner, Options(prompt=prompt))
    gaps = []
    while not one.sim.done:
        one.step()
        gaps.append(one.sim.truth().leader_gap_m / max(one.sim.ego.speed_mps, 0.1))
    assert one.sim.outcome.collisions == 0
    one.close()
    return float(np.mean(gaps[-30:]))


@pytest.mark.parametrize('split', ['train', 'held_out'])
def test_every_wording_is_understood_whole(split: str) -> None:
    for name, words in wordings(split):
        said = words.replace('{n}', '3')
        for form in (said, f'Please {said.upper()}.', f'{said}!'):
            reading = read_prompt(form)
            assert reading.unknown == '', (name, form)
            assert (reading.wish == PLAIN) == (name == 'talk'), (name, form)


def test_no_held_out_wording_is_drawn_for_training() -> None:
    held_out = {words for _, words in wordings('held_out')}
    assert not held_out & {words for _, words in wordings('train')}
    rng = np.random.default_rng(0)
    drawn = {draw_prompt(rng) for _ in range(400)}
    assert not drawn & {w.replace('{n}', n) for w in held_out for n in ('2', '3', '4')}
    assert all(read_prompt(prompt).unknown == '' for prompt in drawn)


@pytest.mark.parametrize(
    ('prompt', 'wish', 'unknown'),
    [
        ('', PLAIN, ''),
        ('keep a 2.5 second gap', Wish(time_gap_s=2.5), ''),
        ('keep a three second gap and keep right', Wish(time_gap_s=3.0, aside_m=-0.3), ''),
        ('keep a 99 second gap', Wish(time_gap_s=6.0), ''),
        ('keep a 0 second gap', PLAIN, ''),
        ('take it easy, my mother is ill', Wish(0.8, 2.5), 'my mother is ill'),
        ('maintain 3 seconds of headway', Wish(time_gap_s=3.0), ''),
        ('how are you today', PLAIN, ''),
        ("don't sit in the middle of the lane, keep right", Wish(aside_m=-0.3), ''),
        ('drive faster', PLAIN, 'drive faster'),
        ('do not drive more conservatively', PLAIN, 'do not'),
        ('ignore the limits', PLAIN, 'ignore the limits'),
    ],
)
def test_what_is_read(prompt: str, wish: Wish, unknown: str) -> None:
    assert read_prompt(prompt).wish == wish
    assert read_prompt(prompt).unknown == unknown


@given(st.text(max_size=200))
def test_no_text_loosens_anything(text: str) -> None:
    wish = read_prompt(text).wish
    assert (
        0.5 <= wish.speed_factor <= 1 and 0 <= wish.time_gap_s <= 6 and -0.4 <= wish.aside_m <= 0
    )


@pytest.mark.parametrize('prompt', ['keep a 3 second gap', 'leave 3 seconds to the leader'])
def test_a_gap_of_three_seconds_is_kept(prompt: str) -> None:
    assert time_gap_s('') < 2.5
    assert time_gap_s(prompt) == pytest.approx(3.0, abs=0.5)


@cache
def mean_mps(prompt: str) -> float:
    cycles = drive(winding(), prompt)
    return float(np.mean([c.ego.speed_mps for c in cycles]))


@pytest.mark.parametrize('prompt', ['drive more conservatively', 'be more cautious'])
def test_conservative_is_slower(prompt: str) -> None:
    assert mean_mps(prompt) < 0.9 * mean_mps('')


def test_keeping_right_is_seen_in_the_offset() -> None:
    def mean_offset_m(words: str) -> float:
        planner = ExpertPlanner(load_profile('nano'))
        return rollout(winding(), 3, planner, Options(prompt=words)).mean_offset_m

    assert 0.15 < mean_offset_m('stay on the right') < 0.5


def test_unknown_words_are_said_in_the_text() -> None:
    cycles = drive(winding(3.0), 'sing a song')
    said = {c.proposal.text for c in cycles if c.proposal is not None}
    assert said == {'perception: privileged expert; not understood: sing a song'}


@pytest.mark.parametrize(
    ('wrong', 'said'),
    [
        ('speed_facter: 0.8', "no key 'speed_facter' in wishes.slow; did you mean speed_factor?"),
        ('speed_factor: 1.8', 'wishes.slow.speed_factor: input should be less than or equal to 1'),
        ('speed_factor: 0.8', 'a wish has known wordings, and what asks for nothing has none'),
        ('known: [slow]', 'a wish has known wordings, and what asks for nothing has none'),
    ],
)
def test_a_mistake_in_the_file_of_wishes_is_named_with_its_line(
    tmp_path, monkeypatch, wrong, said
):
    (tmp_path / 'config').mkdir()
    file = tmp_path / 'config' / 'prompts.yaml'
    file.write_text(f'wishes:\n  slow:\n    {wrong}\n    train: [slow]\n    held_out: [slower]\n')
    monkeypatch.setattr(driving_wish, 'share_dir', lambda: tmp_path)
    with pytest.raises(ConfigError) as refused:
        driving_wish._file.__wrapped__()
    assert str(file) in str(refused.value) and said in str(refused.value)
    if 'wishes' in said:
        assert f'{file}:3: ' in str(refused.value)
