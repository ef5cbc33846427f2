"""What all reports share: the templates, pictures inside the page, figures as a person reads them.

A page stands alone: style, plots and pictures are inside it, and it asks nothing of the network.
"""

from __future__ import annotations

import base64
import math
from pathlib import Path
from typing import Any

import cv2
import jinja2
import numpy as np
from jaxtyping import UInt8

from alpamayo_ros import __version__, palette
from alpamayo_ros.film.dashboard import PARTS

TEMPLATES = Path(__file__).parent / 'templates'
PICTURE_WIDTH, JPEG_QUALITY = 960, 82
NOTHING = '–'
SCENE = {name: palette.as_hex(colour) for name, colour in palette.SCENE.items()}


def render(template: str, **values: Any) -> str:
    """A page, with every value escaped.

    A name that the template needs and nobody gave is an error.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {'plot_colours': palette.PLOTS, 'colours': SCENE}
    environment.filters |= {'figure': figure, 'percent': percent}
    return environment.get_template(template).render(names=PARTS, version=__version__, **values)


def figure(value: float | int | None) -> str:
    """Three significant digits, '–' for nothing; whole numbers stay whole."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return NOTHING
    if isinstance(value, int) or abs(value) >= 100:
        return f'{value:,.0f}'.replace(',', '\u202f')
    if value == 0:
        return '0'
    return (
        f'{value:.1f}'
        if abs(value) >= 10
        else f'{value:.2f}'
        if abs(value) >= 0.1
        else (f'{value:.3f}')
    )


def percent(share: float | None) -> str:
    """A share of 1 as percent."""
    return NOTHING if share is None else f'{100 * share:.0f}\u00a0%'


def data_url(frame: UInt8[np.ndarray, 'h w 3'], width: int = PICTURE_WIDTH) -> str:
    """An RGB picture as a JPEG inside a URL, at most ``width`` pixels wide."""
    scale = min(1.0, width / frame.shape[1])
    size = (round(frame.shape[1] * scale), round(frame.shape[0] * scale))
    small = cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    ok, data = cv2.imencode('.jpg', small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not ok:
        raise RuntimeError('OpenCV could not encode a picture of the report')
    return 'data:image/jpeg;base64,' + base64.b64encode(data.tobytes()).decode('ascii')
