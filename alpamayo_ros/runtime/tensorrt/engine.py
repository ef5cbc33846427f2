"""One engine with its buffers: allocated once, copied through pinned memory, replayed as a graph.

The first run of a shape is a plain one, in which the library sets itself up; then the same work is
captured, and replayed from the second run on: a static engine has one graph, the decode engine
one for each number of tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.runtime.tensorrt.cuda import Cuda

MOST_GRAPHS = 128  # shapes of one engine; beyond, it runs without a graph

Shape = tuple[int, ...]


class EngineError(RuntimeError):
    """The library refused a shape or a launch; a defect, not an input."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output: device address and pinned memory for the greatest shape it may have."""

    name: str
    address: int
    memory: NDArray[Any]
    greatest: Shape

    def view(self, shape: Shape) -> NDArray[Any]:
        """The first numbers of the pinned memory, in ``shape``."""
        return self.memory[: int(np.prod(shape))].reshape(shape)


class Engine:
    """Runs a deserialised engine on the stream of ``cuda``.

    ``dtypes``: of every input and output.  ``greatest``: shapes with the most tokens.
    ``in_place``: outputs that are written where an input lies, and that never leave the device.
    """

    def __init__(
        self,
        context: Any,
        cuda: Cuda,
        dtypes: Mapping[str, np.dtype[Any]],
        greatest: Mapping[str, Shape],
        in_place: Mapping[str, str],
        outputs: tuple[str, ...],
    ) -> None:
        self._context, self._cuda, self._outputs = context, cuda, outputs
        self._kept = {name: self._allocate(name, dtypes, greatest) for name in in_place.values()}
        io = [name for name in dtypes if name not in {*in_place, *in_place.values()}]
        self._tensors = {name: self._tensor(name, dtypes, greatest) for name in io}
        addresses = {name: tensor.address for name, tensor in self._tensors.items()}
        addresses |= {name: address for name, (address, _) in self._kept.items()}
        addresses |= {name: addresses[source] for name, source in in_place.items()}
        for name, address in addresses.items():
            if not context.set_tensor_address(name, address):
                raise EngineError(f'{name}: its address was refused')
        self.takes = frozenset(io) - frozenset(outputs)
        self._shapes: dict[str, Shape] = {}
        self._graphs: dict[tuple[Shape, ...], Any] = {}

    def _allocate(
        self, name: str, dtypes: Mapping[str, np.dtype[Any]], greatest: Mapping[str, Shape]
    ) -> tuple[int, int]:
        """Address and size of device memory for the greatest shape."""
        count = max(1, int(np.prod(greatest[name])) * dtypes[name].itemsize)
        return self._cuda.device(count), count

    def _tensor(
        self, name: str, dtypes: Mapping[str, np.dtype[Any]], greatest: Mapping[str, Shape]
    ) -> Tensor:
        address, _ = self._allocate(name, dtypes, greatest)
        numbers = (int(np.prod(greatest[name])),)
        return Tensor(name, address, self._cuda.pinned(numbers, dtypes[name]), greatest[name])

    def clear(self) -> None:
        """Zero what stays on the device."""
        for address, count in self._kept.values():
            self._cuda.zero(address, count)

    def run(self, feed: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Outputs for ``feed``, copied: the buffers are used again."""
        for name, values in feed.items():
            self._put(name, np.asarray(values))
        key = tuple(self._shapes[name] for name in sorted(self._shapes))
        graph = self._graphs.get(key)
        if graph is not None:
            self._cuda.launch(graph)
        else:
            self._enqueue()
        self._cuda.wait()
        found = {
            name: self._tensors[name].view(self._shape(name)).copy() for name in self._outputs
        }
        if graph is None and len(self._graphs) < MOST_GRAPHS:
            self._graphs[key] = self._cuda.capture(self._enqueue)
        return found

    def _put(self, name: str, values: NDArray[Any]) -> None:
        """Into pinned memory; the shape is set where it is another than before."""
        tensor, shape = self._tensors[name], values.shape
        fits = len(shape) == len(tensor.greatest)
        if not fits or any(n > most for n, most in zip(shape, tensor.greatest, strict=True)):
            raise EngineError(f'{name} {shape} is more than the engine takes, {tensor.greatest}')
        np.copyto(tensor.view(shape), values, casting='same_kind')
        if self._shapes.get(name) != shape:
            if not self._context.set_input_shape(name, shape):
                raise EngineError(f'{name}: the engine refuses the shape {shape}')
            self._shapes[name] = shape

    def _shape(self, name: str) -> Shape:
        return tuple(self._context.get_tensor_shape(name))

    def _enqueue(self) -> None:
        """Copies in, the engine, copies out, all on one stream."""
        for name, shape in self._shapes.items():
            tensor = self._tensors[name]
            self._cuda.upload(tensor.address, tensor.view(shape))
        if not self._context.execute_async_v3(self._cuda.stream):
            raise EngineError('the engine could not be launched')
        for name in self._outputs:
            tensor = self._tensors[name]
            self._cuda.download(tensor.view(self._shape(name)), tensor.address)
