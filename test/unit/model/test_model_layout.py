"""The token layout: positions, mask, bias and length follow from the segments alone."""

from __future__ import annotations

import numpy as np
import pytest

from alpamayo_ros.model.layout import MASKED, Segment, TokenLayout, token_layout
from alpamayo_ros.profile import load_profile

PROFILE = load_profile('nano')
NANO = token_layout(PROFILE)


def test_nano_is_as_its_graphs_were_exported() -> None:
    assert [(s.name, s.length) for s in NANO.segments] == [
        ('prefix', 48), ('visual', 26), ('ego', 1), ('coc', 64)
    ]  # fmt: skip
    assert (NANO.max_sequence, NANO.scene_tokens) == (139, 27)
    sequence = NANO.sequence(prefix=2, coc=3)
    assert sequence.positions().tolist() == [0, 1, *[48] * 27, 49, 50, 51]
    assert (sequence.scene, sequence.span('coc')) == (slice(2, 29), slice(29, 32))


def test_who_sees_whom() -> None:
    sequence = NANO.sequence(prefix=2, coc=3)
    seen = sequence.mask() == 0.0
    assert np.array_equal(seen[:2], np.tri(32, dtype=bool)[:2])  # the prefix is causal
    assert seen[2:29, :29].all() and not seen[2:29, 29:].any()  # the scene sees itself, no words
    assert np.array_equal(seen[29:], np.tri(32, dtype=bool)[29:])  # the words see all before them
    assert set(np.unique(sequence.mask())) == {np.float32(MASKED), np.float32(0.0)}


@pytest.mark.parametrize(
    ('segment', 'at', 'positions', 'scene'),
    [
        (Segment('map', 12, scene=True), 2, [0, 1, *[48] * 39, 49, 50], 39),
        (Segment('past', 5), 1, [0, 1, *range(48, 53), *[53] * 27, 54, 55], 27),
        (Segment('check', 4), 3, [0, 1, *[48] * 27, *range(49, 53), 53, 54], 27),
    ],
)
def test_one_more_segment_is_one_more_entry(
    segment: Segment, at: int, positions: list[int], scene: int
) -> None:
    """Scene or text, before or after the pictures: nothing else has to be told."""
    layout = TokenLayout((*NANO.segments[:at], segment, *NANO.segments[at:]))
    assert layout.max_sequence == 139 + segment.length and layout.scene_tokens == scene
    sequence = layout.sequence(prefix=2, coc=2)
    assert sequence.positions().tolist() == positions
    seen, place = sequence.mask() == 0.0, sequence.span(segment.name)
    assert seen.shape == (31 + segment.length,) * 2 and seen[place, : place.start].all()
    assert seen[place, place].all() == segment.scene
    assert seen[sequence.scene, sequence.scene].all()


def test_a_layout_that_makes_no_sense_is_refused() -> None:
    apart = (*NANO.segments, Segment('map', 4, scene=True))
    with pytest.raises(ValueError, match='stand together'):
        TokenLayout(apart)
    with pytest.raises(ValueError, match='names of their own'):
        TokenLayout((*NANO.segments, Segment('coc', 4)))
    with pytest.raises(ValueError, match='prefix: 49 tokens; at most 48'):
        NANO.sequence(prefix=49)


def test_the_network_follows_the_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scene segment more: bias, RoPE table, positions and mask grow with it."""
    torch = pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')
    from alpamayo_ros.model import vla

    more = TokenLayout((*NANO.segments[:2], Segment('map', 12, scene=True), *NANO.segments[2:]))
    monkeypatch.setattr(vla, 'token_layout', lambda profile: more)
    model = vla.VLA(PROFILE)
    assert model.spatial_bias.shape == (39, 39) and len(model.backbone.cos) == 151
    with torch.no_grad():
        model.spatial_bias.normal_()
    mask = model.attention_mask(torch.ones(1, 6), 9).detach()
    assert mask.shape == (1, 1, 54, 54) and len(model.positions(6, 9)) == 54
    torch.testing.assert_close(mask[0, 0, 6:45, 6:45], model.spatial_bias.detach())
