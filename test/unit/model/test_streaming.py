"""A backbone that reads every timestep: keys that are kept are those of a full pass."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='the training extra (torch) is not installed')

from alpamayo_ros.model.layout import MASKED  # noqa: E402
from alpamayo_ros.model.scene_inputs import SceneInputs  # noqa: E402
from alpamayo_ros.model.tiny import tiny  # noqa: E402
from alpamayo_ros.model.vla import VLA  # noqa: E402
from alpamayo_ros.profile import load_profile  # noqa: E402

PREFIX, PRIOR, COC = 5, 4, 6
DRIVE = 7  # timesteps


@pytest.fixture(scope='module')
def model() -> VLA:
    torch.manual_seed(2)
    net = VLA(tiny(load_profile('alpamayo-1.5-10b'))).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.05 * torch.randn(parameter.shape)
    return net


@pytest.fixture(scope='module')
def parts(model: VLA) -> dict[str, torch.Tensor]:
    """Embeddings of a drive: text, map, ``DRIVE`` timesteps, what follows them, words."""
    p, n = model.profile, model.profile.visual_tokens
    generator = torch.Generator().manual_seed(3)

    def words(count: int) -> torch.Tensor:
        return model.backbone.embed(torch.randint(0, 900, (1, count), generator=generator))

    given = SceneInputs(
        history=torch.randn(1, p.ego_history.count, 3, generator=generator),
        lines=torch.randn(1, p.inputs.map_lines, p.inputs.map_points, 2, generator=generator),
        age_s=torch.rand(1, p.frames.count, len(p.views), generator=generator),
    )
    with torch.no_grad():
        features = torch.randn(1, DRIVE, n, p.vision.width, generator=generator)
        pages = model.fuse(features, torch.empty(0), torch.empty(0)).unflatten(1, (DRIVE, n))
        scene = model.scene(pages[:, 0], torch.tensor([6.0]), given)
        lines = p.inputs.map_lines
        return {
            'prefix': words(PREFIX),
            'map': scene[:, :lines],
            'pages': pages[0],
            'rest': torch.cat([scene[:, lines + n :], words(PRIOR), words(COC)], 1),
        }


def full(model: VLA, parts: dict[str, torch.Tensor], newest: int) -> torch.Tensor:
    """One pass over the sequence that ends with the timestep ``newest``, nothing kept."""
    t = model.profile.frames.count
    pages = [parts['pages'][i][None] for i in range(newest - t + 1, newest + 1)]
    x = torch.cat([parts['prefix'], parts['map'], *pages, parts['rest']], 1)
    positions = model.positions(PREFIX, COC, PRIOR)
    at = PREFIX + parts['map'].shape[1]
    positions[at:] += newest - t + 1  # the timestep's number, as while streaming
    mask = model.attention_mask(torch.ones(1, PREFIX), COC, torch.ones(1, PRIOR))
    return model.backbone(x, positions, mask)


@torch.no_grad()
def test_streaming_prefill_equals_full_prefill(model: VLA, parts: dict[str, torch.Tensor]) -> None:
    """Each new timestep overwrites the oldest page of the cache; all else is never read again."""
    t, n = model.profile.frames.count, model.profile.visual_tokens
    lines, rest = parts['map'].shape[1], parts['rest'].shape[1]
    sequence = model.sequence(PREFIX, COC, PRIOR)
    positions = model.positions(PREFIX, COC, PRIOR)
    mask = model.attention_mask(torch.ones(1, PREFIX), COC, torch.ones(1, PRIOR))[0, 0]
    slots, at = len(sequence), PREFIX + lines
    cache = model.backbone.new_cache(1, slots)

    def feed(x: torch.Tensor, start: int, place: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return model.backbone(x, place, rows[None, None], cache, start)

    feed(parts['prefix'], 0, positions[:PREFIX], mask[:PREFIX])
    feed(parts['map'], PREFIX, positions[PREFIX:at], mask[PREFIX:at])
    newest_rows = mask[at : at + n].clone()
    for step in range(DRIVE):
        page = at + step % t * n
        rows = newest_rows.clone()
        rows[:, at : at + t * n] = MASKED
        rows[:, page : page + n] = newest_rows[:, at : at + n]
        feed(parts['pages'][step][None], page, positions[at : at + n] + step, rows)
        if step >= t - 1:
            shift = step - t + 1
            found = feed(parts['rest'], slots - rest, positions[-rest:] + shift, mask[-rest:])
            expected = full(model, parts, step)[:, -rest:]
            torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-4)


@torch.no_grad()
def test_words_one_by_one_equal_a_full_pass(model: VLA, parts: dict[str, torch.Tensor]) -> None:
    """Decoding with kept keys, a token a pass, equals recomputing everything."""
    expected = full(model, parts, 2)
    t = model.profile.frames.count
    pages = [parts['pages'][i][None] for i in range(t)]
    x = torch.cat([parts['prefix'], parts['map'], *pages, parts['rest']], 1)
    positions = model.positions(PREFIX, COC, PRIOR)
    mask = model.attention_mask(torch.ones(1, PREFIX), COC, torch.ones(1, PRIOR))
    cache = model.backbone.new_cache(1, x.shape[1])
    lead = x.shape[1] - COC
    out = [model.backbone(x[:, :lead], positions[:lead], mask[:, :, :lead], cache, 0)]
    for i in range(lead, x.shape[1]):
        one = slice(i, i + 1)
        out.append(model.backbone(x[:, one], positions[one], mask[:, :, one], cache, i))
    torch.testing.assert_close(torch.cat(out, 1), expected, atol=2e-5, rtol=1e-4)


def test_a_timestep_sees_the_text_and_itself(model: VLA) -> None:
    sequence = model.sequence(PREFIX, COC, PRIOR)
    seen = sequence.mask() == 0.0
    for name in ('map', 'visual_2', 'visual_1', 'visual_0'):
        rows = sequence.span(name)
        others = np.ones(len(sequence), bool)
        others[:PREFIX], others[rows] = False, False
        assert (
            seen[rows, rows].all() and seen[rows, :PREFIX].all() and not seen[rows, others].any()
        )
    assert seen[sequence.span('ego', 'history'), sequence.scene].all()
    assert seen[sequence.span('coc'), : sequence.span('coc').start].all()
    place = [sequence.positions()[sequence.span(name).start] for name in sequence.layout.names]
    assert place[1:6] == [place[1] + i for i in range(5)], 'each alone takes the next position'
    assert place[5] == place[6] == place[7] < place[8], 'ego, age and history share one'
