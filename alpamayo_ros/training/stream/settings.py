"""Numbers of a streaming run (a recipe ``stream*`` or ``rl*``), for all its processes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from alpamayo_ros.config_file import absent, read_model
from alpamayo_ros.statuses import NoSuchFileError
from alpamayo_ros.training.reinforcement.settings import Reinforcement
from alpamayo_ros.training.wordings.settings import Wordings

# Readers of dense truth, for who begins with a run's weights; a recipe's encoder has others.
HEADS = 'dense_heads.safetensors'
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
Stage = Literal['sft', 'dagger', 'rl', 'wordings']


class Jitter(BaseModel):
    """Spread (standard deviation) of where and how the cameras of one drive are mounted."""

    model_config = ConfigDict(extra='forbid', frozen=True)
    mount_m: float = Field(ge=0, le=0.2)
    turn_deg: float = Field(ge=0, le=3)


class Losses(BaseModel):
    """Weights of what is minimised: plan, words, what no car can drive, and dense truth.

    ``single`` reads the truth out of the newest timestep's tokens, ``fused`` out of all.
    """

    model_config = ConfigDict(extra='forbid', frozen=True)
    plan: Annotated[float, Field(ge=0)]
    text: Annotated[float, Field(ge=0)]
    feasible: Annotated[float, Field(ge=0)]
    single: Annotated[float, Field(ge=0)]
    fused: Annotated[float, Field(ge=0)]


class Settings(BaseModel):
    """What a streaming run is told.

    ``stage``: ``sft``, on the expert's drives alone; ``dagger``, on the policy's too; ``rl``, by
    what drawn answers are worth, as ``rl`` says; ``wordings``, other words for the same wish, as
    ``wordings`` says.  ``quantise``: ``int8`` rounds the linear layers in every forward pass as
    INT8 arithmetic would, so that the weights learn to bear it.
    ``seconds``: of the whole run, publishing and earlier calls included.  ``ring``: frames that
    are kept.  ``first_rows``: samples before the first step.  ``peak``: learning rate from
    scratch, ``peak_further`` from given weights.  ``constant``: share of the time before the
    cosine begins.  ``diffusion``: share of the time that is a regression at first (from scratch
    alone).  ``towns``: SUMO is there.  ``expert_s``: seconds of training before the policy drives
    ``policy_share`` of the drives, ``exam_share`` of those on plain templates, undisturbed: the
    learning curve.  ``prompted``: share of the drives in which the passenger asks for something.
    ``told_through``: share of the drives in which a town's instruction stays until the turn has
    been made, as a route's does; in the others it is over at the stop line.
    ``driven_again``: share of the drives that go back to a world in which the policy has failed,
    as long as there is one: three times, or until it is mastered.
    ``boards``: share of the drives in which a board stands before the front camera for a while.
    ``held_back``: share of the starts from rest that are held back for some seconds, so that who
    stands too long learns to start.
    ``own_words``: share of the policy's samples in which the plan is learnt behind the words that
    it said, right or wrong, as at run time; 0: it drives without words.
    ``draws``: simulators wait while a sample has been drawn less often than that (0: never).
    ``held_out``: drives a rank that nothing is learnt from, for ``alpamayo train exam``.
    ``views``: whether the image encoder learns; frozen, with weights to start from, it sees every
    frame once, and a step costs a fifth; of ``blocks`` the convolutional stem alone is frozen.
    """

    model_config = ConfigDict(extra='forbid', frozen=True)
    profile: str
    stage: Stage
    quantise: Literal['none', 'int8']
    seconds: Positive
    workers: Count
    ring: Annotated[int, Field(ge=256)]
    first_rows: Count
    batch: Annotated[int, Field(ge=2)]
    peak: Positive
    peak_further: Positive
    warm_up_steps: Count
    constant: Share
    diffusion: Share
    publish_s: Positive
    save_s: Positive
    log_s: Positive
    norm_batches: Count
    expert_s: Annotated[float, Field(ge=0)]
    policy_share: Share
    exam_share: Share
    exam_window_s: Positive
    prompted: Share
    told_through: Share
    driven_again: Share
    boards: Share
    own_words: Share
    held_back: Share
    draws: Annotated[float, Field(ge=0)]
    held_out: Annotated[int, Field(ge=0)]
    views: Literal['trained', 'blocks', 'frozen']
    losses: Losses
    waiting_chunks: Count
    most_steps: Count
    towns: bool
    threads: Count
    jitter: Jitter
    families: dict[str, Annotated[float, Field(ge=0)]]
    rl: Reinforcement | None = None
    wordings: Wordings | None = None

    @model_validator(mode='after')
    def _something_learns(self) -> Settings:
        if self.views == 'frozen' and self.losses.single:
            raise ValueError('losses.single reads the tokens of the views: with views: frozen it '
                             'teaches nothing; make it 0 (fused may stay)')  # fmt: skip
        if not (self.losses.plan or self.rl or self.wordings):
            raise ValueError('losses.plan is 0: no plan would be learnt; give it a weight')
        return self

    @model_validator(mode='after')
    def _wordings_have_their_numbers(self) -> Settings:
        if (self.stage == 'wordings') != (self.wordings is not None):
            raise ValueError('stage: wordings and the part wordings belong together: take recipe '
                             'wordings, or another recipe for another stage')  # fmt: skip
        if self.wordings is None:
            return self
        if self.views != 'frozen':
            raise ValueError('stage: wordings tunes the backbone behind views: frozen')
        if any(self.losses.model_dump().values()):
            raise ValueError('stage: wordings learns from the model it begins with, not from an '
                             'expert: all losses have to be 0')  # fmt: skip
        return self

    @model_validator(mode='after')
    def _stage_has_its_numbers(self) -> Settings:
        if self.stage == 'rl' and self.rl is None:
            raise ValueError('stage: rl needs the part rl of a recipe: take rl or rl_toy')
        if self.stage != 'rl' and self.rl is not None:
            raise ValueError(f'stage: {self.stage} has no use for the part rl of a recipe: take '
                             'another, as stream or stream_toy')  # fmt: skip
        if self.rl is None:
            return self
        if self.views != 'frozen':
            raise ValueError('stage: rl tunes backbone and denoiser behind views: frozen')
        if self.rl.exam_rows >= self.first_rows:
            raise ValueError(f'rl.exam_rows {self.rl.exam_rows} are held out of the first_rows '
                             f'{self.first_rows}, of which some must be left')  # fmt: skip
        return self

    @classmethod
    def from_file(cls, path: Path, **changes: Any) -> Settings:
        """Read and check a file; ``changes`` replace what it says."""
        return read_model(path, cls, changes=changes)

    @classmethod
    def of_run(cls, root: Path) -> Settings:
        """The settings that the run in ``root`` was started with; ConfigError where none are."""
        path = root / 'settings.json'
        if not path.is_file():
            raise NoSuchFileError(absent('file', path))
        return read_model(path, cls)  # JSON is YAML
