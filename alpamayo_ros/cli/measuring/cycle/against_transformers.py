"""The words beside Hugging Face's ``generate``: the same weights as a Llama, the same tokens.

Both read the same embeddings under the same causal mask and may say what the grammar allows;
transformers keeps its cache and takes one token a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from alpamayo_ros.cli.measuring.cycle.parts import Parts
from alpamayo_ros.cli.measuring.cycle.timing import Spent, take_turns
from alpamayo_ros.model.backbone import Backbone
from alpamayo_ros.model.grammar import Grammar, State
from alpamayo_ros.model.layout import MASKED
from alpamayo_ros.model.pretrained import backbone_name
from alpamayo_ros.model.prompt import prefix_ids
from alpamayo_ros.runtime.chunks import ChunkFeeder, Places
from alpamayo_ros.runtime.decode import Draft, decode
from alpamayo_ros.runtime.recorded import Recorded
from alpamayo_ros.runtime.staged import Stages


@dataclass(frozen=True, slots=True)
class Words:
    """Times of both, and how many of the texts were the same tokens."""

    ours: Spent
    theirs: Spent
    same: int
    cycles: int
    tokens: float


class CausalPlaces(Places):
    """Every token sees all before it and takes the next position, as in a plain language model."""

    def __init__(self, prefix: int, scene: int, text: int, slots: int) -> None:
        self.scene = slice(prefix, prefix + scene)
        count = prefix + scene + text
        self._positions = np.arange(count)
        rows, columns = np.ogrid[:count, :slots]
        self._mask = np.where(columns > rows, np.float32(MASKED), np.float32(0))


@dataclass(frozen=True, slots=True)
class Prompt:
    """Prefix ids and scene embeddings (M, width) of a recorded cycle."""

    prefix: tuple[int, ...]
    scene: NDArray[np.float32]


class Ours:
    """Forced runs and drafts over the static cache; the prefix stays in it."""

    def __init__(self, stages: Stages, grammar: Grammar, slots: int, limit: int) -> None:
        self._stages, self._grammar, self._slots, self._limit = stages, grammar, slots, limit
        self._prefix: tuple[int, ...] = ()
        self._text = ''
        self.said: list[tuple[int, ...]] = []

    def __call__(self, prompt: Prompt) -> None:
        """The words of one cycle."""
        count, scene = len(prompt.prefix), prompt.scene
        room = self._slots - count - len(scene)
        places = CausalPlaces(count, len(scene), room, self._slots)
        if prompt.prefix != self._prefix:
            extra = np.zeros((count, scene.shape[1]), np.float32)
            ids = np.array(prompt.prefix)
            self._stages.decode(places.chunk(ids, np.ones(count, bool), extra, 0))
            self._prefix = prompt.prefix
        feed = ChunkFeeder(self._stages, places, scene)
        decoded = decode(self._grammar, feed, Draft(self._grammar, self._text), self._limit)
        self._text = self._grammar.text(decoded.ids)
        self.said.append(decoded.ids)


class Theirs:
    """``generate``: greedy, cache on, only tokens that the grammar allows."""

    def __init__(self, backbone: Backbone, grammar: Grammar, limit: int) -> None:
        self._model, self._embed = llama(backbone), backbone.embed
        self._grammar, self._limit = grammar, limit
        self.said: list[tuple[int, ...]] = []

    @torch.no_grad()
    def __call__(self, prompt: Prompt) -> None:
        """The words of one cycle."""
        text = self._embed(torch.tensor(prompt.prefix, dtype=torch.long))
        embeddings = torch.cat([text, torch.from_numpy(prompt.scene)])[None]
        ids = self._model.generate(
            inputs_embeds=embeddings,
            attention_mask=torch.ones(embeddings.shape[:2], dtype=torch.long),
            prefix_allowed_tokens_fn=_Allowed(self._grammar, self._limit),
            max_new_tokens=self._limit,
            do_sample=False,
            use_cache=True,
            pad_token_id=0,
            eos_token_id=_Allowed.END,
        )
        said = [token for token in ids[0].tolist() if token != _Allowed.END]
        self.said.append(tuple(said))


class _Allowed:
    """What the grammar allows after the tokens so far; after the last one, the end."""

    END = 0

    def __init__(self, grammar: Grammar, limit: int) -> None:
        self._grammar = grammar
        self._seen, self._state = 0, grammar.start

    def __call__(self, batch: int, ids: Any) -> list[int]:
        """See ``generate``'s ``prefix_allowed_tokens_fn``."""
        del batch
        for token in ids[self._seen :].tolist():
            self._state = self._grammar.advance(self._state, token)
        self._seen = len(ids)
        state: State = self._state
        return [self.END] if self._grammar.done(state) else list(self._grammar.allowed(state))


def llama(backbone: Backbone) -> Any:
    """transformers' Llama with the weights of ``backbone``."""
    shape = backbone.shape
    config = transformers.LlamaConfig(
        vocab_size=backbone.embed.num_embeddings,
        hidden_size=shape.width,
        intermediate_size=shape.ffn,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.width // shape.heads,
        max_position_embeddings=len(backbone.cos),
        rms_norm_eps=backbone.norm.eps,
        rope_parameters={'rope_type': 'default', 'rope_theta': shape.rope_theta},
        tie_word_embeddings=shape.tie_embeddings,
        attention_bias=shape.qkv_bias,
    )
    model = transformers.LlamaForCausalLM(config).eval()
    state = backbone.state_dict()
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.copy_(state[backbone_name(name)])
    return model


def compare(
    parts: Parts, recorded: Sequence[Recorded], each: Callable[[], None] = lambda: None
) -> Words:
    """Both decode the words of every recorded cycle, taking turns."""
    runtime, text = parts.fast(), parts.profile.text
    grammar, stages = runtime.grammar, parts.stages()
    prompts = []
    for one in recorded:
        scene, _ = runtime.stages.fuse(runtime.encode(one.frames), one.given)
        given = (one.given.navigation, one.given.prompt)
        prompts.append(Prompt(prefix_ids(grammar.tokenizer, *given, text.max_prefix), scene))
    ours = Ours(stages, grammar, stages.slots, text.max_coc)
    theirs = Theirs(parts.model.backbone, grammar, text.max_coc)
    for call in (ours, theirs):
        call(prompts[0])
    spent = take_turns(prompts[1:], {'ours': ours, 'theirs': theirs}, each)
    same = sum(a == b for a, b in zip(ours.said, theirs.said, strict=True))
    tokens = float(np.mean([len(ids) for ids in ours.said]))
    return Words(spent['ours'], spent['theirs'], same, len(prompts), tokens)
