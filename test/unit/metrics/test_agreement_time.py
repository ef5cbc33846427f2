"""How long it takes to read words beside a path: the longest text holds up no cycle."""

import math
import time

import pytest
from drives import truth

from alpamayo_ros.metrics.agreement import fits


@pytest.mark.parametrize('word', ['move ', 'changing merge ', 'left ', 'mov', 'stop stop line '])
def test_a_text_at_its_limit_holds_up_no_cycle(word):
    """Repeated openings of a phrase do not make the reading quadratic in its length."""
    path = truth(6.0)[0]

    def seconds(length: int) -> float:
        text, best = 'intent: ' + (word * length)[:length], math.inf
        for _ in range(5):
            begin = time.process_time()
            fits(text, path, 6.0, 0.1)
            best = min(best, time.process_time() - begin)
        return best

    assert seconds(32768) < 30 * seconds(4096)
