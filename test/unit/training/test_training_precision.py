"""Training computes in bfloat16 where a device multiplies it, and only there."""

from collections.abc import Callable

import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

import torch

from alpamayo_ros.training import precision


@pytest.mark.parametrize('native', [True, False])
def test_bfloat16_is_for_processors_that_multiply_it(
    native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, 'processor_multiplies_bfloat16', lambda: native)
    with precision.mixed(torch.device('cpu')):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if native else torch.float32)


@pytest.mark.parametrize(('name', 'native'), [('avx512_bf16', True), ('avx2', False)])
def test_what_the_processor_can_is_asked_of_torch(
    name: str, native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask: Callable[[], bool] = precision.processor_multiplies_bfloat16.__wrapped__
    monkeypatch.setattr(torch.cpu, 'get_capabilities', lambda: {name: True})
    assert ask() is native
