"""What each colour means, in films, pages, the viewer, RViz and Foxglove: its one home.

Any two meanings of one set are at least 20 apart in CIE 1976 L*a*b*, also as people without
red-sensitive or green-sensitive cones see them (test_palette.py simulates both).
"""

from __future__ import annotations

Rgb = tuple[int, int, int]  # sRGB, 0 to 255

PLAN: Rgb = (83, 239, 129)
STOP: Rgb = (233, 72, 80)
EGO: Rgb = (88, 166, 255)
OTHER: Rgb = (217, 139, 51)
CHEAP: Rgb = (250, 214, 70)
DEAR: Rgb = (211, 54, 108)
NO_COST: Rgb = (139, 151, 160)
DRIVEN: Rgb = (65, 112, 180)
TRUTH: Rgb = (255, 255, 255)
ROAD: Rgb = (43, 47, 54)
SCENE: dict[str, Rgb] = {
    'plan': PLAN, 'plan to stop': STOP, 'own car': EGO, 'other road user': OTHER,
    'cheapest candidate': CHEAP, 'dearest candidate': DEAR, 'candidate without cost': NO_COST,
    'driven before': DRIVEN, 'driven afterwards': TRUTH, 'road': ROAD,
}  # fmt: skip
STATES: dict[str, Rgb] = {
    'INIT': (145, 151, 156), 'READY': (88, 166, 255), 'ACTIVE': (63, 199, 109),
    'DEGRADED': (226, 156, 24), 'FALLBACK': (231, 63, 53), 'FAULT': (186, 53, 160),
}  # fmt: skip
# Lines of plots, on a light page and on a dark one.
PLOTS: dict[str, tuple[str, str]] = {
    'ink': ('#24292f', '#d1d7e0'), 'grey': ('#8c959f', '#808794'), 'blue': ('#0969da', '#4493f8'),
    'orange': ('#d25f0d', '#ff9b5b'), 'green': ('#148445', '#2b9b08'),
    'red': ('#c10b26', '#f65a64'),
}  # fmt: skip


def of_cost(cost: float | None, lowest: float, highest: float) -> Rgb:
    """From ``CHEAP`` to ``DEAR``; ``NO_COST`` where there is none (None, NaN, infinite)."""
    if cost is None or not abs(cost) < float('inf'):
        return NO_COST
    share = 0.0 if highest <= lowest else min(1.0, max(0.0, (cost - lowest) / (highest - lowest)))
    r, g, b = (round(c + share * (d - c)) for c, d in zip(CHEAP, DEAR, strict=True))
    return r, g, b


def share_of_one(colour: Rgb, opacity: float) -> tuple[float, float, float, float]:
    """Red, green, blue and opacity, each 0 to 1, as markers have them."""
    r, g, b = (round(part / 255, 4) for part in colour)
    return r, g, b, opacity


def as_hex(colour: Rgb) -> str:
    """``#rrggbb``."""
    return '#{:02x}{:02x}{:02x}'.format(*colour)
