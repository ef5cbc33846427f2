"""How the scene looks in RViz and Foxglove: the live nodes and ``plan_bag`` share this.

Colours are red, green, blue, opacity, each 0 to 1.
"""

from __future__ import annotations

Rgba = tuple[float, float, float, float]

CHOSEN: Rgba = (0.1, 0.9, 0.3, 1.0)
EGO: Rgba = (0.2, 0.5, 1.0, 0.8)
OBJECT: Rgba = (0.9, 0.6, 0.1, 0.8)
WORDS: Rgba = (1.0, 1.0, 1.0, 1.0)
REJECTED: Rgba = (0.5, 0.5, 0.5, 0.4)
CAR_HEIGHT_M = 1.5
LINE_HEIGHT_M = 0.1
CHOSEN_WIDTH_M, CANDIDATE_WIDTH_M = 0.15, 0.05
WORDS_AT_M, WORDS_HEIGHT_M = (2.0, 0.0, 4.0), 0.6


def cost_colour(cost: float | None, lowest: float, highest: float) -> Rgba:
    """Green for the cheapest, red for the dearest, grey where there is no cost (None, NaN)."""
    if cost is None or cost != cost or cost in (float('inf'), float('-inf')):
        return REJECTED
    share = 0.0 if highest <= lowest else min(1.0, max(0.0, (cost - lowest) / (highest - lowest)))
    return (share, 1.0 - share, 0.1, 0.7)
