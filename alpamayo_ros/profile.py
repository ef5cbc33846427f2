"""ModelProfile: the model's contract as data, read from ``config/profiles/*.yaml``.

Nothing downstream hard-codes a camera count, a horizon or a rate: it asks the profile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from alpamayo_ros.config_file import find, read_model
from alpamayo_ros.layer_shapes import (
    BackboneShape,
    DenoiserShape,
    Few,
    InputTokens,
    Positive,
    Strict,
    VisionShape,
    wrong_backbone,
    wrong_denoiser,
    wrong_vision,
)


class Camera(Strict):
    """A physical camera the model expects.

    ``hfov_deg``: horizontal field of view of the rectified image.
    """

    name: str
    hfov_deg: float = Field(ge=1, lt=180)
    mandatory: bool = False
    maskable: bool = False


class View(Strict):
    """What the model sees of a camera: the central ``hfov_deg`` of its image, resampled.

    ``width`` and ``height`` are in pixels.
    """

    name: str
    camera: str
    hfov_deg: float = Field(ge=1, lt=180)
    width: Positive = Field(le=8192)
    height: Positive = Field(le=8192)
    tokens: Positive


class Frames(Strict):
    """How many instants, and how far apart in seconds."""

    count: Few
    spacing_s: float = Field(ge=0.01, le=10)


class TrajectoryFormat(Strict):
    """Points of a trajectory and their spacing in seconds; the first is at t0 + dt."""

    points: Few
    dt_s: float = Field(ge=0.01, le=1)


class Diffusion(Strict):
    """Noise schedule and what the denoiser predicts."""

    train_steps: Positive
    sample_steps: Few
    prediction_type: Literal['epsilon', 'sample', 'v_prediction']
    schedule: Literal['squaredcos_cap_v2', 'linear']


class Text(Strict):
    """Language budget: ``max_prefix`` tokens before the pictures, ``max_coc`` generated tokens.

    ``grammar``: the language of the chain of causation, a file of ``config/grammars``.
    """

    vocab_size: Positive
    max_prefix: Positive
    max_coc: Positive
    grammar: Literal['phrases_v1', 'phrases_v2'] = 'phrases_v1'


class ModelProfile(Strict):
    """A model family member: sensors, time base, horizon, language and layer shapes."""

    name: str
    description: str
    cameras: tuple[Camera, ...] = Field(max_length=32)
    views: tuple[View, ...] = Field(max_length=32)
    frames: Frames
    ego_history: Frames
    trajectory: TrajectoryFormat
    candidates: Few
    max_speed_mps: float = Field(gt=0, le=70)
    diffusion: Diffusion
    text: Text
    vision: VisionShape
    backbone: BackboneShape
    denoiser: DenoiserShape
    inputs: InputTokens = InputTokens()

    @model_validator(mode='after')
    def _consistent(self) -> ModelProfile:
        names = [c.name for c in self.cameras]
        for view in self.views:
            if view.camera not in names:
                raise ValueError(
                    f'view {view.name!r} wants camera {view.camera!r}; the profile has {names}'
                )
            camera = self.cameras[names.index(view.camera)]
            if view.hfov_deg > camera.hfov_deg:
                raise ValueError(
                    f'view {view.name!r} asks for {view.hfov_deg} deg '
                    f'of a {camera.hfov_deg} deg camera'
                )
        for error in _wrong_shapes(self):
            raise ValueError(error)
        return self

    @property
    def visual_tokens(self) -> int:
        """Visual tokens of one timestep, all views together."""
        return sum(view.tokens for view in self.views)

    @property
    def view_size(self) -> tuple[int, int]:
        """Height and width in pixels; all views have the same."""
        return self.views[0].height, self.views[0].width

    def view_index(self, name: str) -> int:
        """Position of the view ``name`` in the view order; ValueError when there is none."""
        return [v.name for v in self.views].index(name)

    def camera(self, name: str) -> Camera:
        """The camera called ``name``; KeyError names the known ones."""
        for camera in self.cameras:
            if camera.name == name:
                return camera
        raise KeyError(f'no camera {name!r}; the profile has {[c.name for c in self.cameras]}')


def _wrong_shapes(profile: ModelProfile) -> Iterator[str]:
    """What the networks and the buffers assume of a profile and do not find."""
    vision, backbone, denoiser = profile.vision, profile.backbone, profile.denoiser
    sizes = sorted({(view.height, view.width) for view in profile.views})
    yield from wrong_vision(vision, sizes, {view.tokens for view in profile.views})
    for name, shape in (('vision', vision), ('backbone', backbone), ('denoiser', denoiser)):
        if shape.width % shape.heads:
            yield f'{name}.heads {shape.heads} must divide {name}.width {shape.width}'
    yield from wrong_backbone(backbone)
    yield from wrong_denoiser(denoiser, profile.trajectory.points)


def share_dir() -> Path:
    """Folder with ``config/`` and ``models/``: the source tree or the installed share folder.

    Order: the environment variable ALPAMAYO_SHARE, the source tree,
    ``<prefix>/share/alpamayo_ros`` of each entry of AMENT_PREFIX_PATH, then of ``sys.prefix``.
    """
    import sys

    roots = [os.environ.get('ALPAMAYO_SHARE', ''), str(Path(__file__).resolve().parents[1])]
    prefixes = [*os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep), sys.prefix]
    roots += [str(Path(p) / 'share' / 'alpamayo_ros') for p in prefixes if p]
    for root in roots:
        if root and (Path(root) / 'config' / 'profiles').is_dir():
            return Path(root)
    raise FileNotFoundError(f'config/profiles was not found in {roots}; set ALPAMAYO_SHARE')


def profile_names() -> list[str]:
    """Names of the profiles that ship with the package."""
    return sorted(_files())


def _files() -> dict[str, Path]:
    """The profiles that ship, by name."""
    return {p.stem: p for p in (share_dir() / 'config' / 'profiles').glob('*.yaml')}


def load_profile(name_or_path: str | Path) -> ModelProfile:
    """Read a profile by name (``nano``) or path; ConfigError names file, line and key."""
    return read_model(find('profile', name_or_path, _files()), ModelProfile)
