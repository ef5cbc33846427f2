"""A cycle whose large products are narrowed, by what some cycles of their own type show.

Narrowed: the encoder's trunk, the backbone's layers and wide blocks of a ``dit``, where both sides
of a weight are multiples of 16.  In their own type stay embeddings, norms, attention, the scores
of words, the denoiser's condition with all modulations, a ``unet`` (launches bind it), and what is
small: stem, attention across cameras and over time, and everything around the backbone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alpamayo_ros.model.fast.cycle import Cycle
from alpamayo_ros.model.fast.eight_bits import fits, refusal
from alpamayo_ros.model.fast.joined import Product


@contextmanager
def calibrated(cycle: Cycle) -> Iterator[None]:
    """Cycles that run inside say how large inputs get; from then on products are in fp8.

    The weights that are narrowed are let go, so ``cycle.model`` computes no longer by itself.
    Graphs are recorded anew.  Kept timesteps were read before: begin with the text and new
    ``Pages``.  ValueError where the GPU is too old or a product saw no numbers; the cycle then
    stays what it was.
    """
    why = refusal(cycle.model.device)
    if why is not None:
        raise ValueError(why)
    products = narrowable(cycle)
    if not products:
        raise ValueError('no product to narrow; expected a cycle in its own type')
    _watch(cycle, products, on=True)
    try:
        yield
        for product in products:
            product.check()
    except BaseException:
        _watch(cycle, products, on=False)
        raise
    for product in products:
        product.narrow()
    cycle.forget()


def narrowable(cycle: Cycle) -> list[Product]:
    """The large products of a cycle that are still in their own type."""
    return [p for p in cycle.products if p.eight_bits is None and fits(p.weight)]


def _watch(cycle: Cycle, products: list[Product], on: bool) -> None:
    for product in products:
        product.watch(on)
    cycle.forget()
