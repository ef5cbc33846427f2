"""How the scene looks in RViz and Foxglove: the live nodes and ``plan_bag`` share this.

Colours are red, green, blue, opacity, each 0 to 1.
"""

from __future__ import annotations

from alpamayo_ros import palette

Rgba = tuple[float, float, float, float]

CHOSEN: Rgba = palette.share_of_one(palette.PLAN, 1.0)
STOP: Rgba = palette.share_of_one(palette.STOP, 1.0)
EGO: Rgba = palette.share_of_one(palette.EGO, 0.8)
OBJECT: Rgba = palette.share_of_one(palette.OTHER, 0.8)
WORDS: Rgba = (1.0, 1.0, 1.0, 1.0)
CANDIDATE_OPACITY, REJECTED_OPACITY = 0.7, 0.4
CAR_HEIGHT_M = 1.5
LINE_HEIGHT_M = 0.1
CHOSEN_WIDTH_M, CANDIDATE_WIDTH_M = 0.15, 0.05
WORDS_AT_M, WORDS_HEIGHT_M = (2.0, 0.0, 4.0), 0.6
STATE_AT_M, STATE_HEIGHT_M = (2.0, 0.0, 7.0), 1.0  # over the four lines of words


def state_colour(name: str) -> Rgba:
    """The colour of a state of the safety machine, opaque."""
    return palette.share_of_one(palette.STATES[name], 1.0)


def state_text(name: str, reason: str, armed: bool | None, cap_mps: float | None) -> str:
    """What a person who operates it reads: state, armed, cap, and why; None is left out."""
    said = [name]
    if armed is not None:
        said.append('armed' if armed else 'not armed')
    if cap_mps is not None and cap_mps == cap_mps:  # NaN: the profile's own
        said.append(f'at most {cap_mps:.1f} m/s')
    return ', '.join(said) + (f'\n{reason}' if reason else '')


def cost_colour(cost: float | None, lowest: float, highest: float) -> Rgba:
    """The colour of a candidate by its cost; grey where there is no cost (None, NaN)."""
    colour = palette.of_cost(cost, lowest, highest)
    rejected = colour == palette.NO_COST
    return palette.share_of_one(colour, REJECTED_OPACITY if rejected else CANDIDATE_OPACITY)
