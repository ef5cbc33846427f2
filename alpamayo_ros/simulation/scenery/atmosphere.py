"""The atmosphere a scenery is seen through: light of day, dusk or night, rain.

By day and without rain nothing here takes part, so those pictures stay what nano was trained on.
Figures are ours, chosen by eye; no photometry is claimed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from alpamayo_ros.simulation.scenery.mesh import Scenery

Light = Literal['day', 'dusk', 'night']
RAIN_FOG_1PM = 0.014  # added at full rain: some 200 m of sight
RAIN_LIGHT = 0.42  # share of daylight that full rain takes
FOG_VEILS_AT_1PM = 0.04  # from this density on the sky overhead is as grey as the fog


@dataclass(frozen=True, slots=True)
class Atmosphere:
    """What the shaders need beyond sky and fog.

    ``ambient``: colour of the light that reaches every surface, as a share of daylight;
    ``beam``: strength of the ego's headlights; ``lamps``: how brightly others' lamps shine
    (0..1); ``wet``: how much the road mirrors the sky; ``rain``: 0..1, streaks and drops.
    """

    ambient: tuple[float, float, float] = (1.0, 1.0, 1.0)
    beam: float = 0.0
    lamps: float = 0.0
    wet: float = 0.0
    rain: float = 0.0


@dataclass(frozen=True, slots=True)
class _Hour:
    """A time of day: its light, lamps, and the sky at the horizon and overhead."""

    ambient: tuple[float, float, float]
    beam: float
    lamps: float
    sky: tuple[float, float, float]
    zenith: tuple[float, float, float]


HOURS = {
    'dusk': _Hour((0.5, 0.45, 0.47), 0.4, 0.8, (0.62, 0.42, 0.33), (0.2, 0.25, 0.4)),
    'night': _Hour((0.11, 0.115, 0.14), 2.0, 1.0, (0.05, 0.055, 0.075), (0.012, 0.016, 0.032)),
}
GREY = np.array([0.52, 0.55, 0.58])  # a rainy sky


def with_atmosphere(scenery: Scenery, light: Light, rain: float, fog_1pm: float | None) -> Scenery:
    """The same scenery at another hour and in rain; a plain day is returned as it came.

    ``fog_1pm``: the density that the scenario sets, None where the seed's own is meant.
    """
    sky, zenith, fog = scenery.sky, scenery.zenith, scenery.fog_1pm
    atmosphere = Atmosphere()
    if light != 'day':
        hour = HOURS[light]
        sky, zenith = np.array(hour.sky), np.array(hour.zenith)
        atmosphere = Atmosphere(hour.ambient, hour.beam, hour.lamps)
    if fog_1pm is not None:
        veil = min(fog_1pm / FOG_VEILS_AT_1PM, 1.0)
        if light != 'day':
            sky = sky * (1 - 0.6 * veil) + sky.mean() * 0.6 * veil
        zenith = zenith * (1 - veil) + sky * veil
    if rain > 0:
        dim = 1 - RAIN_LIGHT * rain
        level = float(sky.mean()) / float(GREY.mean())
        sky = sky * (1 - rain) + GREY * min(level, 1.0) * rain
        sky, zenith = sky * dim**0.5, (zenith * (1 - rain) + sky * 0.85 * rain) * dim**0.5
        fog += RAIN_FOG_1PM * rain
        red, green, blue = (c * dim for c in atmosphere.ambient)
        lamps, beam = max(atmosphere.lamps, 0.6), max(atmosphere.beam, 0.12)
        atmosphere = Atmosphere((red, green, blue), beam, lamps, min(1.0, 0.4 + rain), rain)
    plain = atmosphere == Atmosphere()
    return replace(
        scenery, sky=sky, zenith=zenith, fog_1pm=fog, atmosphere=None if plain else atmosphere
    )
