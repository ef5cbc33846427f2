"""The text side of a model folder: tokenizer and grammar from verified bytes."""

from __future__ import annotations

from pydantic import ValidationError

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.model.grammar import Grammar, GrammarSpec
from alpamayo_ros.model.tokenizer import Tokenizer
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.manifest import ModelFiles

TEXT_FILES = ('tokenizer.json', 'grammar.json')


def load_grammar(files: ModelFiles, profile: ModelProfile) -> Grammar | Fault:
    """The grammar of a model folder, bound to its tokenizer and inside the profile's budget."""
    texts = [files.get(name) for name in TEXT_FILES]
    for text in texts:
        if isinstance(text, Fault):
            return text
    tokenizer_json, grammar_json = (bytes(t).decode('utf-8', 'replace') for t in texts)  # type: ignore[arg-type]
    try:
        grammar = Grammar(
            GrammarSpec.model_validate_json(grammar_json), Tokenizer.from_json(tokenizer_json)
        )
    except (ValidationError, ValueError) as error:
        return Fault(Code.MODEL_FORMAT, f'{files.folder}: grammar or tokenizer: {error}')
    text = profile.text
    if grammar.tokenizer.vocab_size > text.vocab_size or grammar.max_length > text.max_coc:
        numbers = {
            'vocabulary': float(grammar.tokenizer.vocab_size),
            'vocabulary_limit': float(text.vocab_size),
            'longest_text': float(grammar.max_length),
            'longest_text_limit': float(text.max_coc),
        }
        return Fault(
            Code.MODEL_FORMAT, f'{files.folder}: the grammar exceeds the profile', numbers
        )
    return grammar
