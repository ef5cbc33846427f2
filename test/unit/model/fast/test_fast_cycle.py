"""A cycle in static shapes gives what the family's own modules give, from scratch, every time."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip('torch', reason='the training extra (torch) is not installed')

from alpamayo_ros.model.fast import check  # noqa: E402
from alpamayo_ros.model.fast.check import WORDS, agreement, vary  # noqa: E402
from alpamayo_ros.model.fast.cycle import Answer, Cycle, Passes  # noqa: E402
from alpamayo_ros.model.fast.made_up import MadeUpDrive, Seen, drawn, planted  # noqa: E402
from alpamayo_ros.model.fast.plain import Plain, shifted  # noqa: E402
from alpamayo_ros.model.scene_inputs import SceneInputs  # noqa: E402
from alpamayo_ros.model.tiny import tiny  # noqa: E402
from alpamayo_ros.profile import ModelProfile, load_profile  # noqa: E402

CONVOLUTIONS, BLOCKS = 'alpamayo-0.5b', 'alpamayo-1.5-10b'
WAYS = [Passes(1, WORDS), Passes(6, 3), Passes(5, WORDS)]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def quick(name: str) -> ModelProfile:
    """A member with three steps of denoising, so that a convolution is not called 240 times."""
    profile = load_profile(name)
    diffusion = profile.diffusion.model_copy(update={'sample_steps': 3})
    return profile.model_copy(update={'diffusion': diffusion})


def made(name: str) -> tuple[Cycle, MadeUpDrive]:
    model = drawn(tiny(quick(name)), 'cpu', torch.float32)
    vary(model)
    cycle = Cycle(model, WORDS, WAYS)
    return cycle, MadeUpDrive(cycle)


@pytest.fixture(scope='module')
def streaming() -> tuple[Cycle, Seen]:
    """Behind full pages of the member whose keys are kept, with tokens absent everywhere."""
    torch.set_num_threads(1)
    cycle, drive = made(BLOCKS)
    host = cycle.host
    host.prefix_valid[11:] = 0
    host.prior_valid[20:] = 0
    host.last.fill_(20)
    host.history_valid[2] = 0
    host.lines_valid[1] = 0
    drive.fill()
    host.cameras[3] = 0
    seen = drive.next()
    cycle.run()
    return cycle, seen


@pytest.mark.parametrize('name', ['nano', CONVOLUTIONS, 'alpamayo-7b', BLOCKS])
def test_words_and_plans_are_those_of_the_modules(name: str) -> None:
    """Also with a draft of which a pass accepts four words, in three passes for twelve."""
    found = agreement(quick(name), 'cpu', torch.float32)
    assert found.unlike == 0 and found.plans_m < 1e-4
    assert found.words > WORDS, 'a text of one word would hide mistakes'


def test_numbers_may_be_narrow() -> None:
    """bfloat16 through every stage; a word may be a near tie, plans stay near."""
    found = agreement(quick(BLOCKS), 'cpu', torch.bfloat16, varied=False)
    assert 0 < found.plans_m < 0.1


def test_plans_that_are_no_numbers_are_not_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one way of one cycle, with every word right; a maximum of Python's would lose it."""
    plans = torch.zeros(2, 3, 3)
    ids = torch.arange(WORDS)
    answers = iter([plans, plans * torch.nan, plans, plans])
    drive = SimpleNamespace(
        fill=lambda: None, wait=lambda seconds: None, next=lambda: Seen(ids, ids)
    )
    host = SimpleNamespace(draft=torch.zeros(WORDS, dtype=torch.long))
    cycle = SimpleNamespace(
        given=None, host=host, run=lambda way: Answer(next(answers), ids, WORDS)
    )
    told = SimpleNamespace(ids=ids, plans=plans)
    model = SimpleNamespace(profile=tiny(load_profile(BLOCKS)))
    monkeypatch.setattr(check, 'drawn', lambda *given: model)
    monkeypatch.setattr(check, 'Cycle', lambda *given: cycle)
    monkeypatch.setattr(check, 'MadeUpDrive', lambda cycle: drive)
    monkeypatch.setattr(check, 'Plain', lambda *given: lambda *seen: told)
    monkeypatch.setattr(check, 'CYCLES', 2)
    found = agreement(model.profile, 'cpu', torch.float32, varied=False)
    assert found.unlike == 0 and found.plans_m != found.plans_m and not found.ok


@torch.no_grad()
def test_streaming_prefill_is_a_full_pass_with_the_same_mask(
    streaming: tuple[Cycle, Seen],
) -> None:
    """Hidden states of everything before the words, kept timesteps too."""
    cycle, seen = streaming
    model, given, at = cycle.model, cycle.given, cycle.places
    assert float(given.shift) > 0, 'positions have counted on'
    features = model.encode_timestep(seen.images, seen.cameras)
    visual = model.fuse(features[None], given.age_s[None], seen.cameras[None])
    lines = given.lines[None], given.lines_valid[None]
    more = SceneInputs(given.history[None], given.history_valid[None], *lines, given.age_s[None])
    scene = model.scene(visual, given.speed_mps, more)
    text = [model.backbone.embed(ids[None]) for ids in (given.prefix, given.prior)]
    mask = model.attention_mask(given.prefix_valid[None], 0, given.prior_valid[None])
    x = torch.cat([text[0], scene, text[1]], 1)
    whole = model.backbone(x, shifted(model, given, 0), mask)[0]
    real = cycle.scene.pad[: at.coc] == 0
    torch.testing.assert_close(cycle.scene.hidden[: at.coc][real], whole[real], atol=1e-4, rtol=0)
    assert int(real.sum()) == at.coc - 5 - (len(given.prior) - 20)


@torch.no_grad()
def test_what_is_absent_is_hidden(streaming: tuple[Cycle, Seen]) -> None:
    """Short texts, a lost camera, a line and an instant less: still the modules' words."""
    cycle, seen = streaming
    told = Plain(cycle.model, cycle.given, WORDS)(seen.images, seen.cameras, cycle.given)
    cycle.given.draft.copy_(planted(told.ids, 4, len(cycle.given.draft), cycle.model.profile))
    cycle.whole[1]()
    assert torch.equal(cycle.words.ids[:WORDS], told.ids)
    torch.testing.assert_close(cycle.plans, told.plans, atol=1e-4, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize('way', range(len(WAYS)))
def test_a_draft_changes_passes_not_words(streaming: tuple[Cycle, Seen], way: int) -> None:
    """Plain, half right, wrong everywhere, right everywhere beyond the end."""
    cycle, _ = streaming
    cycle.host.draft.zero_()
    plain_words = cycle.run(0).ids
    draft = cycle.host.draft
    for accepted in (4, 1, WORDS + 1):
        draft.copy_(planted(plain_words, accepted, len(draft), cycle.model.profile))
        found = cycle.run(way)
        written = min(WORDS, WAYS[way].count * min(accepted, WAYS[way].width))
        assert found.count == written
        assert torch.equal(found.ids[:written], plain_words[:written])


@torch.no_grad()
@pytest.mark.parametrize('name', [CONVOLUTIONS, BLOCKS])
def test_a_candidate_does_not_depend_on_the_others(name: str) -> None:
    """All read one context; each is what it is alone."""
    cycle, drive = made(name)
    drive.fill()
    drive.next()
    first = cycle.run().plans
    noise = cycle.given.noise.clone()
    cycle.given.noise[1:] = torch.randn_like(noise[1:])
    cycle.denoise()
    torch.testing.assert_close(cycle.plans[0], first[0], atol=1e-4, rtol=0)
    assert not torch.allclose(cycle.plans[1], first[1], atol=0.1)


def test_both_ways_share_their_weights() -> None:
    """The joined products are the modules' parameters, not copies of them."""
    cycle, _ = made(BLOCKS)
    state = cycle.model.state_dict()
    parts = [state[f'backbone.layers.0.{name}.weight'] for name in 'qkv']
    assert len({part.untyped_storage().data_ptr() for part in parts}) == 1
    assert parts[0].shape == (64, 64)


def test_positions_do_not_run_off_the_table() -> None:
    """On a GPU they would end the process."""
    cycle, drive = made(BLOCKS)
    drive.next()
    cycle.host.shift.fill_(512)
    with pytest.raises(ValueError, match='beyond the 512 of backbone.context; start anew'):
        cycle.run()


def test_more_words_than_the_model_has_room_for_are_refused() -> None:
    with pytest.raises(ValueError, match='max_coc has room for 72'):
        Cycle(drawn(tiny(load_profile(BLOCKS)), 'cpu', torch.float32), 73, WAYS)
