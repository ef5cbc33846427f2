"""nano's profile as it was with the first grammar, which stays supported."""

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.profile import ModelProfile, load_profile
from alpamayo_ros.training.vocabulary import build_vocabulary

TEXT = {'vocab_size': 640, 'max_prefix': 48, 'max_coc': 64, 'grammar': 'phrases_v1'}


def first_profile() -> ModelProfile:
    """The profile of nano 0.2.0."""
    return ModelProfile.model_validate(load_profile('nano').model_dump() | {'text': TEXT})


def first_grammar() -> Grammar:
    """Its grammar on a tokenizer of its own."""
    return build_vocabulary(first_profile())
