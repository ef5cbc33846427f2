"""Numbers of the reinforcement stage: the part ``rl`` of a streaming recipe."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=1)]
Several = Annotated[int, Field(ge=2)]
Positive = Annotated[float, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]


class Rewards(BaseModel):
    """What a drawn answer is worth, as weights of four terms.

    ``per_metre``: cost of the mean distance from the expert's plan; ``collision``: cost of a
    contact within ``collision_s`` that the expert's plan has not; ``agreement``: the
    discriminator's probability that words and plan belong together; ``score``: scene_score of the
    drive in which words were said.
    """

    model_config = ConfigDict(extra='forbid', frozen=True)
    per_metre: Weight
    collision: Weight
    collision_s: Positive
    agreement: Weight
    score: Weight


class Reinforcement(BaseModel):
    """How answers are drawn and how far a step may move the policy.

    ``states`` of the ring a roll-out, ``group`` answers each; every roll-out is used ``epochs``
    times in ``parts`` steps.  ``words`` and ``plan`` weigh the two policies (``plan`` 0: drawn
    plans teach nothing; the denoiser still learns the expert's while ``losses.plan`` is above 0),
    ``clip_words`` and ``clip_plan`` bound the ratio of likelihoods a token and a number,
    ``kl_words`` and ``kl_plan`` weigh the distance to the supervised model.  ``steps``: of the
    noisy walk that makes a plan; the profile's levels of noise bound them.  ``fresh``:
    publications for which words that were driven are still learnt from, ``driven``: rows of them
    a step.  ``judges_first``: steps in which only discriminator and critic learn.  ``exam_rows``:
    states that are held out for the check of facts.
    """

    model_config = ConfigDict(extra='forbid', frozen=True)
    states: Several
    group: Several
    epochs: Count
    parts: Count
    words: Positive
    plan: Weight
    clip_words: Annotated[float, Field(gt=0, lt=1)]
    clip_plan: Annotated[float, Field(gt=0, lt=1)]
    kl_words: Weight
    kl_plan: Weight
    steps: Several
    fresh: Count
    driven: Several
    judges_first: Annotated[int, Field(ge=0)]
    exam_rows: Count
    rewards: Rewards
