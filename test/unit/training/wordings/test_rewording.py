"""A wish in other words: its number and the instruction stay, the known is asked as known."""

import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

import torch

from alpamayo_ros.model.prompt import prefix_ids
from alpamayo_ros.model.tokenizer import Tokenizer
from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.driving_wish import DRAWN_GAPS_S, known_wording, read_prompt, wordings
from alpamayo_ros.training.batches import real_prefix
from alpamayo_ros.training.vocabulary import build_vocabulary
from alpamayo_ros.training.wordings.prefix import Prefix, with_wishes
from alpamayo_ros.training.wordings.rewording import Rewording
from alpamayo_ros.training.wordings.settings import Wordings

MOST = 48
PLAIN = Wordings(asked=1, dropped=0, strange=0, words=1, plan=1)


@pytest.fixture(scope='module')
def tokenizer() -> Tokenizer:
    return build_vocabulary(load_profile('nano')).tokenizer


def stored(tokenizer: Tokenizer, *texts: tuple[str, str]) -> Prefix:
    """Prefixes of samples: instruction and prompt each."""
    rows = [prefix_ids(tokenizer, *text, MOST) for text in texts]
    padded = [[*row, *[-1] * (MOST - len(row))] for row in rows]
    return Prefix(*real_prefix(torch.tensor(padded)))


def read(tokenizer: Tokenizer, prefix: Prefix) -> list[tuple[str, str]]:
    """Instruction and prompt of every row, as :func:`stored` takes them."""
    found = []
    for ids, real in zip(prefix.ids.tolist(), prefix.real.sum(1).int().tolist(), strict=True):
        row = ids[:real]
        assert row[0] == tokenizer.special('bos') and row[-1] == tokenizer.special('vision')
        at = row.index(tokenizer.special('navigation'))
        found.append((tokenizer.decode(row[at:]), tokenizer.decode(row[:at])))
    return found


def test_a_wish_takes_the_place_of_another_and_the_instruction_stays(tokenizer) -> None:
    texts = [('turn left in 40 m', 'keep right'), ('follow the road', ''), ('turn right', 'x y')]
    before = stored(tokenizer, *texts)
    wishes = [tokenizer.encode_text(words) for words in ('drive carefully', 'take it easy', '')]
    after = with_wishes(tokenizer, MOST, before, wishes)
    assert read(tokenizer, after) == [
        ('turn left in 40 m', 'drive carefully'),
        ('follow the road', 'take it easy'),
        ('turn right', ''),
    ]
    same = with_wishes(tokenizer, MOST, before, [tokenizer.encode_text(w) for _, w in texts])
    assert torch.equal(same.ids, before.ids) and torch.equal(same.real, before.real)


def test_a_long_wish_is_cut_and_the_instruction_is_not(tokenizer) -> None:
    before = stored(tokenizer, ('turn left in 40 m', ''))
    after = with_wishes(tokenizer, MOST, before, [tokenizer.encode_text('drive carefully ' * 40)])
    assert after.real.sum() == MOST
    ((instruction, wish),) = read(tokenizer, after)
    assert instruction == 'turn left in 40 m' and wish.startswith('drive carefully drive')


def test_what_is_known_is_asked_as_known_and_otherwise_by_the_training_wordings(tokenizer) -> None:
    before = stored(tokenizer, *[('go straight', 'keep right')] * 200)
    known, other = Rewording(tokenizer, MOST, PLAIN, 0).draw(before)
    asked = [w for _, w in read(tokenizer, known)]
    said = [w for _, w in read(tokenizer, other)]
    names = {known_wording(name) for name, _ in wordings('train')}
    assert {w.replace('{n}', n) for w in names for n in DRAWN_GAPS_S} >= set(asked)
    held_out = {w.replace('{n}', n) for _, w in wordings('held_out') for n in DRAWN_GAPS_S}
    assert len(set(said)) > 60 and not held_out & set(said)
    for a, b in zip(asked, said, strict=True):
        assert read_prompt(a) == read_prompt(b), (a, b)
    assert '' in asked  # of talk


def test_words_are_left_out_and_put_in_and_the_number_stays(tokenizer) -> None:
    many = Rewording(tokenizer, MOST, PLAIN.model_copy(update={'dropped': 0.4, 'strange': 0.4}), 0)
    words = 'keep {n} seconds behind the car ahead'
    said = [tokenizer.decode(many.disturbed(words, '2.5')) for _ in range(300)]
    assert all('2.5' in text for text in said) and len(set(said)) > 250
    kept = [sum(word in text for text in said) for word in ('seconds', 'behind', 'ahead')]
    assert all(150 < count < 210 for count in kept)
    assert not any(set('0134678') & set(text) for text in said)  # no other number is put in


def test_nobody_is_asked_anything_where_nobody_speaks(tokenizer) -> None:
    silent = Rewording(tokenizer, MOST, PLAIN.model_copy(update={'asked': 0.0}), 0)
    known, other = silent.draw(stored(tokenizer, ('go straight', 'keep right')))
    assert read(tokenizer, known) == read(tokenizer, other) == [('go straight', '')]
