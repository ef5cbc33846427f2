"""Each figure of the comparison with NVIDIA's own path; zero or true where both are equal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from alpamayo_ros.runtime.nvidia.child.motion import past, step_bins
from alpamayo_ros.runtime.nvidia.child.pictures import in_order, patches
from alpamayo_ros.runtime.nvidia.child.prompt import prompt_text
from released.histories import curve, histories, levels, pictures, sample
from released.tiny import ACTIONS
from released.unicycle import points

ROUTES = ('', 'Turn left in 40m', 'Turn right onto Elm Street in 100m')
WHOLE = 1000  # tokens: a pass over a prompt, not over a word
SPEEDS = (-3.0, 0.0, 8.0, 20.0)  # m/s at t0


def far(a: Any, b: Any) -> float:
    """Largest difference; infinite where the shapes are not the same."""
    a, b = np.asarray(a), np.asarray(b)
    return float(np.abs(a.astype(np.float64) - b).max()) if a.shape == b.shape else float('inf')


def sha(values: np.ndarray | str) -> str:
    """SHA-256 of the bytes."""
    data = values.encode() if isinstance(values, str) else np.ascontiguousarray(values).tobytes()
    return hashlib.sha256(data).hexdigest()


def choose(engine: Any, **changes: Any) -> None:
    """Other settings for the calls that follow."""
    engine.settings = replace(engine.settings, **changes)


def figures(engine: Any, vendor: Any) -> dict[str, Any]:
    """All of them, by name."""
    found: dict[str, Any] = {}
    for part in (motion, unicycle, inputs, plans, guidance, cycles):
        found[part.__name__] = part(engine, vendor)
    return found


def inputs(engine: Any, vendor: Any) -> list[dict[str, Any]]:
    """Token ids and patches of 3 instructions with 3 sets of cameras."""
    every, found = engine.settings.views, []
    positions, rotations = past(curve())
    for views in (every[1:2], every[:3], every):
        images = pictures(len(views), 3)
        ours = patches(in_order(images))
        shown = levels(ours)
        for route in ROUTES:
            choose(engine, views=views)
            theirs = vendor.inputs(images, views, route)
            data = {'ego_history_xyz': positions, 'ego_history_rot': rotations}
            data = {name: torch.from_numpy(a)[None, None] for name, a in data.items()}
            fused = vendor.model.fuse_traj_tokens(theirs['input_ids'], data)
            text = prompt_text(views, 4, 180, 16, route, named=True)
            found.append({
                'views': list(views), 'route': route, 'tokens': fused.shape[1],
                'ids_equal': torch.equal(engine.prompt(positions, route), fused),
                'pixels': far(ours, theirs['pixel_values']),
                'levels': sample(shown),  # where pixels is 0, theirs too
                'levels_mean': float(shown.mean()),
                'text_equal': vendor.model.tokenizer.decode(theirs['input_ids'][0]) == text,
                'text_sha256': sha(vendor.model.tokenizer.decode(theirs['input_ids'][0])),
            })  # fmt: skip
    choose(engine, views=every)
    return found


def motion(engine: Any, vendor: Any) -> dict[str, dict[str, Any]]:
    """Poses, rotations, tokens and the estimated speed of each history."""
    found = {}
    for name, poses in histories().items():
        positions, rotations = past(poses)
        xyz, rot = vendor.history(poses)
        given = [torch.from_numpy(a)[None] for a in (positions, rotations)]
        tokenizer = vendor.model.hist_traj_tokenizer
        bins = tokenizer.encode(given[0], given[1], given[0], given[1])[0].numpy()
        speed = vendor.model.action_space.estimate_t0_states(*given)['v'].item()
        found[name] = {
            'xyz': far(positions, xyz), 'rot': far(rotations, rot), 'speed_mps': speed,
            'bins_equal': bool(np.array_equal(bins, step_bins(positions))), 'bins': bins.tolist(),
        }  # fmt: skip
    return found


def unicycle(engine: Any, vendor: Any) -> dict[str, Any]:
    """Our equations against its action space on 1,000 random actions, backwards too.

    By speed at t0 [m/s]: how far ours lie from its float64 and float32, and both of its own from
    each other.  A position of 130 m in float32 is known to 1.5e-5 m.
    """
    draws = np.random.default_rng(2).normal(size=(1000, 64, 2)).astype(np.float32)
    exact, found = exact_space(vendor.model.action_space), {}
    for speed in SPEEDS:
        ours = points(draws, speed)[..., :2]
        doubled = moved(exact, draws.astype(np.float64), speed)
        single = moved(vendor.model.action_space, draws, speed)
        found[str(speed)] = {
            'float64_m': far(ours, doubled), 'float32_m': far(ours, single),
            'its_own_m': far(doubled, single), 'ends_of_first_4': doubled[:4, -1].tolist(),
        }  # fmt: skip
    return found


def exact_space(space: Any) -> Any:
    """The vendor's action space with the released constants in float64."""
    kept = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return type(space)(**{name: v for name, v in ACTIONS.items() if name != '_target_'})
    finally:
        torch.set_default_dtype(kept)


def moved(space: Any, actions: np.ndarray, speed_mps: float) -> np.ndarray:
    """x, y [m] (K, P, 2) of the vendor's action space, in the precision of ``actions``."""
    given, many = torch.from_numpy(actions), len(actions)
    still = [torch.zeros(many, 16, 3), torch.eye(3).expand(many, 16, 3, 3)]
    past_motion = [values.to(given.dtype) for values in still]
    start = {'v': torch.full((many,), speed_mps, dtype=given.dtype)}
    xyz, _ = space.action_to_traj(given, *past_motion, start)
    found: np.ndarray = xyz[..., :2].numpy()
    return found


@contextmanager
def drawn(noise: torch.Tensor) -> Iterator[None]:
    """``torch.randn`` gives ``noise``."""
    kept, torch.randn = torch.randn, lambda *a, **k: noise
    try:
        yield
    finally:
        torch.randn = kept


def wide(noise: torch.Tensor) -> np.ndarray:
    """Noise as the product's: three columns."""
    return np.concatenate([noise.numpy(), np.zeros((*noise.shape[:2], 1), np.float32)], -1)


def plans(engine: Any, vendor: Any) -> dict[str, Any]:
    """Candidates of a sampled text each for K = 1 and 3; two of one text, the most likely.

    The latter stand against two calls of the vendor's: its own batch of two differs from them by
    0.07 m, because it rounds the prompt otherwise and the weights are three times too large.
    """
    images, poses, found = pictures(2, 7), curve(), {}
    every, views = engine.settings.views, engine.settings.views[1::2]
    choose(engine, views=views)
    for many in (1, 3):
        choose(engine, candidates=many, words='each')
        torch.manual_seed(11)
        theirs = vendor.plans(images, views, poses, ROUTES[2], num_traj_samples=many)
        engine.encode(images)
        told = engine.reason(poses, 0.0, ROUTES[2], 11)
        ours = engine.denoise(wide(torch.randn(many, 64, 2)))
        found[f'each_{many}'] = far(ours, theirs)
        found[f'each_{many}_truncated'] = told['truncated']
    found['spread_m'] = float(np.ptp(theirs[:, -1, :2], axis=0).max())
    noise = torch.from_numpy(np.random.default_rng(4).normal(size=(2, 64, 2)).astype(np.float32))
    choose(engine, candidates=2, words='greedy')
    each = []
    for one in noise:
        with drawn(one[None]):
            each += [*vendor.plans(images, views, poses, '', num_traj_samples=1, top_k=1)]
    engine.reason(poses, 0.0, '', 0)
    found['greedy'] = far(engine.denoise(wide(noise)), np.stack(each))
    choose(engine, views=every)
    return found


def guidance(engine: Any, vendor: Any) -> dict[str, Any]:
    """Candidates with the instruction weighed 0, 1 and 1.5."""
    images, poses, found, ends = pictures(2, 7), curve(), {}, {}
    every, views = engine.settings.views, engine.settings.views[1::2]
    choose(engine, views=views)
    for weight in (0.0, 1.0, 1.5):
        choose(engine, candidates=2, words='each', guidance=weight)
        how = {
            'diffusion_kwargs': {
                'use_classifier_free_guidance': True, 'inference_guidance_weight': weight
            }
        }  # fmt: skip
        torch.manual_seed(11)
        theirs = vendor.plans(images, views, poses, ROUTES[1], num_traj_samples=2, **how)
        engine.encode(images)
        engine.reason(poses, 0.0, ROUTES[1], 11)
        found[f'weight_{weight:g}'] = far(engine.denoise(wide(torch.randn(2, 64, 2))), theirs)
        ends[weight] = theirs[:, -1, :2]
    found['moved_m'] = far(ends[0.0], ends[1.5])
    choose(engine, guidance=1.0, words='greedy', views=every)
    return found


def cycles(engine: Any, vendor: Any) -> dict[str, Any]:
    """What a second cycle costs, that nothing it kept changes a plan, and the odometer's speed."""
    poses, passes = curve(), []
    first, more = pictures(4, 7), pictures(4, 8)
    moved = np.concatenate([more[:1], first[:3]])
    noise = np.random.default_rng(6).normal(size=(3, 64, 3)).astype(np.float32)
    choose(engine, candidates=3)
    engine.reset()
    new = [engine.encode(first), engine.encode(moved)]
    language = vendor.model.vlm.model.language_model
    count = language.register_forward_hook(
        lambda m, a, kw, out: passes.append(out.last_hidden_state.shape[:2]), with_kwargs=True
    )
    engine.reason(poses, 0.0, '', 0)
    count.remove()
    kept = engine.denoise(noise)
    again = far(kept, engine.denoise(noise))
    engine.reset()
    engine.encode(moved)
    engine.reason(poses, 3.7, '', 0)
    fresh = engine.denoise(noise)
    choose(engine, speed='odometry')
    start = torch.from_numpy(np.ascontiguousarray(noise[..., :2]))
    actions = engine.expert.actions(start, engine._held.prefix, None, 1.0).detach().numpy()
    odometry = far(engine.denoise(noise)[..., :2], points(actions, 3.7)[..., :2])
    choose(engine, speed='history')
    whole = [tuple(shape) for shape in passes if shape[1] > WHOLE]
    return {
        'new_pictures': new, 'prompt_passes': whole, 'denoise_twice': again,
        'kept_against_fresh': far(kept, fresh), 'odometry_speed_m': odometry,
    }  # fmt: skip
