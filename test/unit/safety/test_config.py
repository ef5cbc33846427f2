"""What decide is configured with: defaults that need a person, caps that only lower."""

import math
from dataclasses import replace

import pytest

from alpamayo_ros.faults import Code, Fault, Reaction
from alpamayo_ros.limits import RISING, load_limits
from alpamayo_ros.motion.cost import Weights
from alpamayo_ros.profile import load_profile
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.state import Mode, SafetyState
from alpamayo_ros.statuses import ConfigError

SHIPPED = PlanConfig.from_files()
TOP_MPS = SHIPPED.profile.max_speed_mps
RATIO = SHIPPED.limits.degraded_speed_ratio


def test_by_default_a_person_arms_and_nothing_is_capped():
    assert not SHIPPED.auto_arm and not SHIPPED.auto_rearm and not SHIPPED.coc_degrades
    assert SHIPPED.period_s == 0.1 and SHIPPED.speed_cap_mps == math.inf
    assert SHIPPED.weights == Weights()


def test_files_and_options_reach_the_configuration():
    config = PlanConfig.from_files('nano', None, 'sim', auto_arm=True, speed_cap_mps=3.0)
    assert config.auto_arm and not config.auto_rearm and config.speed_cap_mps == 3.0
    assert config.limits == load_limits() and config.profile == load_profile('nano')


@pytest.mark.parametrize('acceleration_mps2', [0.0, 0.3])
def test_a_lowered_acceleration_lowers_warning_and_limit_and_nothing_else(acceleration_mps2):
    lowered = SHIPPED.lowered(acceleration_mps2=acceleration_mps2)
    assert lowered.limits.acceleration_mps2 == acceleration_mps2
    assert lowered.limits.acceleration_warn_mps2 == acceleration_mps2
    same = {'acceleration_mps2': 0.0, 'acceleration_warn_mps2': 0.0}
    assert lowered.limits.model_copy(update=same) == SHIPPED.limits.model_copy(update=same)
    assert lowered.speed_cap_mps == math.inf


def test_a_model_that_asks_for_a_longer_period_gets_it():
    slow = load_profile('nvidia-r1-10b')
    assert PlanConfig(slow, SHIPPED.limits, SHIPPED.vehicle).period_s == slow.deadlines.period_s
    assert PlanConfig(slow, SHIPPED.limits, SHIPPED.vehicle, 0.3).period_s == 0.3
    assert PlanConfig(SHIPPED.profile, SHIPPED.limits, SHIPPED.vehicle, 0.05).period_s == 0.05


def test_caps_never_raise():
    raised = SHIPPED.lowered(4.0).lowered(9.0, 100.0)
    assert raised.speed_cap_mps == 4.0 and raised.limits == SHIPPED.limits


def test_the_lowest_cap_of_profile_and_person_holds():
    state = SafetyState(mode=Mode.ACTIVE)
    assert SHIPPED.speed_cap(state, []) == TOP_MPS
    assert SHIPPED.lowered(2 * TOP_MPS).speed_cap(state, []) == TOP_MPS
    assert SHIPPED.lowered(4.0).speed_cap(state, []) == 4.0


@pytest.mark.parametrize('mode', list(Mode))
@pytest.mark.parametrize('reaction', [None, *Reaction])
def test_less_speed_while_degraded_or_about_to_be(mode, reaction):
    faults = [Fault(next(c for c in Code if c.reaction is reaction))] if reaction else []
    bad = mode is Mode.DEGRADED or (reaction is not None and reaction >= Reaction.MASK)
    cap = SHIPPED.lowered(8.0).speed_cap(SafetyState(mode=mode), faults)
    assert cap == pytest.approx(8.0 * RATIO if bad else 8.0) and RATIO < 1


@pytest.mark.parametrize(('lesser', 'greater'), RISING)
def test_limits_that_contradict_each_other_are_refused_by_name_whoever_made_them(lesser, greater):
    high = getattr(SHIPPED.limits, greater)
    least, most = sorted((math.nextafter(high, 0.0), math.nextafter(high, math.inf)))
    for inside in (least, high):
        assert replace(SHIPPED, limits=SHIPPED.limits.model_copy(update={lesser: inside}))
    for outside in (most, math.nan):
        with pytest.raises(ConfigError, match=f'limits: .*{lesser} = '):
            replace(SHIPPED, limits=SHIPPED.limits.model_copy(update={lesser: outside}))
