"""Any mixture of camera rates, losses and jitter: no timestep goes without a set or a name."""

from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.cli.measuring.camera_mixtures import (
    REFERENCE,
    Mixture,
    all_mixtures,
    measure,
)
from alpamayo_ros.cli.measuring.stock_filter import StockFilter
from alpamayo_ros.limits import load_limits
from alpamayo_ros.sensing.synchronisation.sync import CameraSync
from alpamayo_ros.units import MS, NS

LIMITS = load_limits()
SECONDS = 8.0
MIXTURES = list(all_mixtures())


def outages(mixture: Mixture, seed: int) -> int:
    """Timesteps that lie in an outage of the reference for which nothing may be held."""
    stamps = [s for _, name, s in mixture.frames(SECONDS, seed) if name == REFERENCE]
    stamps = [NS - NS // 10, *sorted(stamps), NS + round(SECONDS * NS)]
    period_ns = NS / mixture.reference_hz
    gaps = [b - a for a, b in zip(stamps, stamps[1:], strict=False) if b - a > 2 * period_ns]
    set_ns = CameraSync(mixture.cameras(), LIMITS).period_ns
    late_start = int(stamps[1] - NS > period_ns / 2)
    return sum(ceil(gap / set_ns) for gap in gaps) + late_start


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(MIXTURES), st.integers(0, 10_000))
def test_no_timestep_is_lost_without_a_name(mixture: Mixture, seed: int):
    report = measure(mixture, SECONDS, seed, LIMITS)
    assert report.lost == 0
    assert report.refused <= outages(mixture, seed)
    assert report.skew_ms <= LIMITS.skew_s * 1000
    assert report.sets >= 0.9 * report.timesteps


def test_the_grid_is_every_rate_beside_every_rate():
    assert len(MIXTURES) == 6 * 6 * 3 * 2 * 2 == len(set(MIXTURES))


def test_a_mixture_without_losses_has_a_set_for_every_timestep():
    for mixture in MIXTURES:
        if not mixture.drops:
            report = measure(mixture, 4.0, 0, LIMITS)
            assert (report.refused, report.lost) == (0, 0), mixture


def test_the_stock_filter_needs_every_topic_within_its_slop():
    stock = StockFilter(('a', 'b'), queue=2, slop_ns=50 * MS)
    assert stock.push('a', 0) is None
    assert stock.push('b', 60 * MS) is None
    assert stock.push('a', 100 * MS) == (100 * MS, 60 * MS)
    assert stock.push('b', 100 * MS) is None  # its partner has left the queue


def test_the_stock_filter_gives_nothing_once_a_camera_is_dead_and_ours_goes_on():
    report = measure(Mixture(10.0, 10.0, 0.0, 0.0, True), SECONDS, 0, LIMITS)
    assert report.sets == report.timesteps == 80
    assert report.stock_share == 0.5
