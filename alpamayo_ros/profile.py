"""ModelProfile: the model's contract as data, read from ``config/profiles/*.yaml``.

Nothing downstream hard-codes a camera count, a horizon or a rate: it asks the profile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from alpamayo_ros import released_contract
from alpamayo_ros.config_file import WrongKeyError, find, read_model
from alpamayo_ros.layer_shapes import (
    BackboneShape,
    Deadlines,
    DenoiserShape,
    Few,
    InputTokens,
    PlainName,
    Positive,
    Strict,
    VisionShape,
    wrong_backbone,
    wrong_denoiser,
    wrong_vision,
)
from alpamayo_ros.layer_shapes import Diffusion as Diffusion
from alpamayo_ros.layer_shapes import Text as Text
from alpamayo_ros.statuses import ConfigError


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

    ``width`` and ``height`` are in pixels.  ``projection``: an ideal pinhole (``pinhole``), or the
    whole picture as the lens made it, both sides resized (``native``; ``hfov_deg`` is then
    nominal).  ``resample``: mean over source pixels (``area``), or antialiased bicubic as Pillow
    and torchvision have it (``bicubic``, for whole pictures).
    """

    name: str
    camera: str
    hfov_deg: float = Field(ge=1, lt=180)
    width: Positive = Field(le=8192)
    height: Positive = Field(le=8192)
    tokens: Positive
    projection: Literal['pinhole', 'native'] = 'pinhole'
    resample: Literal['area', 'bicubic'] = 'area'

    @model_validator(mode='after')
    def _resampled(self) -> View:
        if self.resample == 'bicubic' and self.projection != 'native':
            raise ValueError(
                f"view {self.name!r}: resample 'bicubic' is for projection 'native', "
                f'not {self.projection!r}'
            )
        return self


class Frames(Strict):
    """How many instants, and how far apart in seconds."""

    count: Few
    spacing_s: float = Field(ge=0.01, le=10)


class TrajectoryFormat(Strict):
    """Points of a trajectory and their spacing in seconds; the first is at t0 + dt."""

    points: Few
    dt_s: float = Field(ge=0.01, le=1)


class ModelProfile(Strict):
    """A model family member: sensors, time base, horizon, language and layer shapes.

    ``architecture``: networks of this package (``own``), or a released Alpamayo, whose weights and
    code are the vendor's (``nvidia_flow``).  ``history_gaps``: whether past motion may lack
    instants, marked as not valid (``allowed``), or not (``none``).
    """

    name: PlainName
    description: str
    architecture: Literal['own', 'nvidia_flow'] = 'own'
    cameras: tuple[Camera, ...] = Field(max_length=32)
    views: tuple[View, ...] = Field(max_length=32)
    frames: Frames
    ego_history: Frames
    history_gaps: Literal['allowed', 'none'] = 'allowed'
    trajectory: TrajectoryFormat
    candidates: Few
    max_speed_mps: float = Field(gt=0, le=70)
    deadlines: Deadlines | None = None
    diffusion: Diffusion
    text: Text
    vision: VisionShape
    backbone: BackboneShape
    denoiser: DenoiserShape
    inputs: InputTokens = InputTokens()

    @model_validator(mode='after')
    def _consistent(self) -> ModelProfile:
        names = [c.name for c in self.cameras]
        for place, view in enumerate(self.views):
            if view.camera not in names:
                raise WrongKeyError(
                    f'view {view.name!r} wants camera {view.camera!r}; the profile has {names}',
                    ('views', place, 'camera'),
                )
            camera = self.cameras[names.index(view.camera)]
            if view.hfov_deg > camera.hfov_deg:
                raise WrongKeyError(
                    f'view {view.name!r} asks for {view.hfov_deg} deg '
                    f'of a {camera.hfov_deg} deg camera',
                    ('views', place, 'hfov_deg'),
                )
        for error in chain(_wrong_shapes(self), _wrong_architecture(self)):
            raise WrongKeyError(error, error.split()[0].rstrip(':').split('.'))
        return self

    @property
    def visual_tokens(self) -> int:
        """Visual tokens of one timestep, all views together."""
        return sum(view.tokens for view in self.views)

    @property
    def view_size(self) -> tuple[int, int]:
        """Height and width in pixels; all views have the same."""
        return self.views[0].height, self.views[0].width

    @property
    def released(self) -> bool:
        """Whether code and weights are the vendor's, not those of this package."""
        return self.architecture != 'own'

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


def _wrong_architecture(profile: ModelProfile) -> Iterator[str]:
    """What a profile mixes of own networks and released models, or a released model refuses."""
    diffusion, text, views, form = (
        profile.diffusion, profile.text, profile.views, profile.trajectory,
    )  # fmt: skip
    marks = {
        'vision.trunk qwen3_vl': profile.vision.trunk == 'qwen3_vl',
        'denoiser.kind expert': profile.denoiser.kind == 'expert',
        'diffusion.schedule flow': diffusion.schedule == 'flow',
        'diffusion.prediction_type velocity': diffusion.prediction_type == 'velocity',
        'diffusion.train_steps 0': diffusion.train_steps == 0,
        'text.grammar free': text.grammar == 'free',
    }
    for mark, has in marks.items():
        if has != profile.released:
            verb = 'needs' if profile.released else 'has no'
            yield f'architecture {profile.architecture!r} {verb} {mark}'
    if not profile.released:
        if text.names_pictures:
            yield 'text.names_pictures: only prompts of released models have titles'
        return
    native = all(view.projection == 'native' for view in views)
    yield from released_contract.wrong_views([view.name for view in views], native)
    yield from released_contract.wrong_pictures(*profile.view_size, {v.tokens for v in views})
    times = {name: getattr(profile, name) for name in ('frames', 'ego_history')}
    spacing = {name: (found.count, found.spacing_s) for name, found in times.items()}
    spacing['trajectory'] = (form.points, form.dt_s)
    yield from released_contract.wrong_times(spacing, gaps=profile.history_gaps != 'none')


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


def released_names() -> list[str]:
    """Names of the profiles of released models."""
    return [name for name in profile_names() if name.startswith('nvidia-')]


def _files() -> dict[str, Path]:
    """The profiles that ship, by name."""
    return {p.stem: p for p in (share_dir() / 'config' / 'profiles').glob('*.yaml')}


def load_profile(name_or_path: str | Path) -> ModelProfile:
    """Read a profile by name (``nano``) or path; ConfigError names file, line and key."""
    why = released_contract.UNVERIFIED.get(str(name_or_path))
    if why:
        others = f'released models with a profile: {", ".join(released_names())}'
        raise ConfigError(f'no profile {str(name_or_path)!r}: {why}; {others}')
    return read_model(find('profile', name_or_path, _files()), ModelProfile)
