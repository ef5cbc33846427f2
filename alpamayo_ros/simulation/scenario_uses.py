"""Which keys of a scenario mean something on some maps alone."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

# traffic.oncoming is on by itself wherever it can be, and may be off everywhere.
ONLY_ON: dict[str, tuple[str, ...]] = {
    'traffic.stopped_car_probability': ('winding_road',),
    'traffic.stopped_car_arc_m': ('winding_road',),
    'traffic.leader': ('winding_road',),
    'traffic.town': ('town',),
    'traffic.cars': ('town', 'motorway', 'roundabout'),
    'traffic.pedestrians': ('town',),
    'traffic.log': ('log',),
    'traffic.rear_immunity': ('log',),
    'traffic.lead_in_s': ('log',),
    'road.straight': ('winding_road',),
    'road.length_m': ('winding_road',),
    'road.curvature_scale': ('winding_road',),
    'road.turns': ('town',),
    'road.signal': ('town',),
    'road.lanes': ('motorway',),
    'road.ramp': ('motorway',),
    'road.exit': ('roundabout',),
}


def check_uses(world: str, parts: Mapping[str, BaseModel]) -> None:
    """ValueError names a key that differs from its default and means nothing on this map."""
    for key, maps in ONLY_ON.items():
        part, _, name = key.partition('.')
        usual = type(parts[part]).model_fields[name].default
        if world not in maps and getattr(parts[part], name) != usual:
            raise ValueError(f'{key} means nothing on map: {world}; it is for {", ".join(maps)}')
