"""Whether a proposal may be judged, and what its judgement says: each fault, at its limit."""

from dataclasses import replace

import numpy as np
import pytest
from drives import DT, LIMITS, SECOND, VEHICLE, K, P, ego, noisy, plan, truth

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.motion.cost import cost
from alpamayo_ros.motion.rollout import roll_out
from alpamayo_ros.motion.validate import Checks, validate
from alpamayo_ros.safety.acceptance import Judgement, faults, finite_only, refuse
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.types import Proposal

CONFIG = PlanConfig.from_files()
T0, HERE, MS = SECOND, ego(8.0, SECOND), SECOND // 1000
RAW = noisy(truth(8.0)[0], 0.02)


def refused(t0_ns=T0, here=HERE, previous=None, now_ns=T0, raw=RAW):
    return refuse(Proposal(t0_ns, raw, ''), here, previous, CONFIG, now_ns)


def judged(raw=RAW, chosen=0, spread_m=0.0, **changes):
    """Faults of candidates; ``changes``: parts of the checks or the collision that are others."""
    feasible = roll_out(raw, HERE, VEHICLE, LIMITS, 10.0, DT)
    checks = validate(raw, feasible, HERE, None, LIMITS, 10.0, DT)
    costs = cost(feasible, HERE, None, None, VEHICLE, LIMITS, CONFIG.weights)
    checks = replace(checks, **{k: v for k, v in changes.items() if k == 'values'})
    costs = replace(costs, **{k: v for k, v in changes.items() if k == 'collision'})
    return faults(raw, checks, costs, chosen, spread_m, LIMITS)


def test_a_good_proposal_is_judged_and_says_nothing():
    assert refused() is None and judged() == []


@pytest.mark.parametrize('shape', [(K, P), (0, P, 3), (K, P - 1, 3), (K, P, 2), (K, 3, P)])
def test_the_shape_is_that_of_the_profile(shape):
    odd = Proposal(T0, RAW, '')
    object.__setattr__(odd, 'candidates', np.zeros(shape, np.float32))  # as a runtime may do
    fault = refuse(odd, HERE, None, CONFIG, T0)
    assert fault.code is Code.PLAN_SHAPE and str(shape) in fault.message and '60' in fault.message


def test_one_candidate_is_enough():
    assert refused(raw=RAW[:1]) is None


def test_age_at_the_limit_is_too_old():
    limit_ns = round(LIMITS.plan_age_s * SECOND)
    assert refused(now_ns=T0 + limit_ns - MS) is None
    fault = refused(now_ns=T0 + limit_ns)
    assert fault.code is Code.PLAN_STALE
    assert fault.values == {'age_s': pytest.approx(0.5), 'limit_s': LIMITS.plan_age_s}


def test_no_proposal_from_the_future():
    assert refused(now_ns=T0 - 100 * MS) is None
    fault = refused(now_ns=T0 - 101 * MS)
    assert fault.code is Code.PLAN_FUTURE
    assert fault.values == {'ahead_s': pytest.approx(0.101), 'limit_s': LIMITS.stamp_future_s}


@pytest.mark.parametrize('here', [None, replace(HERE, x_m=float('nan'))])
def test_without_a_pose_there_is_no_anchor(here):
    assert refused(here=here).code is Code.ODOM_GAP


@pytest.mark.parametrize('apart_ms', [-100, 100])
def test_the_pose_is_that_of_t0(apart_ms):
    fault = refused(here=ego(8.0, T0 + apart_ms * MS))
    assert fault.code is Code.INTERNAL
    assert fault.values == {'apart_s': pytest.approx(apart_ms / 1000)}


def test_a_proposal_is_newer_than_the_models_last_plan():
    assert refused(previous=plan(8.0, t0_ns=T0 - 1)) is None
    same = refused(previous=plan(8.0, t0_ns=T0))
    assert same.code is Code.PLAN_STAMP and same.values == {'behind_s': 0.0}
    older = refused(previous=plan(8.0, t0_ns=T0 + 50 * MS))
    assert older.values == {'behind_s': pytest.approx(0.05)}
    assert refused(previous=plan(8.0, t0_ns=T0 + 50 * MS, source='fallback')) is None


def test_only_whole_candidates_are_finite():
    raw = RAW.copy()
    raw[1, 7, 2], raw[4, 0, 0] = np.nan, np.inf
    assert (finite_only(raw) == raw[[0, 2, 3, 5, 6, 7]]).all()


def test_dropped_candidates_are_counted():
    raw = RAW.copy()
    raw[1, 7, 2], raw[4, 0, 0] = np.nan, np.inf
    assert judged(raw) == [Fault(Code.MODEL_NONFINITE, values={'candidates': 2.0})]


@pytest.mark.parametrize(
    ('spread_m', 'code', 'limit_m'),
    [
        (LIMITS.spread_warn_m, None, 0.0),
        (LIMITS.spread_warn_m + 0.01, Code.SPREAD_WARN, LIMITS.spread_warn_m),
        (LIMITS.spread_m, Code.SPREAD_WARN, LIMITS.spread_warn_m),
        (LIMITS.spread_m + 0.01, Code.SPREAD, LIMITS.spread_m),
    ],
)
def test_spread(spread_m, code, limit_m):
    values = {'spread_m': spread_m, 'limit_m': limit_m}
    assert judged(spread_m=spread_m) == ([Fault(code, values=values)] if code else [])


def test_a_spread_that_is_no_number_is_too_much():
    assert [f.code for f in judged(spread_m=float('nan'))] == [Code.SPREAD]


@pytest.mark.parametrize(('probability', 'warned'), [(0.49, False), (0.5, True), (np.nan, True)])
def test_a_likely_collision_of_the_chosen_one(probability, warned):
    others = np.ones(K)
    others[3] = probability
    found = judged(chosen=3, collision=others)
    assert [f.code for f in found] == ([Code.COLLISION_WARN] if warned else [])
    if probability == 0.5:
        assert found[0].values == {'probability': 0.5}


def checks_with(**values):
    """Checks of a good drive, of which the named columns of every candidate are others."""
    feasible = roll_out(RAW, HERE, VEHICLE, LIMITS, 10.0, DT)
    checks = validate(RAW, feasible, HERE, None, LIMITS, 10.0, DT)
    table = checks.values.copy()
    for name, column in values.items():
        table[:, checks.names.index(name)] = column
    return replace(checks, values=table)


def told(chosen=None, **values):
    """What is said of ``checks_with``."""
    feasible = roll_out(RAW, HERE, VEHICLE, LIMITS, 10.0, DT)
    costs = cost(feasible, HERE, None, None, VEHICLE, LIMITS, CONFIG.weights)
    return faults(RAW, checks_with(**values), costs, chosen, 0.0, LIMITS)


def test_close_to_a_limit():
    column = np.zeros(K)
    column[2] = 3.5
    (fault,) = told(2, lateral_acceleration_mps2=column)
    assert fault.code is Code.PLAN_WARN and fault.values == {'lateral_acceleration_mps2': 3.5}
    assert 'lateral_acceleration_mps2 3.5 (warning at 3)' in fault.message
    assert told(1, lateral_acceleration_mps2=column) == []


def test_a_rejection_says_which_check_how_often_and_how_far():
    column = np.linspace(5.0, 12.0, K)  # the first is at the limit
    (fault,) = told(None, lateral_acceleration_mps2=column, curvature_1pm=0.3)
    assert fault.code is Code.PLAN_REJECTED
    assert fault.values == {'lateral_acceleration_mps2': 7.0, 'curvature_1pm': 8.0}
    assert 'lateral_acceleration_mps2 rejects 7 (least 5, limit 5)' in fault.message
    assert 'curvature_1pm rejects 8 (least 0.3, limit 0.2)' in fault.message


def test_only_a_jump_in_the_way_is_called_a_jump():
    jumps = np.full(K, 3.0)
    (fault,) = told(None, jump_lateral_m=jumps)
    assert fault.code is Code.PLAN_JUMP and fault.values == {'jump_lateral_m': 8.0}
    assert told(None, jump_lateral_m=jumps, curvature_1pm=1.0)[0].code is Code.PLAN_REJECTED
    others = np.full(K, 1.0)
    others[5] = 0.0  # one candidate fails by its jump alone
    assert told(None, jump_lateral_m=jumps, curvature_1pm=others)[0].code is Code.PLAN_JUMP
    jumps[5] = 1.5  # at the limit: nothing stands in its way
    (fault,) = told(None, jump_lateral_m=jumps, curvature_1pm=others)
    assert fault.code is Code.PLAN_REJECTED
    assert told(None, jump_lateral_m=np.nan)[0].code is Code.PLAN_JUMP


def test_what_was_found_is_told_in_one_order():
    raw = RAW.copy()
    raw[1, 7, 2] = np.nan
    feasible = roll_out(RAW, HERE, VEHICLE, LIMITS, 10.0, DT)
    costs = cost(feasible, HERE, None, None, VEHICLE, LIMITS, CONFIG.weights)
    costs = replace(costs, collision=np.ones(K))
    checks = checks_with(lateral_acceleration_mps2=3.5)
    found = faults(raw, checks, costs, 0, 6.0, LIMITS)
    order = [Code.MODEL_NONFINITE, Code.SPREAD_WARN, Code.PLAN_WARN, Code.COLLISION_WARN]
    assert [f.code for f in found] == order
    found = faults(raw, checks_with(curvature_1pm=1.0), costs, None, 6.0, LIMITS)
    assert [f.code for f in found] == [Code.MODEL_NONFINITE, Code.PLAN_REJECTED]


@pytest.mark.parametrize('code', list(Code), ids=lambda c: c.name)
def test_a_choice_is_valid_but_for_two_faults(code):
    judgement = Judgement(Proposal(T0, RAW, ''), (Fault(Code.SKEW_WARN), Fault(code)), chosen=0)
    assert judgement.valid is (code not in (Code.SPREAD, Code.PLAN_STAMP))
    assert not replace(judgement, chosen=None).valid


def test_checks_stay_as_they_are_when_told():
    assert isinstance(checks_with(), Checks) and checks_with().ok.all()
