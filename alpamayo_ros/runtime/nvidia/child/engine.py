"""NVIDIA's class behind encode, reason and denoise; its tensors never leave this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from alpamayo_ros.model.released.median_time import median_ms
from alpamayo_ros.runtime.nvidia.child.expert import Expert
from alpamayo_ros.runtime.nvidia.child.language import Language, Prefix
from alpamayo_ros.runtime.nvidia.child.motion import past, step_bins
from alpamayo_ros.runtime.nvidia.child.prompt import prompt_text
from alpamayo_ros.runtime.nvidia.child.settings import Settings
from alpamayo_ros.runtime.nvidia.child.timing import cycle_ms, made_up
from alpamayo_ros.runtime.nvidia.child.tower import Tower


@dataclass(frozen=True, slots=True)
class Held:
    """The condition of one cycle; ``free``: the same words without the instruction."""

    prefix: Prefix
    free: Prefix | None
    positions: torch.Tensor
    rotations: torch.Tensor
    speed_mps: float


class VendorEngine:
    """One loaded model; equal inputs give equal candidates, whatever was asked before."""

    def __init__(self, model: Any, settings: Settings) -> None:
        self.model, self.settings = model, settings
        self.tower = Tower(model.vlm.model, settings.device)
        self.language = Language(model, self.tower)
        self.expert = Expert(model, settings.steps)
        self._held: Held | None = None

    @property
    def version(self) -> str:
        """The vendor's class and the torch it runs on."""
        return f'{type(self.model).__name__}, torch {torch.__version__}'

    def _mixed(self) -> torch.autocast:
        """As the vendor's example runs it: bfloat16 weights under autocast; float32 as it is."""
        kind = torch.device(self.settings.device).type
        mixed = self.settings.dtype != 'float32'
        return torch.autocast(kind, torch.bfloat16, enabled=mixed)

    @torch.no_grad()
    def encode(self, images: np.ndarray) -> int:
        """Hold the features of ``images``; how many pictures went through the tower."""
        with self._mixed():
            return self.tower.hold(images)

    def prompt(self, positions: np.ndarray, instruction: str) -> torch.Tensor:
        """Token ids (1, L) of the prompt, with the past motion in its places."""
        s = self.settings
        text = prompt_text(s.views, s.frames, s.tokens, s.history, instruction, s.named)
        ids = np.array(self.model.tokenizer.encode(text, add_special_tokens=False))
        place = self.model.special_token_ids['traj_history']
        ids[ids == place] = self.model.hist_token_start_idx + step_bins(positions)
        return torch.from_numpy(ids)[None].to(s.device)

    @torch.no_grad()
    def reason(
        self, poses: np.ndarray, speed_mps: float, instruction: str, seed: int
    ) -> dict[str, Any]:
        """Words for the pictures held; ``seed`` counts where words are sampled."""
        s = self.settings
        positions, rotations = past(poses)
        texts = s.candidates if s.words == 'each' else 1
        torch.manual_seed(seed)
        with self._mixed():
            asked = self.prompt(positions, instruction)
            told = self.language.tell(asked, texts, s.words != 'greedy', s.max_words)
            free = None
            if instruction and s.guidance != 1.0:
                free = self.language.again(self.prompt(positions, ''), told)
        where = [torch.from_numpy(a)[None].to(s.device) for a in (positions, rotations)]
        self._held = Held(told.prefix, free, where[0], where[1], speed_mps)
        return {
            'text': self.language.words(told),
            'token_ids': told.ids[0].tolist(),
            'truncated': not all(told.stopped),
        }

    @torch.no_grad()
    def denoise(self, noise: np.ndarray) -> np.ndarray:
        """Candidates x, y [m], heading [rad] from the first two columns of ``noise``."""
        held, s = self._held, self.settings
        if held is None:
            raise ValueError('denoise comes after reason')
        start = torch.from_numpy(np.ascontiguousarray(noise[..., :2])).to(s.device)
        with self._mixed():
            actions = self.expert.actions(start, held.prefix, held.free, s.guidance)
        many = len(actions)
        given = [a.expand(many, *a.shape[1:]) for a in (held.positions, held.rotations)]
        t0 = None
        if s.speed == 'odometry':
            t0 = {'v': torch.full((many,), held.speed_mps, device=s.device)}
        points, turns = self.model.action_space.action_to_traj(actions.float(), *given, t0)
        heading = torch.atan2(turns[..., 1, 0], turns[..., 0, 0])
        plans = torch.cat([points[..., :2], heading[..., None]], -1)
        return plans.float().cpu().numpy()

    def reset(self) -> None:
        """Forget pictures and condition."""
        self.tower.reset()
        self._held = None

    @torch.no_grad()
    def time(self, rounds: int) -> dict[str, float]:
        """Median [ms] of the vendor's public call, and of the three calls above."""
        s = self.settings
        images, poses = made_up(s, s.frames)
        positions, rotations = past(poses)
        ids = self.prompt(positions, '')
        data = {
            'tokenized_data': {
                'input_ids': ids, 'attention_mask': torch.ones_like(ids),
                **self.tower.public(images),
            },
            'ego_history_xyz': torch.from_numpy(positions)[None, None].to(s.device),
            'ego_history_rot': torch.from_numpy(rotations)[None, None].to(s.device),
        }  # fmt: skip

        def call() -> None:
            with self._mixed():
                self.model.sample_trajectories_from_data_with_vlm_rollout(
                    data, num_traj_samples=s.candidates, max_generation_length=s.max_words
                )

        return {
            'call_ms': median_ms(call, rounds, torch.device(s.device)),
            'cycle_ms': cycle_ms(self, rounds),
        }
