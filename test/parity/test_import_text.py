"""``alpamayo model import-text``: a pretrained text model under our numbering of words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

torch = pytest.importorskip('torch')
transformers = pytest.importorskip('transformers')

from safetensors.torch import load_file  # noqa: E402
from tokenizers import (  # noqa: E402
    AddedToken,
    decoders,
    models,
    pre_tokenizers,
    trainers,
)
from tokenizers import Tokenizer as Backend  # noqa: E402

from alpamayo_ros.cli.model import app  # noqa: E402
from alpamayo_ros.model.layout import MASKED  # noqa: E402
from alpamayo_ros.model.tiny import tiny  # noqa: E402
from alpamayo_ros.model.tokenizer import SPECIAL, Tokenizer  # noqa: E402
from alpamayo_ros.model.vla import VLA  # noqa: E402
from alpamayo_ros.profile import ModelProfile, load_profile  # noqa: E402
from alpamayo_ros.training.grammar_file import load_spec  # noqa: E402
from alpamayo_ros.training.vocabulary import run_vocabulary  # noqa: E402

WORDS = 1024
SENTENCE = 'a pedestrian waits at the kerb <|im_end|> we yield'


def words() -> Backend:
    """A byte-level tokenizer as such models have it, with a special token of theirs."""
    backend = Backend(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    phrases = [p for _, slot in load_spec('phrases_v2').slots() for p in slot.phrases]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=900, min_frequency=1, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(phrases, trainer)
    backend.add_special_tokens([AddedToken('<|im_end|>', special=True)])
    return backend


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small Qwen2 with random weights, as transformers writes it, and its tokenizer."""
    torch.manual_seed(3)
    config = transformers.Qwen2Config(
        vocab_size=WORDS, hidden_size=64, intermediate_size=96, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, rope_theta=1e6, rms_norm_eps=1e-6,
        tie_word_embeddings=True, initializer_range=0.2,
    )  # fmt: skip
    transformers.Qwen2ForCausalLM(config).save_pretrained(tmp_path / 'source')
    words().save(str(tmp_path / 'source' / 'tokenizer.json'))
    return tmp_path / 'source'


@pytest.fixture
def profile(tmp_path: Path) -> tuple[ModelProfile, str]:
    found = tiny(load_profile('alpamayo-0.5b'))
    file = tmp_path / 'small.yaml'
    file.write_text(yaml.safe_dump(found.model_dump(mode='json')))
    return found, str(file)


def run(source: Path, to: Path, file: str) -> Result:
    command = ['import-text', str(source), '--to', str(to), '--profile', file]
    return CliRunner().invoke(app, command)


@torch.no_grad()
def test_the_same_words_have_the_same_meaning(
    source: Path, profile: tuple[ModelProfile, str], tmp_path: Path
) -> None:
    """Text through our tokenizer and backbone equals text through theirs."""
    to = tmp_path / 'run'
    done = run(source, to, profile[1])
    assert done.exit_code == 0, done.output
    model = VLA(profile[0])
    model.load_state_dict(load_file(to / 'model.safetensors'))
    tokenizer = Tokenizer.from_json((to / 'tokenizer.json').read_text())
    text = SENTENCE.replace('<|im_end|> ', '')
    theirs = torch.tensor([words().encode(text, add_special_tokens=False).ids])
    ours = torch.tensor([tokenizer.encode_text(text)])
    assert torch.equal(ours, theirs + len(SPECIAL))
    n = ours.shape[1]
    mask = torch.full((n, n), MASKED).triu(1)[None, None]
    hidden = model.backbone(model.backbone.embed(ours), torch.arange(n), mask)
    reference = transformers.Qwen2ForCausalLM.from_pretrained(source)
    answer = reference(theirs)
    logits = model.backbone.logits(hidden)[..., len(SPECIAL) :]
    torch.testing.assert_close(logits, answer.logits[..., : -len(SPECIAL)], atol=1e-5, rtol=0)
    mean = reference.get_input_embeddings().weight.mean(0)
    torch.testing.assert_close(model.backbone.embed.weight[0], mean)


def test_their_special_tokens_are_plain_text(
    source: Path, profile: tuple[ModelProfile, str], tmp_path: Path
) -> None:
    assert run(source, tmp_path / 'run', profile[1]).exit_code == 0
    grammar = run_vocabulary(profile[0], tmp_path / 'run')
    assert grammar.tokenizer.decode(grammar.tokenizer.encode_text(SENTENCE)) == SENTENCE
    ids = words().encode(SENTENCE, add_special_tokens=False).ids
    assert words().token_to_id('<|im_end|>') in ids
    assert len(grammar.tokenizer.encode_text(SENTENCE)) > len(ids)


def test_weights_that_are_there_are_kept(
    source: Path, profile: tuple[ModelProfile, str], tmp_path: Path
) -> None:
    to = tmp_path / 'run'
    to.mkdir()
    (to / 'model.safetensors').write_bytes(b'mine')
    done = run(source, to, profile[1])
    assert done.exit_code == 2 and 'is there already' in done.output
    assert (to / 'model.safetensors').read_bytes() == b'mine'


@pytest.mark.parametrize(
    ('file', 'change', 'said'),
    [
        ('config.json', {'dtype': 'int8'}, 'numbers are int8; expected is one of float32'),
        ('config.json', {'rms_norm_eps': 1e-5}, 'the profile asks for 1e-06'),
        ('tokenizer.json', {'model': {'type': 'BPE'}}, 'no tokenizer: '),
        ('tokenizer.json', None, 'it comes with the weights'),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    source: Path,
    profile: tuple[ModelProfile, str],
    tmp_path: Path,
    file: str,
    change: dict | None,
    said: str,
) -> None:
    path = source / file
    if change is None:
        path.unlink()
    else:
        path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    done = run(source, tmp_path / 'run', profile[1])
    assert done.exit_code == 2 and said in done.output, done.output
    assert not (tmp_path / 'run').exists()


def test_more_words_than_the_profile_has_room_for(
    source: Path, profile: tuple[ModelProfile, str], tmp_path: Path
) -> None:
    small = profile[0].model_dump(mode='json')
    small['text']['vocab_size'] = 512
    (tmp_path / 'less.yaml').write_text(yaml.safe_dump(small))
    done = run(source, tmp_path / 'run', str(tmp_path / 'less.yaml'))
    assert done.exit_code == 2 and 'the profile has room for 512' in done.output


def test_a_folder_without_a_checkpoint_is_told_what_is_expected(
    profile: tuple[ModelProfile, str], tmp_path: Path
) -> None:
    (tmp_path / 'empty').mkdir()
    done = run(tmp_path / 'empty', tmp_path / 'run', profile[1])
    assert done.exit_code == 2 and '*.safetensors' in done.output, done.output
    assert 'MODEL_FORMAT' not in done.output and not (tmp_path / 'run').exists()
