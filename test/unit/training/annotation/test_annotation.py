"""The annotator of version 2 on real drives: true, visible, binding, and in the grammar."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from alpamayo_ros import metrics
from alpamayo_ros.model.grammar import Grammar, values
from alpamayo_ros.profile import ModelProfile, load_profile
from alpamayo_ros.simulation.agents import SIGNAL
from alpamayo_ros.simulation.drive import facts, visibility
from alpamayo_ros.simulation.drive.visibility import ids_of, seen_pixels
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.expert import View, plan_view
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.training import sample_recorder
from alpamayo_ros.training.annotation.binding import EFFECT_M, effect_m
from alpamayo_ros.training.annotation.chain import Annotation, annotation
from alpamayo_ros.training.annotation.review import instants, page
from alpamayo_ros.training.batches import choice_weights
from alpamayo_ros.training.dataset import ShardWriter
from alpamayo_ros.training.sample_recorder import WORDLESS, Recorder
from alpamayo_ros.training.vocabulary import build_vocabulary

SEED, EVERY = 10000, 10
TEMPLATES = {  # what must be named as binding somewhere on the way
    'works_shift_right': {'works'},
    'adult_from_right': {'pedestrian'},
    'leader_stops': {'lead'},
    'box_in_the_lane': {'debris'},
    'signal_red_then_green': {'light'},
    'roundabout_quiet': set(),
}
FORM = load_profile('nano').trajectory


@cache
def grammar() -> Grammar:
    nano = load_profile('nano').model_dump()
    text = {'vocab_size': 896, 'max_prefix': 64, 'max_coc': 72, 'grammar': 'phrases_v2'}
    return build_vocabulary(ModelProfile.model_validate(nano | {'text': text}))


def drive(name: str, steps: int = 260) -> Iterator[tuple[Simulation, Annotation, dict[int, int]]]:
    sim = open_world(load_scenario(name), SEED)
    for k in range(steps):
        if sim.done:
            break
        if k % EVERY == 0:
            pixels = seen_pixels(sim, sim.images())
            yield sim, annotation(sim, expert.plan(sim, FORM), FORM.dt_s, pixels), pixels
        sim.step(*expert.control(sim))
    sim.close()


@pytest.mark.parametrize('name', TEMPLATES)
def test_words_are_in_the_grammar_visible_and_true(name: str) -> None:
    bound, lights, rng, count = set(), set(), np.random.default_rng(1), 0
    for sim, found, pixels in drive(name):
        ids = grammar().encode(found.words(grammar().spec, rng))
        text = grammar().text(ids)
        assert len(ids) <= 72 and values(grammar().spec, text) == found.values
        assert all(s.id in pixels or s.id == SIGNAL for s in found.objects)
        truth, said = sim.truth(), metrics.coc_facts(text)
        known = facts.known(facts.things(sim, truth), ids_of(sim, pixels))
        for key in ('light', 'lead', 'pedestrian'):
            assert said[key] <= known.seen[key], (sim.now_ns / 1e9, key, text)
        assert visibility.known(sim, truth, sim.images()) == known
        assert visibility.known(sim, truth, {}).hidden['light'] == {sim.light_ahead(40.0)} - {''}
        lights |= known.seen['light']
        cause = found.bound.cause
        if cause.ids and not found.bound.hidden:
            assert cause.ids & ({SIGNAL} | pixels.keys())
            assert found.values['binding'] == cause.name
        if cause.ids and found.bound.effect_m > EFFECT_M:
            view = View.of(sim)
            without = plan_view(sim, view.without(cause.ids), FORM)
            everyone = frozenset(i for c in view.found for i in c.by)
            free = plan_view(sim, view.without(everyone | cause.ids), FORM)
            plan = plan_view(sim, view, FORM)
            moved = max(effect_m(without, plan), effect_m(free, plan))
            assert moved > EFFECT_M / 2, (sim.now_ns / 1e9, text)
        bound.add(found.values['binding'])
        count += 1
    assert count >= 5 and bound >= TEMPLATES[name]
    assert ('red' in lights) == (name == 'signal_red_then_green')


def test_who_is_hidden_is_not_named() -> None:
    hidden = named = 0
    for sim, found, pixels in drive('child_behind_truck', 150):
        people = {a.id for a in sim.agents() if a.kind == 'pedestrian'}
        said = {s.id for s in found.objects} & people
        assert said <= pixels.keys()
        hidden += bool(people - pixels.keys())
        named += bool(said)
    assert hidden >= 3 and named >= 1


def test_dense_fog_hides_what_is_far() -> None:
    def shown(fog_1pm: float) -> int:
        scenario = load_scenario('stopped_car')
        looks = scenario.looks.model_copy(update={'fog_1pm': fog_1pm})
        sim = open_world(scenario.model_copy(update={'looks': looks}), SEED)
        sim.place(60.0, stopped_car_gap_m=35.0)
        count = seen_pixels(sim, sim.images()).get(1, 0)
        sim.close()
        return count

    assert shown(0.0) > 30 and shown(0.1) == 0


def test_the_page_holds_words_and_pictures() -> None:
    scenario = load_scenario('leader_stops').model_copy(update={'duration_s': 4.0})
    found = list(instants(scenario, SEED, grammar().spec, FORM, 2.0))
    text = page('a & b', found)
    assert len(found) == 2 and text.count('data:image/jpeg') == 2 and 'a &amp; b' in text
    assert all(f'{part}: ' in text for part in ('perception', 'intent', 'counterfactual'))
    assert 'name="viewport"' in text and 'prefers-color-scheme: dark' in text
    assert '2 chains of causation, none of them for a cause that no picture shows.' in text


def test_collected_samples_speak_the_grammar_of_the_profile() -> None:
    from alpamayo_ros.training.dataset import ShardWriter
    from alpamayo_ros.training.sample_recorder import Recorder

    nano = load_profile('nano').model_dump()
    text = {'vocab_size': 896, 'max_prefix': 64, 'max_coc': 72, 'grammar': 'phrases_v2'}
    profile = ModelProfile.model_validate(nano | {'text': text})
    sim = open_world(load_scenario('leader_stops'), SEED)
    writer = ShardWriter()
    recorder = Recorder(sim, profile, grammar(), writer, SEED)
    recorder.record(0.0, recorder.look())
    sim.close()
    said = values(grammar().spec, grammar().text(writer.rows[0]['coc']))
    assert said is not None and said['first'] != 'none'


def test_a_plan_with_a_hidden_cause_is_learnt_without_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nano = load_profile('nano').model_dump()
    text = {'vocab_size': 896, 'max_prefix': 64, 'max_coc': 72, 'grammar': 'phrases_v2'}
    profile = ModelProfile.model_validate(nano | {'text': text})
    sim = open_world(load_scenario('car_behind_bend'), SEED)
    recorder = Recorder(sim, profile, grammar(), ShardWriter(), SEED)
    monkeypatch.setattr(sample_recorder, 'seen_pixels', lambda sim, images: {})
    rows = []
    for step in range(160):
        if step % 10 == 0:
            rows.append(recorder.record(step * 0.1, recorder.look()))
        sim.step(*expert.control(sim))
    sim.close()
    coc = [tuple(row['coc']) for row in rows if row is not None]
    assert len(coc) == 16 and WORDLESS in coc and max(map(len, coc)) > 20
    table = np.stack([np.pad(c, (0, 72 - len(c))) for c in coc])
    weights = choice_weights(grammar(), table)
    assert [w.any() for w in weights] == [c != WORDLESS for c in coc]


def test_most_chains_have_the_first_wording_and_some_another() -> None:
    found = next(iter(drive('works_shift_right', 1)))[1]
    rng, road = np.random.default_rng(0), grammar().spec.slots()[0][1]
    said = [found.words(grammar().spec, rng)['road'] for _ in range(300)]
    first = road.wordings(found.values['road'])[0]
    assert 0.8 < said.count(first) / len(said) < 0.97


def test_a_merge_is_said_where_the_plan_changes_lane_not_where_the_road_bends() -> None:
    sim = open_world(load_scenario('merge_light'), SEED)
    begin_m, end_m = sim.change_m
    bend = np.zeros((FORM.points, 3))
    bend[:, 0] = np.linspace(0.5, 30, FORM.points)
    bend[:, 1] = 0.004 * bend[:, 0] ** 2  # 3.6 m aside, as a bend may be
    said = {}
    for arc_m in (begin_m - 80, begin_m - 5, end_m - 5):
        sim.arc_m = arc_m
        assert sim.navigation.startswith('merge')
        said[arc_m] = annotation(sim, bend, FORM.dt_s, {}).values['path']
    sim.close()
    assert [value == 'merge_left' for value in said.values()] == [False, True, False]
