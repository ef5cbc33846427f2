"""A function of tensors that is recorded once as a CUDA graph and replayed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

WARM_UP = 2  # runs before recording: libraries choose and allocate in them
Outputs = tuple[Tensor, ...]
Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class _Graph:
    replay: Callable[[], None]
    inputs: Outputs
    outputs: Outputs


class Recorded:
    """``run`` as a graph for every set of shapes that it is called with.

    The outputs of a call are overwritten by the next one with the same shapes.  Without
    ``enabled``, and on a CPU, it is ``run`` itself.
    """

    def __init__(self, run: Callable[..., Outputs], enabled: bool) -> None:
        self._run, self._enabled = run, enabled
        self._graphs: dict[Shapes, _Graph] = {}

    def __call__(self, *inputs: Tensor) -> Outputs:
        if not self._enabled:
            return self._run(*inputs)
        shapes = tuple(tuple(each.shape) for each in inputs)
        if shapes not in self._graphs:
            self._graphs[shapes] = self._record(inputs)
        graph = self._graphs[shapes]
        for mine, given in zip(graph.inputs, inputs, strict=True):
            mine.copy_(given)
        graph.replay()
        return graph.outputs

    def forget(self) -> None:
        """Record anew when called: what ``run`` does has changed."""
        self._graphs.clear()

    def _record(self, inputs: Outputs) -> _Graph:
        static = tuple(each.clone() for each in inputs)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                self._run(*static)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            outputs = self._run(*static)
        return _Graph(graph.replay, static, outputs)
