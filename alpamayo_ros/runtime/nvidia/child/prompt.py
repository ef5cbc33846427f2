"""The text that a released model is asked with, as its tokenizer reads it (public helper code)."""

from __future__ import annotations

from collections.abc import Sequence

from alpamayo_ros.released_contract import CAMERAS

SYSTEM = 'You are a driving assistant that generates safe and accurate actions.'
TASK = (
    'output the chain-of-thought reasoning of the driving process, '
    'then output the future trajectory.'
)
POSE_TOKENS = 3  # dx, dy, dz of each pose


def prompt_text(
    views: Sequence[str], frames: int, tokens: int, poses: int, instruction: str, named: bool
) -> str:
    """System, pictures by camera with the oldest first, past motion, instruction, task.

    A picture is ``tokens`` places.  ``instruction`` '' leaves its span out.  ``named``: cameras
    have their titles and pictures their numbers (Alpamayo 1.5).
    """
    picture = f'<|vision_start|>{"<|image_pad|>" * tokens}<|vision_end|>'
    seen = ''
    for view in views:
        seen += f'{CAMERAS[view].title} camera: ' if named else ''
        for i in range(frames):
            seen += f'frame {i} {picture}' if named else picture
    past = f'<|traj_history_start|>{"<|traj_history|>" * (POSE_TOKENS * poses)}'
    past += '<|traj_history_end|>'
    route = f'<|route_start|>{instruction}<|route_end|>' if instruction else ''
    return (
        f'<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n{seen}{past}{route}{TASK}'
        '<|im_end|>\n<|im_start|>assistant\n<|cot_start|>'
    )
