"""The token layout: positions, mask, bias and length follow from the segments alone."""

from __future__ import annotations

import numpy as np
import pytest

from alpamayo_ros.model.layout import MASKED, Segment, TokenLayout, token_layout
from alpamayo_ros.profile import load_profile

PROFILE = load_profile('nano')
NANO = token_layout(PROFILE)
VISUAL = PROFILE.visual_tokens
SCENE = VISUAL + 1


def test_nano_is_as_its_graphs_were_exported() -> None:
    text = PROFILE.text
    assert [(s.name, s.length) for s in NANO.segments] == [
        ('prefix', text.max_prefix), ('visual', VISUAL), ('ego', 1), ('coc', text.max_coc)
    ]  # fmt: skip
    sequence = NANO.sequence(prefix=2, coc=3)
    assert sequence.positions().tolist() == [0, 1, *[48] * SCENE, 49, 50, 51]
    assert sequence.scene == slice(2, 2 + SCENE)
    assert sequence.span('coc') == slice(2 + SCENE, 5 + SCENE)


def test_who_sees_whom() -> None:
    sequence = NANO.sequence(prefix=2, coc=3)
    seen, causal = sequence.mask() == 0.0, np.tri(5 + SCENE, dtype=bool)
    inside, words = sequence.scene, sequence.span('coc')
    assert np.array_equal(seen[:2], causal[:2])  # the prefix is causal
    assert seen[inside, : inside.stop].all() and not seen[inside, words].any()
    assert np.array_equal(seen[words], causal[words])  # the words see all before them
    assert set(np.unique(sequence.mask())) == {np.float32(MASKED), np.float32(0.0)}


@pytest.mark.parametrize(
    ('segment', 'at', 'positions', 'scene'),
    [
        (Segment('map', 12, scene=True), 2, [0, 1, *[48] * (SCENE + 12), 49, 50], SCENE + 12),
        (Segment('past', 5), 1, [0, 1, *range(48, 53), *[53] * SCENE, 54, 55], SCENE),
        (Segment('check', 4), 3, [0, 1, *[48] * SCENE, *range(49, 53), 53, 54], SCENE),
    ],
)
def test_one_more_segment_is_one_more_entry(
    segment: Segment, at: int, positions: list[int], scene: int
) -> None:
    """Scene or text, before or after the pictures: nothing else has to be told."""
    layout = TokenLayout((*NANO.segments[:at], segment, *NANO.segments[at:]))
    assert layout.max_sequence == NANO.max_sequence + segment.length
    assert layout.scene_tokens == scene
    sequence = layout.sequence(prefix=2, coc=2)
    assert sequence.positions().tolist() == positions
    seen, place = sequence.mask() == 0.0, sequence.span(segment.name)
    assert seen.shape == (4 + SCENE + segment.length,) * 2 and seen[place, : place.start].all()
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
    scene = SCENE + 12
    assert model.spatial_bias.shape == (scene, scene)
    assert len(model.backbone.cos) == NANO.max_sequence + 12
    with torch.no_grad():
        model.spatial_bias.normal_()
    mask = model.attention_mask(torch.ones(1, 6), 9).detach()
    assert (
        mask.shape == (1, 1, 15 + scene, 15 + scene) and len(model.positions(6, 9)) == 15 + scene
    )
    inside = slice(6, 6 + scene)
    torch.testing.assert_close(mask[0, 0, inside, inside], model.spatial_bias.detach())
