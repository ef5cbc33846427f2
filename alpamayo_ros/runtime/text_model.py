"""The text side of a model folder: tokenizer and grammar from verified bytes."""

from __future__ import annotations

from pydantic import ValidationError

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.model.grammar import Grammar, GrammarSpec
from alpamayo_ros.model.tokenizer import Tokenizer
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.manifest import ModelFiles
from alpamayo_ros.runtime.registry import TEXT_FILES, WEIGHTS


def load_grammar(files: ModelFiles, profile: ModelProfile) -> Grammar | Fault:
    """The grammar of a model folder, bound to its tokenizer and inside the profile's budget."""
    texts: list[str] = []
    for name in TEXT_FILES:
        data = files.get(name)
        if isinstance(data, Fault):
            return data
        texts.append(data.decode('utf-8', 'replace'))
    try:
        tokenizer = Tokenizer.from_json(texts[0])
        grammar = Grammar(GrammarSpec.model_validate_json(texts[1]), tokenizer)
    except (ValidationError, ValueError) as error:
        return Fault(Code.MODEL_FORMAT, f'{files.folder}: grammar or tokenizer: {error}')
    budget = profile.text
    if tokenizer.vocab_size > budget.vocab_size or grammar.max_length > budget.max_coc:
        numbers = {
            'vocabulary': float(tokenizer.vocab_size),
            'vocabulary_limit': float(budget.vocab_size),
            'longest_text': float(grammar.max_length),
            'longest_text_limit': float(budget.max_coc),
        }
        return Fault(
            Code.MODEL_FORMAT, f'{files.folder}: the grammar exceeds the profile', numbers
        )
    return grammar


def grammar_and_weights(files: ModelFiles, profile: ModelProfile) -> tuple[Grammar, bytes] | Fault:
    """What runtimes in torch are made of; the first thing that is missing or wrong."""
    grammar = load_grammar(files, profile)
    data = files.get(WEIGHTS)
    if isinstance(grammar, Fault):
        return grammar
    return data if isinstance(data, Fault) else (grammar, data)
