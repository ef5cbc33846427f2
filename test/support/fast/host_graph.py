"""A CUDA graph on the CPU: operations are recorded once and carried out again by themselves.

Replayed, an operation reads and writes the memory that it had while recording; no Python of the
recorded function runs.  What such a function got from the host once (a number, a new tensor of a
list) stays what it was, as on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

# What makes a host wait for its device, or a shape depend on numbers.
FORBIDDEN = {
    '_local_scalar_dense', 'is_nonzero', 'item', 'equal', 'nonzero', 'masked_select', 'unique',
    '_unique2', 'unique_dim', 'bincount', 'repeat_interleave', 'lift_fresh', 'lift_fresh_copy',
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operation:
    """One kernel: function, arguments, what it returned."""

    run: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    out: Any

    def tensors(self) -> list[Tensor]:
        """All that it reads and writes."""
        return _tensors((self.args, self.kwargs, self.out))

    @property
    def signature(self) -> tuple[Any, ...]:
        """Name and shapes: equal for every run of what can be recorded."""
        return (str(self.run), *(tuple(x.shape) for x in self.tensors()))


class HostGraph(TorchDispatchMode):
    """Records what runs under it; AssertionError for what a CUDA graph cannot hold."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Operation] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        selects = name.startswith('index') and any(
            x.dtype == torch.bool for x in _tensors(args[1:])
        )
        assert name not in FORBIDDEN and not selects, f'{name}: the host would wait for the device'
        out = func(*args, **kwargs)
        devices = {x.device.type for x in _tensors((args, kwargs, out))}
        assert len(devices) < 2, f'{name}: between {" and ".join(sorted(devices))}'
        self.operations.append(Operation(func, args, kwargs, out))
        return out

    def replay(self) -> None:
        """Carry everything out again, on the same memory."""
        for one in self.operations:
            out = one.run(*one.args, **one.kwargs)
            for kept, new in zip(_tensors(one.out), _tensors(out), strict=True):
                if kept.data_ptr() != new.data_ptr():
                    kept.copy_(new)

    def external(self) -> set[int]:
        """Addresses of the memory that was there before, which must be there for ever."""
        made: set[int] = set()
        found: set[int] = set()
        for one in self.operations:
            given = {_address(x) for x in _tensors((one.args, one.kwargs))}
            found |= given - made
            made |= {_address(x) for x in _tensors(one.out)} - found
        return found

    def signatures(self) -> list[tuple[Any, ...]]:
        """Of all operations in order."""
        return [one.signature for one in self.operations]


def _address(x: Tensor) -> int:
    return x.untyped_storage().data_ptr()


def _tensors(tree: Any) -> list[Tensor]:
    return [x for x in tree_iter(tree) if isinstance(x, Tensor)]
