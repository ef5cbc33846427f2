"""Rows of the fault matrix about what the model says: F33, F37, F39, F40, at level P."""

from dataclasses import replace

import numpy as np
import pytest
from drives import SECOND, K, P, noisy, truth
from loop import CONFIG, Fake, Loop, inputs, invariants

from alpamayo_ros.faults import Code
from alpamayo_ros.pipeline import propose
from alpamayo_ros.safety.state import Mode


def codes(decision):
    return {f.code for f in decision.faults}


@pytest.mark.parametrize('text', ['word ' * 10**6, 'a\x00b\x1b[31mc' * 4000, '\ud800' * 9000])
def test_f33_runaway_text_is_bounded(text):
    """At most 256 tokens and 4 kB of printable UTF-8, flagged as truncated."""
    result = propose(inputs(), Fake(text, range(10**6)))
    assert result.truncated and len(result.token_ids) <= 256
    assert len(result.text.encode('utf-8')) <= 4096
    assert all(c.isprintable() or c == '\n' for c in result.text)


def test_f33_control_characters_are_escaped():
    result = propose(inputs(), Fake('stop\x1b[2J\x00'))
    assert result.text == 'stop\\u001b[2J\\u0000' and not result.truncated


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
def test_f37_one_candidate_is_dropped(bad):
    """In each cycle another candidate holds it somewhere; it is never chosen, driving goes on."""
    rng = np.random.default_rng(0)
    hurt = []

    def raw(ego, cycle):
        candidates = noisy(truth(ego.speed_mps)[0], 0.02, cycle)
        hurt.append(int(rng.integers(K)))
        candidates[hurt[-1], rng.integers(P), rng.integers(3)] = bad
        return candidates

    loop = Loop()
    loop.run(12, raw)
    assert loop.state.mode is Mode.ACTIVE
    for decision, k in zip(loop.decisions, hurt, strict=True):
        assert decision.judgement.chosen != k
        assert codes(decision) == {Code.MODEL_NONFINITE}
    invariants(loop)


def test_f37_all_candidates_not_finite_fall_back():
    loop = Loop()
    loop.run(8)
    last = loop.run(3, lambda e, c: np.full((K, P, 3), np.nan, np.float32))
    assert last.state.mode is Mode.FALLBACK and last.plan.source == 'fallback'
    assert codes(last) == {Code.MODEL_NONFINITE, Code.PLAN_REJECTED}
    loop.run(4)
    assert loop.state.mode is Mode.ACTIVE
    invariants(loop)


def test_f39_all_candidates_infeasible():
    """All limits of plans times 0.1: an ordinary bend is then too much for every candidate."""
    lim = CONFIG.limits
    names = [
        n
        for n in type(lim).model_fields
        if n.split('_')[0] in ('lateral', 'acceleration', 'curvature', 'steering')
    ]
    tight = lim.model_copy(update={n: getattr(lim, n) * 0.1 for n in names})
    loop = Loop()
    loop.run(8)
    loop.config = replace(CONFIG, limits=tight)
    bend = lambda e, c: truth(e.speed_mps, np.where(np.arange(P) > 5, -3.0, 0), 1 / 25)[0]  # noqa: E731
    last = loop.run(3, bend)
    assert last.state.mode is Mode.FALLBACK and last.plan.source == 'fallback'
    rejected = next(f for f in last.faults if f.code is Code.PLAN_REJECTED)
    assert rejected.values and 'limit' in rejected.message
    assert sum(last.health.rejected.values()) >= K
    checks = last.judgement.checks
    for k in range(K):
        failed = [c for c in checks.of(k) if not c.ok]
        assert failed and all(c.value > c.limit > 0 for c in failed)
    invariants(loop)


@pytest.mark.parametrize('side_m', [1.0, 3.0, 6.0])
def test_f40_a_plan_that_flips_sides_is_never_followed(side_m):
    """All candidates go left in one cycle and right in the next, ``side_m`` after 3 s."""

    def raw(ego, cycle):
        poses = truth(ego.speed_mps)[0].copy()
        share = np.clip(np.arange(1, P + 1) / 30, 0, 1.5) ** 2
        poses[:, 1] += (-1) ** cycle * side_m * share
        poses[:, 2] = np.arctan2(np.gradient(poses[:, 1]), np.gradient(poses[:, 0]))
        return noisy(poses, 0.02, cycle)

    loop = Loop()
    loop.run(6)
    loop.run(14, raw)
    if side_m < 2.0:
        assert abs(loop.ego.y_m) < 0.5  # it drives on between the two
    plans = loop.plans
    for old, new in zip(plans, plans[1:], strict=False):
        age = round((new.t0_ns - old.t0_ns) / SECOND / 0.1)
        trust = 5  # half a second: what is driven of a plan at most
        a, b = old.poses_in_odom()[age : age + trust], new.poses_in_odom()[:trust]
        assert np.hypot(*(a - b)[:, :2].T).max() < 0.5
    if side_m >= 3.0:
        assert Mode.FALLBACK in loop.modes
    invariants(loop)


def test_f40_with_both_sides_on_offer_it_keeps_to_one():
    """Half the candidates go left, half right, in random order: hysteresis decides for one."""
    rng = np.random.default_rng(5)

    def raw(ego, cycle):
        poses = np.repeat(truth(ego.speed_mps)[0][None], K, axis=0)
        sign = rng.permutation([1, -1] * (K // 2))[:, None]
        poses[:, :, 1] += sign * 2.5 * np.clip(np.arange(1, P + 1) / 40, 0, 1) ** 2
        return (poses + rng.normal(size=poses.shape) * 0.02).astype(np.float32)

    loop = Loop()
    loop.run(20, raw)
    sides = {np.sign(p.trajectory.y_m[30]) for p in loop.plans[2:] if p.source == 'model'}
    assert len(sides) == 1
