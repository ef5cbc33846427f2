"""Counted work against torch's own counter, and the weights against those of the networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from alpamayo_ros.budget import action, language, vision
from alpamayo_ros.budget.answer import counted_profiles
from alpamayo_ros.budget.work import Stage
from alpamayo_ros.layer_shapes import InputTokens
from alpamayo_ros.model.diffusion import alpha_bar
from alpamayo_ros.model.layout import token_layout
from alpamayo_ros.model.summary import summarise
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import ModelProfile, load_profile

PROFILES = counted_profiles()


def _bare(name: str) -> ModelProfile:
    """A profile without the optional inputs, which have small networks of their own."""
    return load_profile(name).model_copy(update={'inputs': InputTokens()})


def _counted(work: Callable[[], Any]) -> float:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())


@pytest.mark.parametrize('name', PROFILES)
def test_encoder_counts_as_torch_does(name: str) -> None:
    """Stem, trunk and attention across cameras, within what pools and embeddings add."""
    profile = _bare(name)
    with torch.device('meta'):
        model = VLA(profile)
    height, width = profile.view_size
    images = torch.empty(1, len(profile.views), height, width, 3, device='meta')
    valid = torch.empty(1, len(profile.views), device='meta')
    counted = _counted(lambda: model.encode_timestep(images, valid))
    assert Stage('encode', vision.encode(profile)).flops == pytest.approx(counted, rel=0.02)


@pytest.mark.parametrize('name', PROFILES)
def test_backbone_counts_as_torch_does(name: str) -> None:
    """Sixteen words over a full cache, with the scores of the next."""
    profile = _bare(name)
    with torch.device('meta'):
        model = VLA(profile)
    slots = token_layout(profile).max_sequence
    cache = model.backbone.new_cache(1, slots)
    x = torch.empty(1, 16, profile.backbone.width, device='meta')
    positions = torch.zeros(16, dtype=torch.long, device='meta')
    mask = torch.empty(1, 1, 16, slots, device='meta')
    counted = _counted(
        lambda: model.backbone.logits(model.backbone(x, positions, mask, cache, slots - 16))
    )
    assert Stage('words', language.words(profile, 16)).flops == pytest.approx(counted, rel=0.01)


@pytest.mark.parametrize('name', PROFILES)
def test_denoiser_counts_as_torch_does(name: str) -> None:
    """All steps of all candidates; torch computes each candidate's modulation, we one a step."""
    profile = _bare(name)
    with torch.device('meta'):
        model = VLA(profile)
    seen, width = action.context_tokens(profile), profile.backbone.width
    points, k = profile.trajectory.points, profile.candidates
    given = [
        torch.empty(shape, device='meta')
        for shape in ((1, seen, width), (1, seen), (1,), (1, k, points, 3))
    ]
    model.alpha_bar = alpha_bar(profile.diffusion)
    counted = _counted(lambda: model.denoise(*given))
    assert Stage('denoise', action.denoise(profile)).flops == pytest.approx(counted, rel=0.06)


@pytest.mark.parametrize('name', PROFILES)
def test_weights_are_those_of_the_networks(name: str) -> None:
    """Weights read by a stage, beside the parameters of its networks; biases and tables differ."""
    profile = load_profile(name)
    parameters = {part.name: part.parameters for part in summarise(profile).parts}
    embedding = profile.text.vocab_size * profile.backbone.width
    untied = 0 if profile.backbone.tie_embeddings else embedding
    read = Stage('words', language.words(profile, 1)).weights + untied
    assert read == pytest.approx(parameters['backbone'], rel=0.01)
    once = profile.diffusion.model_copy(update={'sample_steps': 1})
    one = profile.model_copy(update={'diffusion': once})
    denoiser = Stage('denoise', action.denoise(one)).weights
    assert denoiser == pytest.approx(parameters['denoiser'], rel=0.04)
