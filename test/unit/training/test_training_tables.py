"""Truth by name and views by camera: what the stages of training read instead of numbers."""

import pytest

torch = pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from alpamayo_ros.profile import load_profile  # noqa: E402
from alpamayo_ros.training import front, truth  # noqa: E402
from alpamayo_ros.training.collect import camera_instant  # noqa: E402
from alpamayo_ros.training.losses import truth_loss  # noqa: E402
from alpamayo_ros.training.steps.recipe import Step  # noqa: E402

PROFILE = load_profile('nano')


def test_every_column_has_one_kind():
    found = [*truth.GEOMETRY, truth.SEEN, *truth.FACTS, *truth.LEADER]
    assert sorted(found) == list(range(len(truth.NAMES))) and len(truth.SCALE) == len(found)
    assert [truth.NAMES[i] for i in truth.LEADER] == ['leader_gap', 'leader_closing']


@pytest.mark.parametrize('name', ['leader_gap', 'leader_closing', 'leader_braking'])
def test_a_leader_counts_only_where_one_is_seen(name):
    wrong = torch.zeros(1, len(truth.NAMES))
    wrong[0, truth.COLUMN[name]] = 3.0
    for seen in (0.0, 1.0):
        facts = torch.zeros(1, len(truth.NAMES))
        facts[0, truth.SEEN] = seen
        loss = float(truth_loss(wrong, facts)) - float(truth_loss(torch.zeros_like(wrong), facts))
        assert (abs(loss) > 0.01) == bool(seen)


def test_front_views_are_those_of_the_mandatory_camera():
    assert [PROFILE.views[i].name for i in front.front_views(PROFILE)] == ['front', 'front_narrow']
    assert front.side_views(PROFILE) == list(range(2, len(PROFILE.views)))
    assert front.front_tokens(PROFILE) == sum(v.tokens for v in PROFILE.views[:2])


def test_front_views_that_do_not_come_first_are_refused():
    other = PROFILE.model_copy(update={'views': PROFILE.views[::-1]})
    with pytest.raises(ValueError, match='come first'):
        front.front_views(other)


@pytest.mark.parametrize(
    ('spacing_s', 'steps'),
    [(0.25, [0, 2, 5, 7, 10, 12]), (0.2, [0, 2, 4, 6, 8, 10, 12]), (0.5, [0, 5, 10])],
)
def test_cameras_are_taken_at_the_spacing_of_the_profile(spacing_s, steps):
    assert [step for step in range(13) if camera_instant(step, spacing_s)] == steps


def test_a_collecting_step_names_its_scenarios():
    with pytest.raises(ValueError, match="'expert' collects, so it wants families"):
        Step(name='expert', do='collect_expert', seeds=(10000, 10010))
