"""The grammar of the chain of causation: a small state machine over token ids.

Text: one line a part, ``perception: ...`` down to ``intent: ...``.  Tokens: every part is opened
by its own special token and the text ends with ``<|end|>``.  ``phrases`` grammars are rows of
slots with closed choices; where a state allows one token only, that token is *forced* and needs no
forward pass of its own (docs/design.md, "Chain of causation").  From version 2 on a phrase is one
of several wordings of a value, so that a text can be read back as facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from alpamayo_ros.config_file import read_model
from alpamayo_ros.model.tokenizer import Tokenizer


class Slot(BaseModel):
    """A named choice of phrases; an empty phrase means that the slot may be silent.

    ``values``: what the phrases mean, each with its wordings; without it a phrase is its value.
    """

    model_config = ConfigDict(extra='forbid', frozen=True)
    name: str
    phrases: tuple[str, ...]
    values: dict[str, tuple[str, ...]] = {}

    @model_validator(mode='before')
    @classmethod
    def _phrases_of_values(cls, given: dict[str, Any]) -> dict[str, Any]:
        """All wordings are phrases; a slot that lists both must agree with itself."""
        if not isinstance(given, dict) or not given.get('values'):
            return given
        every = [wording for words in given['values'].values() for wording in words]
        if list(given.get('phrases', every)) != every:
            raise ValueError('phrases must be the wordings of values, in their order')
        return {**given, 'phrases': every}

    def value(self, phrase: str) -> str:
        """What a phrase means; ValueError where the slot has no such phrase."""
        if not self.values and phrase in self.phrases:
            return phrase
        for value, wordings in self.values.items():
            if phrase in wordings:
                return value
        raise ValueError(f'slot {self.name!r} has no phrase {phrase!r}')

    def wordings(self, value: str) -> tuple[str, ...]:
        """The ways to say a value; ValueError names those that the slot has."""
        found = self.values.get(value, (value,) if value in self.phrases else ())
        if not found:
            known = list(self.values or self.phrases)
            raise ValueError(f'slot {self.name!r} has no value {value!r}; it has {known}')
        return found


class Part(BaseModel):
    """One part of the chain of causation, opened by the special token ``<|name|>``."""

    model_config = ConfigDict(extra='forbid', frozen=True)
    name: str
    slots: tuple[Slot, ...]


class GrammarSpec(BaseModel):
    """The grammar as data (``config/grammars/*.yaml``)."""

    model_config = ConfigDict(extra='forbid', frozen=True)
    version: int
    parts: tuple[Part, ...]

    @classmethod
    def from_file(cls, path: Path) -> GrammarSpec:
        """Read and check a grammar file."""
        return read_model(path, cls)

    def slots(self) -> list[tuple[str, Slot]]:
        """All slots in order, each with its part's name."""
        return [(part.name, slot) for part in self.parts for slot in part.slots]


Place = tuple[int, tuple[int, ...]]  # a slot, and the tokens of its phrase so far


@dataclass(frozen=True, slots=True)
class State:
    """Where decoding stands: all ways to read the tokens so far (a comma may open any slot)."""

    places: tuple[Place, ...] = ((0, ()),)


class Grammar:
    """Token-level state machine of a :class:`GrammarSpec`.

    ``allowed(state)`` lists the legal next tokens in ascending order; ``advance`` moves on.  Every
    path ends in ``done`` after at most ``max_length`` tokens.
    """

    def __init__(self, spec: GrammarSpec, tokenizer: Tokenizer) -> None:
        self.spec = spec
        self.tokenizer = tokenizer
        self._options: list[dict[tuple[int, ...], str]] = []
        self._part_of: list[str] = []
        for index, part in enumerate(spec.parts):
            self._add_fixed(part.name)
            for slot in part.slots:
                table = {tokenizer.encode_text(p): p for p in slot.phrases}
                if len(table) != len(slot.phrases):
                    raise ValueError(f'slot {slot.name!r}: two phrases have the same tokens')
                self._options.append(table)
                self._part_of.append(part.name)
            if index == len(spec.parts) - 1:
                self._add_fixed('end')
        self._first_slot = {name: i for i, name in enumerate(self._names())}
        self._cache: dict[State, tuple[int, ...]] = {}
        self._moves: dict[tuple[State, int], State] = {}

    def _add_fixed(self, name: str) -> None:
        self._options.append({(self.tokenizer.special(name),): f'<|{name}|>'})
        self._part_of.append('')

    def _names(self) -> list[str]:
        names: list[str] = []
        for part in self.spec.parts:
            names.append(f'<|{part.name}|>')
            names += [slot.name for slot in part.slots]
        return [*names, '<|end|>']

    @property
    def max_length(self) -> int:
        """Longest possible token sequence, special tokens included."""
        return sum(max(len(ids) for ids in table) for table in self._options)

    @property
    def start(self) -> State:
        """The state before the first token."""
        return State()

    def done(self, state: State) -> bool:
        """True once ``<|end|>`` was emitted."""
        return any(slot >= len(self._options) for slot, _ in state.places)

    def allowed(self, state: State) -> tuple[int, ...]:
        """Legal next tokens in ascending order; empty only when done."""
        if state not in self._cache:
            found = set[int]().union(*(self._next(*place) for place in state.places))
            self._cache[state] = tuple(sorted(found))
        return self._cache[state]

    def _next(self, slot: int, tail: tuple[int, ...]) -> set[int]:
        if slot >= len(self._options):
            return set()
        n = len(tail)
        found: set[int] = set()
        for ids in self._options[slot]:
            if ids[:n] != tail:
                continue
            if len(ids) > n:
                found.add(ids[n])
            else:
                found |= self._next(slot + 1, ())
        return found

    def advance(self, state: State, token: int) -> State:
        """The state after ``token``; ValueError when the grammar forbids it here."""
        if (state, token) not in self._moves:
            found = set[Place]().union(*(self._after(*place, token) for place in state.places))
            if not found:
                raise ValueError(f'token {token} is not allowed after {state.places}')
            self._moves[state, token] = State(tuple(sorted(found)))
        return self._moves[state, token]

    def _after(self, slot: int, tail: tuple[int, ...], token: int) -> set[Place]:
        """Places to which a token leads from a place; none where it fits nothing."""
        if slot >= len(self._options):
            return set()
        table, longer = self._options[slot], (*tail, token)
        found = self._after(slot + 1, (), token) if tail in table else set[Place]()
        if any(len(ids) > len(longer) and ids[: len(longer)] == longer for ids in table):
            found.add((slot, longer))
        elif longer in table:
            found.add((slot + 1, ()))
        return found

    def encode(self, choices: dict[str, str]) -> tuple[int, ...]:
        """Token ids of a complete text given one phrase a slot name.

        KeyError / ValueError name what is missing.
        """
        ids: list[int] = []
        for name, table in zip(self._names(), self._options, strict=True):
            phrase = name if name.startswith('<|') else choices[name]
            match = [tokens for tokens, text in table.items() if text == phrase]
            if not match:
                raise ValueError(
                    f'slot {name!r} has no phrase {phrase!r}; it has {list(table.values())}'
                )
            ids += match[0]
        return tuple(ids)

    def text(self, ids: Sequence[int]) -> str:
        """The readable text of a (possibly unfinished) token sequence, one line a part."""
        opener = {self.tokenizer.special(part.name): part.name for part in self.spec.parts}
        lines: list[str] = []
        words: list[int] = []

        def flush() -> None:
            if lines:
                lines[-1] += self.tokenizer.decode(words)
            words.clear()

        for token in ids:
            if token in opener:
                flush()
                lines.append(f'{opener[token]}: ')
            elif token != self.tokenizer.special('end'):
                words.append(token)
        flush()
        return '\n'.join(lines)

    def parse(self, text: str) -> tuple[int, ...] | None:
        """Token ids of a text this grammar could have written, else None.

        A draft is never trusted.
        """
        found = choices(self.spec, text)
        return None if found is None else self.encode(found)

    def choices(self, text: str) -> dict[str, str] | None:
        """The phrase of every slot in a text of this grammar, else None."""
        return choices(self.spec, text)


def choices(spec: GrammarSpec, text: str) -> dict[str, str] | None:
    """The phrase of every slot in a text that the grammar could have written, else None."""
    lines = text.split('\n')
    if len(lines) != len(spec.parts):
        return None
    result: dict[str, str] = {}
    for part, line in zip(spec.parts, lines, strict=True):
        opener = f'{part.name}: '
        found = _match(line[len(opener) :], part.slots) if line.startswith(opener) else None
        if found is None:
            return None
        result |= found
    return result


def values(spec: GrammarSpec, text: str) -> dict[str, str] | None:
    """The value of every slot in a text of the grammar, else None: its words as facts."""
    said = choices(spec, text)
    if said is None:
        return None
    return {slot.name: slot.value(said[slot.name]) for _, slot in spec.slots()}


def _match(rest: str, slots: Sequence[Slot]) -> dict[str, str] | None:
    if not slots:
        return {} if not rest else None
    for phrase in sorted(slots[0].phrases, key=len, reverse=True):
        if rest.startswith(phrase):
            tail = _match(rest[len(phrase) :], slots[1:])
            if tail is not None:
                return {slots[0].name: phrase, **tail}
    return None
