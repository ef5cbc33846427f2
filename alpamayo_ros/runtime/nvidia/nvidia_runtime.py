"""NVIDIA's released model as a runtime: the three calls, answered by the vendor's process."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
from jaxtyping import Float

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.model.released.sizes import sizes
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Condition, Features, HeldCondition, HeldFeatures, Identity
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.runtime.nvidia.adoption import Adoption, Choices, read_adoption, verify
from alpamayo_ros.runtime.nvidia.child.settings import Settings
from alpamayo_ros.runtime.nvidia.process import VendorProcess
from alpamayo_ros.runtime.nvidia.start_speed import disagreement, start_speed
from alpamayo_ros.runtime.nvidia.words import instruction_words, parts
from alpamayo_ros.types import Conditioning, FrameStack, Reasoning

KIND = 'nvidia'
LIMIT_S = 600.0  # to load, and of one call: a hang; deadlines of a cycle are the worker's


class NvidiaRuntime:
    """Pictures, poses and noise go to the process, words and candidates come back.

    The process holds features and condition of one cycle; older ones are made again when they are
    asked for, so that equal inputs give equal candidates.
    """

    def __init__(self, profile: ModelProfile, record: Adoption, process: VendorProcess) -> None:
        self.profile, self._choices, self._process = profile, record.choices, process
        self.identity = Identity(KIND, profile.name, record.sha256, process.version)
        self.notes: list[Fault] = []
        self.encoded = 0
        self._features: HeldFeatures | None = None
        self._condition: HeldCondition | None = None

    def encode(self, frames: FrameStack) -> Features:
        """Hold the features of ``frames``; only pictures that were not in the last set are new."""
        self._process.arrays.write('images', frames.images)
        self.encoded = int(self._process.ask('encode', LIMIT_S)['new'])
        self._features = HeldFeatures.of(frames)
        self._condition = None
        return self._features

    def reason(self, features: Features, given: Conditioning) -> Reasoning:
        """Words and condition; ValueError where past motion has gaps, which it does not take.

        The driving prompt and the previous words have no place in the released prompt.
        """
        assert isinstance(features, HeldFeatures) and features.frames is not None
        if not given.ego.valid.all():
            missing = int((~given.ego.valid).sum())
            raise ValueError(f'past motion lacks {missing} instants; this model takes no gaps')
        if features is not self._features:
            self.encode(features.frames)
            self._features = features
        speed_mps = self._start_speed(given)
        self._process.arrays.write('poses', given.ego.poses)
        answer = self._process.ask(
            'reason',
            LIMIT_S,
            speed_mps=speed_mps,
            instruction=instruction_words(given.navigation),
            seed=given.ego.t0_ns % 2**63,
        )
        self._condition = HeldCondition.of(given, features)
        ids = tuple(map(int, answer['token_ids']))
        text = parts(answer['text'])
        return Reasoning(text, ids, self._condition, bool(answer['truncated']))

    def _start_speed(self, given: Conditioning) -> float:
        """Where plans begin [m/s]; a note where poses say so and odometry contradicts them."""
        self.notes = []
        odometry = float(given.ego.speed_mps[0])
        if self._choices.speed == 'odometry':
            return odometry
        estimate = start_speed(given.ego.poses, self.profile.ego_history.spacing_s)
        fault = disagreement(estimate, odometry)
        self.notes += [fault] if fault is not None else []
        return estimate

    def denoise(
        self, condition: Condition, noise: Float[np.ndarray, 'K P 3']
    ) -> Float[np.ndarray, 'K P 3']:
        """Candidates; the first two columns of the noise are the actions' start."""
        assert isinstance(condition, HeldCondition) and condition.features is not None
        if condition is not self._condition:
            self.reason(condition.features, condition.given)
            self._condition = condition
        self._process.arrays.write('noise', noise)
        self._process.ask('denoise', LIMIT_S)
        return self._process.arrays.read('candidates')

    def reset(self) -> None:
        """Forget pictures and condition."""
        self._process.ask('reset', LIMIT_S)
        self._features = self._condition = None
        self.notes = []

    def warm_up(self) -> None:
        """One cycle on made-up input."""
        frames, given, noise = made_up_input(self.profile)
        self.denoise(self.reason(self.encode(frames), given).condition, noise)
        self.reset()

    def close(self) -> None:
        """End the vendor's process."""
        self._process.close()


def settings_of(profile: ModelProfile, folder: str, chosen: Choices) -> Settings:
    """What the vendor's process is told; ``folder``: the checkpoint's."""
    height, width = profile.view_size
    return Settings(
        engine=chosen.engine,
        folder=folder,
        vlm=chosen.vlm,
        source=chosen.source,
        device=chosen.device,
        dtype=chosen.dtype,
        attention=chosen.attention,
        views=tuple(view.name for view in profile.views),
        frames=profile.frames.count,
        height=height,
        width=width,
        tokens=profile.views[0].tokens,
        history=profile.ego_history.count,
        points=profile.trajectory.points,
        candidates=profile.candidates,
        steps=profile.diffusion.sample_steps,
        max_words=profile.text.max_coc,
        named=profile.text.names_pictures,
        words=chosen.words,
        speed=chosen.speed,
        guidance=chosen.guidance,
        sizes=asdict(sizes(profile)),
    )


def load(profile: ModelProfile, record_path: Path | None = None) -> NvidiaRuntime | Fault:
    """The adopted checkpoint, hashed again and loaded; a fault says what to do."""
    record = read_adoption(record_path, profile)
    if isinstance(record, Fault):
        return record
    fault = verify(record)
    if fault is not None:
        return fault
    least = profile.deadlines.startup_s if profile.deadlines else LIMIT_S
    settings = settings_of(profile, record.folder, record.choices)
    process = VendorProcess.start(record.choices.interpreter, settings, least)
    if isinstance(process, Fault):
        return process
    return NvidiaRuntime(profile, record, process)


def ready(profile: ModelProfile, record_path: Path | None) -> Fault | None:
    """Whether a checkpoint was adopted and its interpreter is there; nothing is hashed yet."""
    record = read_adoption(record_path, profile)
    if isinstance(record, Fault):
        return record
    if not Path(record.choices.interpreter).is_file():
        text = f'no interpreter {record.choices.interpreter}; adopt {record.folder} again'
        return Fault(Code.MODEL_PROVIDER, text)
    return None
