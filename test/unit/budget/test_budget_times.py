"""Expected times against measured ones, and what follows from them."""

from __future__ import annotations

import pytest

from alpamayo_ros.budget import cpu
from alpamayo_ros.budget.answer import answer, counted_profiles, modes
from alpamayo_ros.budget.cycle import BYTES, DECODINGS, PERIOD_MS, Budget, budget, precisions
from alpamayo_ros.budget.devices import DEVICES, Device
from alpamayo_ros.layer_shapes import InputTokens
from alpamayo_ros.profile import load_profile

DEVICE = {device.name: device for device in DEVICES}
PLAIN, SIXTEEN, MANY = DECODINGS
NAMES = ('encode', 'prefill', 'plain', 'drafts 16', 'drafts 32', 'denoise')
# Milliseconds measured on one H100 80GB HBM3 (torch 2.11, Triton kernels in CUDA graphs, medians),
# in the order of NAMES, then a whole cycle of 72 words in 8 passes of 16 and in 3 of 32.
MEASURED_H100 = {
    ('alpamayo-1.5-10b', 'bf16'): (16.89, 41.17, 6.07, 6.40, 6.74, 27.90, 134.9, 106.2),
    ('alpamayo-1.5-10b', 'fp8'): (12.93, 26.86, 3.81, 4.06, 4.27, 22.04, 94.1, 75.4),
    ('alpamayo-7b', 'bf16'): (84.40, 9.78, 5.50, 5.70, 5.95, 4.54, 142.1, 114.5),
    ('alpamayo-7b', 'fp8'): (73.89, 6.08, 3.13, 3.33, 3.50, 4.49, 110.5, 94.5),
    ('alpamayo-3b', 'bf16'): (29.54, 5.72, 3.05, 3.29, 3.54, 4.47, 65.3, 49.7),
    ('alpamayo-0.5b', 'bf16'): (13.47, 1.72, 0.92, 0.99, 1.09, 4.45, 27.6, 23.0),
    ('alpamayo-0.5b', 'fp8'): (13.04, 1.48, 0.78, 0.84, 0.90, 4.47, 25.5, 21.5),
}
# The shipped nano on one core, ONNX Runtime, CPU milliseconds, with the rates of the same run.
MEASURED_CORE = (13.4, 2.2, 0.30, 1.40, 2.02, 28.6)
CORE = Device(
    'cpu', 'one core', {'fp32': 0.099}, 30.0, 25.0, 'measured',
    cpu.COMPUTE_SHARE, 1.0, cpu.KERNEL_US,
)  # fmt: skip


def _bare(name: str, device: Device, precision: str) -> Budget:
    """As it was measured: without map, history and words of the cycle before."""
    profile = load_profile(name).model_copy(update={'inputs': InputTokens()})
    return budget(profile, device, precision)


def _expected(found: Budget) -> list[float]:
    times = {stage.name: stage.expected_ms for stage in (*found.stages, *found.passes.values())}
    return [times[name] for name in NAMES]


@pytest.mark.parametrize(('name', 'precision'), MEASURED_H100)
def test_h100_within_a_factor_of_two(name: str, precision: str) -> None:
    """Every stage and the whole cycle; the roofline is below what was measured."""
    found = _bare(name, DEVICE['h100'], precision)
    expected = [*_expected(found), found.cycle_ms(SIXTEEN), found.cycle_ms(MANY)]
    measured = MEASURED_H100[name, precision]
    for label, paper, real in zip(
        (*NAMES, 'cycle 16', 'cycle 32'), expected, measured, strict=True
    ):
        assert 0.5 < paper / real < 2.0, (label, paper, real)
    rooflines = {s.name: s.roofline_ms for s in (*found.stages, *found.passes.values())}
    assert all(rooflines[n] < real for n, real in zip(NAMES, measured, strict=False))


def test_nano_on_a_core_within_a_factor_of_two() -> None:
    """The same model of a device, with the rates of one core."""
    paper = _expected(budget(load_profile('nano'), CORE, 'fp32'))
    assert all(0.5 < p / m < 2.0 for p, m in zip(paper, MEASURED_CORE, strict=True)), paper


@pytest.mark.parametrize('name', counted_profiles())
@pytest.mark.parametrize('device', DEVICES, ids=lambda device: device.name)
def test_longest_chain_just_fits(name: str, device: Device) -> None:
    """One pass more would not."""
    for precision in precisions(device):
        found = budget(load_profile(name), device, precision)
        for decoding in DECODINGS:
            count = found.longest(decoding)
            if count < 0:
                assert found.fixed_ms > PERIOD_MS or not found.fits
                continue
            assert found.cycle_ms(decoding, count) <= PERIOD_MS
            assert found.cycle_ms(decoding, count + 1) > PERIOD_MS


def test_narrow_numbers_and_drafts_buy_time() -> None:
    """Half the bytes a weight, and fewer passes, never cost time."""
    h100 = DEVICE['h100']
    for name in counted_profiles():
        wide, narrow = (budget(load_profile(name), h100, p) for p in ('bf16', 'fp8'))
        assert narrow.cycle_ms(PLAIN) < wide.cycle_ms(PLAIN)
        assert wide.cycle_ms(MANY) < wide.cycle_ms(SIXTEEN) < wide.cycle_ms(PLAIN)


def test_answer_is_the_plainest_mode_that_holds() -> None:
    """No mode before the chosen one holds 10 Hz; without any, the fastest is named."""
    for name in counted_profiles():
        for device in DEVICES:
            chosen, tried = answer(load_profile(name), device), modes(load_profile(name), device)
            holding = [mode for mode in tried if mode.holds]
            assert chosen == (holding[0] if holding else min(tried, key=lambda m: m.cycle_ms))
            assert str(chosen).startswith('no: ') is not chosen.holds


def test_memory_too_small_is_no() -> None:
    """Ten billion parameters do not fit eight gigabytes, however fast."""
    small = Device('s', 'small', {'bf16': 1e4}, 1e6, 8.0, 'made up')
    found = answer(load_profile('alpamayo-1.5-10b'), small)
    assert not found.holds
    assert 'GB of weights' in str(found)
    assert found.budget.longest(PLAIN) == -1


def test_no_units_no_budget() -> None:
    """A precision that a device lacks is refused by name."""
    with pytest.raises(ValueError, match='A100 SXM 80 GB has no fp8; it has bf16, int8'):
        budget(load_profile('nano'), DEVICE['a100'], 'fp8')


def test_every_device_has_figures() -> None:
    """Known precisions, a source, and narrower numbers at least as fast."""
    for device in DEVICES:
        assert set(device.rates) <= set(BYTES)
        assert device.source
        rates = [device.rate(name) for name in precisions(device)]
        assert rates == sorted(rates)


def test_core_is_measured() -> None:
    """A plausible rate and bandwidth of whatever runs this."""
    found = cpu.measure()
    assert 1e8 < (found.rate('fp32') or 0) < 1e13
    assert 0.1 < found.bandwidth_gbps < 1e4
