"""The coverage from above as a picture: a cone a camera, overlaps darker, gaps marked."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.rigs.coverage import Arc, arcs, gaps, seen
from alpamayo_ros.sensing.rig import Rig, RigCamera

INK, GREY, GAP = '#24292f', '#8c959f', '#cf222e'
# Okabe and Ito (2008): told apart by colour-blind people too; names stand beside them anyhow
COLOURS = ('#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00')
REACH_M = 12.0
NAME_M, GAP_M = 13.0, 12.5
LIMIT_M = (16.5, 14.2)  # of the paper to either side, and up and down


def write(path: Path, rig: Rig, profile: ModelProfile) -> Path:
    """A PNG or SVG, by its ending; ahead is up."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(7.4, 6.8), layout='constrained')
    axes: Any = drawn.subplots()
    axes.set_aspect('equal')
    axes.axis('off')
    axes.set_xlim(-LIMIT_M[0], LIMIT_M[0])
    axes.set_ylim(-LIMIT_M[1], LIMIT_M[1])
    _car(axes, rig)
    for number, camera in enumerate(rig.cameras):
        _cone(axes, camera, COLOURS[number % len(COLOURS)])
    for arc in gaps(rig, profile):
        _gap(axes, arc)
    title = f'{rig.name}: what its cameras see of the horizon, ahead is up'
    axes.set_title(title, fontsize=11, color=INK)
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn.savefig(path, dpi=110, metadata={'Date': None} if path.suffix == '.svg' else None)
    return path


def _plot(x_m: Any, y_m: Any) -> tuple[Any, Any]:
    """base_link (x ahead, y left) on paper (right, up)."""
    return -np.asarray(y_m), np.asarray(x_m)


def _polar(azimuth_deg: float, radius_m: float) -> tuple[float, float]:
    """A point on the ground in base_link."""
    turn = math.radians(azimuth_deg)
    return radius_m * math.cos(turn), radius_m * math.sin(turn)


def _car(axes: Any, rig: Rig) -> None:
    car = rig.vehicle
    front_m, half_m = car.rear_axle_to_front_bumper_m, car.width_m / 2
    back_m = front_m - car.length_m
    x = [back_m, front_m, front_m, back_m]
    axes.fill(*_plot(x, [half_m, half_m, -half_m, -half_m]), color='#d0d7de', zorder=1)
    arrow = _plot([front_m - 1.0, front_m - 0.2, front_m - 1.0], [0.45, 0.0, -0.45])
    axes.plot(*arrow, color=INK, linewidth=1.2, zorder=6)
    for metres in (REACH_M / 2, REACH_M):
        ring = np.array([_polar(a, metres) for a in range(0, 361, 3)])
        axes.plot(*_plot(ring[:, 0], ring[:, 1]), color=GREY, linewidth=0.5, zorder=0)


def _cone(axes: Any, camera: RigCamera, colour: str) -> None:
    """The seen stretches from the lens outwards, the name beyond the middle."""
    lens = np.array([camera.mount.x_m, camera.mount.y_m])
    for arc in arcs(seen(camera)):
        turns = np.linspace(arc.start_deg, arc.stop_deg, 61)
        edge = np.array([_polar(float(a), REACH_M) for a in turns])
        x, y = _plot(*np.vstack([lens, edge, lens]).T)
        axes.fill(x, y, color=colour, alpha=0.28, linewidth=0, zorder=2)
        axes.plot(x, y, color=colour, linewidth=1.2, zorder=3)
        middle = _plot(*_polar((arc.start_deg + arc.stop_deg) / 2, NAME_M))
        text = f'{camera.name}\n{arc.width_deg:.0f}°'
        side = 'center' if abs(middle[0]) < REACH_M / 3 else 'left' if middle[0] > 0 else 'right'
        axes.text(*middle, text, ha=side, va='center', fontsize=9, color=INK, zorder=5)
    axes.plot(*_plot(*lens), 'o', color=colour, markersize=5, zorder=4)


def _gap(axes: Any, arc: Arc) -> None:
    """A red arc where nobody looks."""
    turns = np.linspace(arc.start_deg, arc.stop_deg, 61)
    edge = np.array([_polar(float(a), GAP_M) for a in turns])
    axes.plot(*_plot(*edge.T), color=GAP, linewidth=4, solid_capstyle='butt', zorder=4)
    if arc.width_deg >= 8:
        middle = _plot(*_polar((arc.start_deg + arc.stop_deg) / 2, GAP_M - 2.2))
        text = f'not seen\n{arc.width_deg:.0f}°'
        axes.text(*middle, text, ha='center', va='center', fontsize=9, color=GAP, zorder=5)
