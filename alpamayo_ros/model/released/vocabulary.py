"""Token numbers of Alpamayo 1.5 that its runtime looks at.

Qwen's 151,669 words, then 3,000 bins of actions and 1,000 of past motion, then special words, in
the order in which the vendor's public code adds them to the tokenizer.
"""

from __future__ import annotations

END = (151_643, 151_645)  # of a text, of a turn: Qwen3-VL's generation_config.json
VISION_START, PICTURE, VISION_END = 151_652, 151_655, 151_653
BINS = (151_669, 155_669)  # never chosen in a text: they are trajectories
FUTURE_START = 155_681  # ends the text; the actions follow
