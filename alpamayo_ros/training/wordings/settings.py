"""Numbers of the stage ``wordings``: the part ``wordings`` of a streaming recipe."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class Wordings(BaseModel):
    """What is asked, how its wording is disturbed, and what being understood otherwise costs.

    ``asked``: share of the samples in which a passenger says something.  ``dropped``: share of a
    wording's words that are left out, never its number; ``strange``: share of the places between
    words where something without meaning is said.  ``words`` weighs how far the words are from
    what the known wording makes the model say, ``plan`` how far the plan is.
    """

    model_config = ConfigDict(extra='forbid', frozen=True)
    asked: Share
    dropped: Annotated[float, Field(ge=0, lt=1)]
    strange: Share
    words: Positive
    plan: Positive
