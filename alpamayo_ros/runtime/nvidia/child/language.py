"""Words of a released model, with pictures from memory, and the keys and values behind them."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from alpamayo_ros.runtime.nvidia.child.names import MODEL, TOKENS
from alpamayo_ros.runtime.nvidia.child.tower import Tower

TOP_P, TEMPERATURE = 0.98, 0.6  # defaults of the vendor's sampling
COT_END = '<|cot_end|>'


@dataclass(frozen=True, slots=True)
class Prefix:
    """What the action expert looks at: a cache with a row for every text.

    ``ends``: tokens of each row that count.  ``delta``: what pictures take from the positions.
    """

    cache: Any
    ends: torch.Tensor
    delta: torch.Tensor


@dataclass(frozen=True, slots=True)
class Told:
    """Token ids behind the prompt, a row for every text, and their ``Prefix``."""

    ids: torch.Tensor
    prefix: Prefix
    stopped: tuple[bool, ...]


class Language:
    """The vendor's language model: one pass over the prompt whatever the number of candidates."""

    def __init__(self, model: Any, tower: Tower) -> None:
        self._model, self._tower = model, tower
        self._vlm = model.vlm
        self.stop = int(model.special_token_ids['traj_future_start'])
        self._pad = model.tokenizer.pad_token_id

    @contextmanager
    def _pictures(self) -> Iterator[None]:
        """The model asks for features: it gets those that are held."""
        inner = self._vlm.model
        inner.get_image_features = self._tower.serve
        try:
            yield
        finally:
            del inner.get_image_features

    def tell(self, prompt: torch.Tensor, texts: int, sampled: bool, most: int) -> Told:
        """Generate up to and with one token behind the start of the trajectory.

        That last token brings the key and value of the start itself into the cache.
        """
        from transformers import LogitsProcessorList, StoppingCriteriaList

        rules = importlib.import_module(MODEL)
        masks = rules.ExpertLogitsProcessor(
            self._model.config.traj_token_start_idx, self._model.config.traj_vocab_size
        )
        stops = importlib.import_module(TOKENS).StopAfterEOS(self.stop)
        with self._pictures():
            out = self._vlm.generate(
                input_ids=prompt,
                attention_mask=torch.ones_like(prompt),
                generation_config=self._how(texts, sampled, most),
                use_model_defaults=False,
                stopping_criteria=StoppingCriteriaList([stops]),
                logits_processor=LogitsProcessorList([masks]),
                **self._tower.inputs(),
            )
        ids = out.sequences[:, prompt.shape[1] :]
        ends, stopped = self._ends(ids)
        delta = self._vlm.model.rope_deltas
        prefix = Prefix(out.past_key_values, ends + prompt.shape[1], delta)
        return Told(ids, prefix, stopped)

    def _how(self, texts: int, sampled: bool, most: int) -> Any:
        """A configuration of its own: the vendor's call writes into the model's."""
        how = copy.deepcopy(self._vlm.generation_config)
        values: dict[str, Any] = {'do_sample': False}
        if sampled:
            values = {
                'do_sample': True, 'top_p': TOP_P, 'temperature': TEMPERATURE, 'top_k': None
            }  # fmt: skip
        values |= {
            'num_return_sequences': texts, 'max_new_tokens': most,
            'return_dict_in_generate': True, 'pad_token_id': self._pad,
        }  # fmt: skip
        for name, value in values.items():
            setattr(how, name, value)
        return how

    def _ends(self, ids: torch.Tensor) -> tuple[torch.Tensor, tuple[bool, ...]]:
        """Tokens that count in each row; a row without the start counts whole."""
        found = [row.index(self.stop) + 1 if self.stop in row else 0 for row in ids.tolist()]
        ends = [n or ids.shape[1] for n in found]
        return torch.tensor(ends, device=ids.device), tuple(n > 0 for n in found)

    def again(self, prompt: torch.Tensor, told: Told) -> Prefix:
        """The same words behind another prompt, that without the instruction: one more pass."""
        ids = told.ids.clone()
        for row in ids:
            at = (row == self.stop).nonzero()
            if len(at):
                row[at[0, 0] + 1 :] = self._pad
        texts, first, new = len(ids), prompt.shape[1], ids.shape[1]
        self._vlm.model.rope_deltas = None
        ones = torch.ones_like(prompt)
        keep = {'use_cache': True, 'logits_to_keep': 1}
        with self._pictures():
            seen = self._tower.inputs()
            out = self._vlm(input_ids=prompt, attention_mask=ones, **seen, **keep)
        cache = out.past_key_values
        cache.batch_repeat_interleave(texts)
        mask = torch.cat([ones.repeat_interleave(texts, 0), (ids != self._pad).long()], 1)
        places = torch.arange(first, first + new, device=ids.device)
        out = self._vlm(
            input_ids=ids, attention_mask=mask, past_key_values=cache, cache_position=places,
            **keep,
        )  # fmt: skip
        ends, _ = self._ends(ids)
        return Prefix(out.past_key_values, ends + first, out.rope_deltas)

    def words(self, told: Told) -> str:
        """The first text, up to its end mark; '' where the model did not end its reasoning."""
        row = told.ids[0].tolist()
        row = row[: row.index(self.stop)] if self.stop in row else row
        text, mark, _ = self._model.tokenizer.decode(row).partition(COT_END)
        return text.strip() if mark else ''
