"""ROUGE-L against Google's rouge-score, on texts of any characters."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alpamayo_ros import metrics
from alpamayo_ros.metrics.language import words

DRIVING = st.lists(
    st.sampled_from('stop slow down keep the lane vehicle ahead at 20 m , . road bends'.split()),
    max_size=40,
).map(' '.join)
TEXTS = DRIVING | st.text(max_size=60)


def oracle():
    scorer = pytest.importorskip('rouge_score.rouge_scorer', reason='./run test installs it')
    return scorer.RougeScorer(['rougeL'], use_stemmer=False)


@settings(max_examples=300)
@given(TEXTS, TEXTS)
@example('', 'stop')
@example('stop', 'stop')
@example('STOP the-car', 'stop, the car!')
@example('İstanbul ẞ ǅ', 'i stanbul')  # letters whose lower case is more than one
@example('a b c d', 'd c b a')
@example('x\x00y\u2028z', 'x y z')
def test_rouge_l_is_google_s(text, reference):
    found = metrics.rouge_l(text, reference)
    if not words(reference):
        assert found is None
        return
    expected = oracle().score(reference, text)['rougeL'].fmeasure
    assert found == pytest.approx(expected, abs=1e-12)
