"""Token numbers of Alpamayo 1.5 that its runtime looks at.

Qwen's 151,669 words, then 3,000 bins of actions and 1,000 of past motion, then special words, in
the order in which the vendor's public code adds them to the tokenizer.
"""

from __future__ import annotations

END = (151_643, 151_645)  # of a text, of a turn: Qwen3-VL's generation_config.json
VISION_START, PICTURE, VISION_END = 151_652, 151_655, 151_653
BINS = (151_669, 155_669)  # never chosen in a text: they are trajectories
PAST = 154_669  # the first bin of past motion
FUTURE_START = 155_681  # ends the text; the actions follow
MARKS = (  # names of the special words, in their order
    'prompt_start prompt_end image_start _padding_0 image_end traj_history_start _padding_1 '
    'traj_history_end cot_start cot_end _padding_2 _padding_3 traj_future_start _padding_4 '
    'traj_future_end traj_history traj_future _padding_5 _padding_6 _padding_7 _padding_8 '
    'route_start route_pad route_end question_start question_end answer_start answer_end'
).split()
