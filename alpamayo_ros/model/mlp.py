"""Feed-forward layers."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class GeluMlp(nn.Module):
    """Linear, GELU, Linear: the vision and denoiser blocks' feed-forward."""

    def __init__(self, width: int, hidden: int, approximate: str = 'tanh') -> None:
        super().__init__()
        self.approximate = approximate
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.gelu(self.up(x), approximate=self.approximate))


class SwiGLU(nn.Module):
    """``down(silu(gate(x)) * up(x))`` (Shazeer 2020): the backbone's feed-forward."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, hidden, bias=False)
        self.up = nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.silu(self.gate(x)) * self.up(x))
