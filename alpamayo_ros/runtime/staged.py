"""A runtime of four stages: what all fast runtimes share, whatever computes the stages.

Here: the feature cache, the text prefix that stays in the key/value cache, the decoding loop and
the token layout.  A stage is a pure function of numbers, and what is kept was always computed by
the same call on the same numbers, so a cache changes the time and never a bit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy.typing import NDArray

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.layout import token_layout
from alpamayo_ros.model.prompt import prefix_ids
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Condition, Features, Identity
from alpamayo_ros.runtime.chunks import Chunk, ChunkFeeder, Places
from alpamayo_ros.runtime.decode import Begun, Decoded, Draft, confirmed, decode
from alpamayo_ros.runtime.feature_cache import FeatureCache
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.runtime.text import bounded_text
from alpamayo_ros.runtime.word_mode import SEQUENTIAL
from alpamayo_ros.types import Conditioning, FrameStack, Reasoning


class Stages(Protocol):
    """What a runtime computes by itself; the rest is :class:`StagedRuntime`."""

    def encode(
        self, images: UInt8[np.ndarray, 'V H W 3'], valid: Bool[np.ndarray, ' V']
    ) -> Float[np.ndarray, 'N D']:
        """Features of one timestep."""
        ...

    def fuse(
        self, features: Features, given: Conditioning
    ) -> tuple[Float[np.ndarray, 'M D'], Float[np.ndarray, 'M M']]:
        """Embeddings of all scene segments, and the learned bias between them."""
        ...

    def decode(self, chunk: Chunk) -> tuple[Float[np.ndarray, 'n V'], Float[np.ndarray, 'n D']]:
        """Logits and hidden states; keys and values stay in the cache."""
        ...

    def denoise(
        self, condition: Condition, noise: Float[np.ndarray, 'K P 3']
    ) -> Float[np.ndarray, 'K P 3']:
        """Candidates from noise."""
        ...

    def clear(self) -> None:
        """Zero the key/value cache: a NaN in a masked slot would still spread."""
        ...


class StagedRuntime:
    """Runtime protocol on four stages.

    ``word_mode``: older words are read in one pass of the backbone.  Concurrent ones are this
    cycle's where that pass says so; where it says that they would be others now, ``words_after``
    decodes those once the plan is out.
    """

    def __init__(
        self, profile: ModelProfile, identity: Identity, grammar: Grammar, stages: Stages
    ) -> None:
        self.profile, self.grammar, self.stages = profile, grammar, stages
        self.word_mode = SEQUENTIAL
        self._identity = identity
        self._layout = token_layout(profile)
        self.features = FeatureCache(stages.encode)
        self._prefix: tuple[int, ...] = ()
        self._prefix_hidden = np.zeros((0, profile.backbone.width), np.float32)
        self.decoded: Decoded | None = None
        self._begun: tuple[Begun, str] | None = None  # words that ``words_after`` has to decode

    @property
    def identity(self) -> Identity:
        """Kind of the runtime and the hash of the manifest."""
        return self._identity

    def encode(self, frames: FrameStack) -> Features:
        """Features of every timestep; those seen before come from the cache."""
        pairs = zip(frames.images, frames.valid, strict=True)
        values = np.stack([self.features.get(images, valid) for images, valid in pairs])
        return Features(values, frames.age_s, frames.valid)

    def reason(self, features: Features, given: Conditioning) -> Reasoning:
        """Fuse time, read the text prefix (or keep it), decode the chain of causation."""
        self._begun = None
        older = self.word_mode.older(self.grammar, given)
        if older is not None and self.word_mode.concurrent:
            return self._by_older(features, given, older)
        if older is not None:
            self.decoded = Decoded(older, passes=1, near_ties=0, truncated=False)
            return replace(self.say(features, given, older), kept=True)
        head = self._begin(features, given)
        self.decoded = self._decoded(head, given)
        hidden = self._seen(head, len(self.decoded.ids))
        if not np.isfinite(hidden).all():
            self.reset()
        words, cut = bounded_text(self.grammar.text(self.decoded.ids))
        truncated = cut or self.decoded.truncated
        return Reasoning(words, self.decoded.ids, Condition(hidden, given), truncated)

    def _by_older(
        self, features: Features, given: Conditioning, older: tuple[int, ...]
    ) -> Reasoning:
        """One pass by older words; where greedy decoding confirms them they are this cycle's."""
        head = self._begin(features, given)
        begun = Begun(head, older, head(older, 0))
        hidden = self._seen(head, len(older))
        own = confirmed(self.grammar, begun.rows, older)
        self.decoded = Decoded(older, passes=1, near_ties=0, truncated=False)
        if not np.isfinite(hidden).all():
            self.reset()
        elif not own:
            self._begun = begun, given.previous_text
        text = self.grammar.text(older)
        return Reasoning(text, older, Condition(hidden, given), kept=not own)

    def words_after(self) -> str:
        """Words of the newest ``reason``, where it went by older ones; '' where it did not."""
        if self._begun is None:
            return ''
        (begun, previous), self._begun = self._begun, None
        draft = Draft(self.grammar, previous)
        decoded = decode(self.grammar, begun, draft, self.profile.text.max_coc)
        return bounded_text(self.grammar.text(decoded.ids))[0]

    def _decoded(self, head: ChunkFeeder, given: Conditioning) -> Decoded:
        """The words, drafted by those of the cycle before."""
        draft = Draft(self.grammar, given.previous_text)
        return decode(self.grammar, head, draft, self.profile.text.max_coc)

    def say(self, features: Features, given: Conditioning, ids: tuple[int, ...]) -> Reasoning:
        """As ``reason`` with words that are given instead of decoded; for interventions."""
        head = self._begin(features, given)
        head(ids, 0)
        hidden = self._seen(head, len(ids))
        return Reasoning(self.grammar.text(ids), ids, Condition(hidden, given))

    def _seen(self, head: ChunkFeeder, count: int) -> NDArray[np.float32]:
        """Hidden states that the denoiser looks at; ``count`` words of this cycle are real."""
        before, coc = head.hidden(count)
        if not self.profile.denoiser.sees_scene:
            visual = self._layout.visual()
            before = np.concatenate([before[: len(visual)][~visual], before[len(visual) :]])
        return np.concatenate([self._prefix_hidden, before, coc])

    def _begin(self, features: Features, given: Conditioning) -> ChunkFeeder:
        """Scene and text prefix, ready for the first words."""
        scene, bias = self.stages.fuse(features, given)
        tokenizer, room = self.grammar.tokenizer, self.profile.text.max_prefix
        self._read_prefix(prefix_ids(tokenizer, given.navigation, given.prompt, room))
        prior = self._prior(given.previous_text)
        counts = {'prior': len(prior)} if self.profile.inputs.prior_coc else {}
        places = Places(self._layout.sequence(prefix=len(self._prefix), **counts), bias)
        return ChunkFeeder(self.stages, places, scene, prior)

    def _prior(self, text: str) -> tuple[int, ...]:
        """The words of the cycle before as tokens, where the model reads them."""
        room = self.profile.inputs.prior_coc
        return (self.grammar.parse(text) or ())[:room] if room else ()

    def _read_prefix(self, ids: tuple[int, ...]) -> None:
        """Fill the cache with the text prefix, in a pass of its own; kept while the text stays."""
        if ids == self._prefix:
            return
        self._prefix, n = ids, len(ids)
        places = Places(self._layout.sequence(prefix=n))
        extra = np.zeros((n, self.profile.backbone.width), np.float32)
        chunk = places.chunk(np.array(ids), np.ones(n, bool), extra, 0)
        _, self._prefix_hidden = self.stages.decode(chunk)

    def denoise(
        self, condition: Condition, noise: Float[np.ndarray, 'K P 3']
    ) -> Float[np.ndarray, 'K P 3']:
        """Candidates from noise, by the hidden states of the real tokens only (no padding)."""
        return self.stages.denoise(condition, noise)

    def reset(self) -> None:
        """Forget features and text prefix, zero the cache."""
        self.features.clear()
        self._begun = None
        self._prefix = ()
        self._prefix_hidden = np.zeros((0, self.profile.backbone.width), np.float32)
        self.stages.clear()

    def warm_up(self) -> None:
        """One cycle on made-up input."""
        frames, given, noise = made_up_input(self.profile)
        self.denoise(self.reason(self.encode(frames), given).condition, noise)
        self.reset()

    def close(self) -> None:
        """Drop the stages."""
        del self.stages
