"""A model's parts, opened once for all comparisons: sessions, the torch modules, its runtimes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from alpamayo_ros.cli.measuring.cycle.naive import (
    DECODE,
    GrowingCache,
    Mixed,
    Slower,
    SteppedDenoiser,
)
from alpamayo_ros.faults import Fault
from alpamayo_ros.model.sampler import sampler
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime import torch_runtime
from alpamayo_ros.runtime.base import Identity
from alpamayo_ros.runtime.file_gate import data_file
from alpamayo_ros.runtime.loader import model_dir
from alpamayo_ros.runtime.manifest import ModelFiles, check_profile, read_model
from alpamayo_ros.runtime.onnx_runtime import OnnxStages, open_graph
from alpamayo_ros.runtime.registry import GRAPHS, TEXT_FILES, WEIGHTS
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.runtime.torch_runtime import TorchStages

DDIM_STEPS = 10  # without the second-order solver


@dataclass(frozen=True)
class Parts:
    """``reference`` is the torch runtime; ``files`` have the decode graph and its weights."""

    profile: ModelProfile
    identity: Identity
    sessions: list[Any]
    files: ModelFiles
    reference: StagedRuntime

    @property
    def model(self) -> VLA:
        """The torch modules."""
        stages = self.reference.stages
        assert isinstance(stages, TorchStages)
        return stages.model

    @cached_property
    def stepped(self) -> SteppedDenoiser:
        """The denoiser step by step; exporting it takes seconds."""
        return SteppedDenoiser(self.model)

    @cached_property
    def ten_ddim_steps(self) -> SteppedDenoiser:
        """The same denoiser asked ten times, evenly in time: other plans, not only slower ones."""
        plain = self.model.profile.diffusion.model_copy(update={'solver': 'ddim'})
        return SteppedDenoiser(self.model, sampler(plain, DDIM_STEPS))

    def stages(self) -> OnnxStages:
        """The fast stages with a key/value cache of their own."""
        return OnnxStages(self.sessions)

    def fast(self) -> StagedRuntime:
        """The runtime that ships."""
        return StagedRuntime(self.profile, self.identity, self.reference.grammar, self.stages())

    def growing_cache(self) -> GrowingCache:
        """The decode graph with keys and values that are copied to make room."""
        return GrowingCache(self.files.data[DECODE], self.files.data.get(data_file(DECODE)))

    def naive(self) -> StagedRuntime:
        """The same numbers without any saving."""
        slow = Mixed(self.stages(), self.growing_cache(), self.stepped)
        return Slower(self.fast(), slow, 'features', 'prefix', 'runs')

    def with_one_less(self) -> dict[str, StagedRuntime]:
        """The fast runtime with one saving left out, by the saving's name."""
        fast = self.fast()
        grown = Mixed(self.stages(), cache=self.growing_cache())
        stepped = Mixed(self.stages(), denoiser=self.stepped)
        return {
            'feature_cache': Slower(fast, self.stages(), 'features'),
            'text_prefix_kept': Slower(fast, self.stages(), 'prefix'),
            'draft': Slower(fast, self.stages(), 'draft'),
            'draft_and_forced_runs': Slower(fast, self.stages(), 'runs'),
            'static_kv_cache': Slower(fast, grown),
            'unrolled_steps': Slower(fast, stepped),
            'second_order_solver': Slower(
                fast, Mixed(self.stages(), denoiser=self.ten_ddim_steps)
            ),
        }


def open_parts(profile: ModelProfile, folder: Path | None) -> Parts | Fault:
    """Everything of a verified model folder (default: the shipped one)."""
    names = (*GRAPHS, *TEXT_FILES, WEIGHTS)
    files = read_model(folder or model_dir(profile), names)
    if isinstance(files, Fault):
        return files
    wrong = check_profile(files, profile)
    reference = wrong or torch_runtime.load(files, profile)
    if isinstance(reference, Fault):
        return reference
    sessions = [open_graph(files, name) for name in GRAPHS]
    refused = [session for session in sessions if isinstance(session, Fault)]
    if refused:
        return refused[0]
    identity = Identity('onnx', profile.name, files.sha256, files.manifest.version)
    return Parts(profile, identity, sessions, files, reference)
