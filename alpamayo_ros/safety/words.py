"""Whether the chosen path does the opposite of what the words beside it announce.

The same reading of words and path as the figure ``agreement`` (``metrics.agreement``).  The words
are the model's and choose no path; where ``coc_degrades`` is set they can degrade the state.
"""

from __future__ import annotations

from alpamayo_ros.faults import Code, Fault, Reaction
from alpamayo_ros.metrics.agreement import fits, told_and_driven
from alpamayo_ros.motion.rollout import Rollout
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.types import EgoState


def disagreements(
    text: str, feasible: Rollout, chosen: int | None, ego: EgoState, config: PlanConfig
) -> list[Fault]:
    """COC_DISAGREES where the opposite of something announced is driven; ``ego`` at t0.

    Its value is the agreement, 0 to 1, over all that is announced.
    """
    if chosen is None:
        return []
    path = (feasible.poses[chosen], ego.speed_mps, feasible.dt_s)
    if 0.0 not in fits(text, *path).values():
        return []
    agreement, sentence = told_and_driven(text, *path)
    raised = Reaction.DEGRADE if config.coc_degrades else Reaction.NOTE
    return [Fault(Code.COC_DISAGREES, sentence, {'agreement': agreement or 0.0}, raised)]
