"""Profiles of NVIDIA's released models: what they fix is checked, what is unknown is refused."""

from __future__ import annotations

import json
from math import prod

import pytest
import yaml
from pydantic import ValidationError
from typer.testing import CliRunner

from alpamayo_ros.cli.model import app
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import load_limits
from alpamayo_ros.model.layout import token_layout
from alpamayo_ros.model.released.tensors import parameters, tensors
from alpamayo_ros.profile import ModelProfile, load_profile, released_names
from alpamayo_ros.released_contract import CAMERAS, UNVERIFIED, prompt_tokens
from alpamayo_ros.runtime.loader import open_runtime
from alpamayo_ros.runtime.manifest import profile_hash
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.statuses import ConfigError

NEW = load_profile('nvidia-1.5-10b')
NANO = load_profile('nano')


@pytest.mark.parametrize('name', released_names())
def test_it_round_trips(name):
    profile = load_profile(name)
    assert ModelProfile.model_validate(profile.model_dump(mode='json')) == profile
    assert profile.released and not NANO.released


@pytest.mark.parametrize(
    ('indices', 'tokens'),
    [
        ([1], 841), ([1, 6], 1590), ([0, 1, 2], 2337), ([0, 1, 2, 6], 3086),
        ([0, 1, 2, 3, 5, 6], 4584), ([0, 1, 2, 3, 4, 5, 6], 5332),
    ],
)  # fmt: skip
def test_the_prompt_is_as_long_as_the_vendors_tokenizer_makes_it(indices, tokens):
    names = [list(CAMERAS)[i] for i in indices]
    assert prompt_tokens(names, 4, 180, named=True) == tokens


def test_the_first_release_names_no_pictures():
    views = [view.name for view in NEW.views]
    old = load_profile('nvidia-r1-10b')
    assert [view.name for view in old.views] == views
    assert prompt_tokens(views, 4, 180, named=old.text.names_pictures) == 3006


def test_tensors_are_those_of_the_checkpoint():
    found = tensors(NEW)
    assert len(found) == 1159 and sum(map(prod, found.values())) == 11_078_526_194
    assert found['vlm.model.visual.deepstack_merger_list.2.norm.weight'] == (4608,)
    assert found['vlm.model.language_model.layers.35.self_attn.k_proj.weight'] == (1024, 4096)
    assert found['expert.layers.0.self_attn.q_proj.weight'] == (2048, 2048)
    assert sum(parameters(NEW).values()) == 11_078_526_194
    with pytest.raises(ValueError, match='nano is no released model'):
        tensors(NANO)


def changed(**parts):
    return {**NEW.model_dump(), **parts}


FRONT = 'front_wide_120fov'


def views(*names, **values):
    one = NEW.views[0].model_dump()
    return [{**one, 'name': name, 'camera': NEW.cameras[0].name, **values} for name in names]


@pytest.mark.parametrize(
    ('parts', 'message'),
    [
        ({'frames': {'count': 4, 'spacing_s': 0.25}}, 'models: 4, 0.1 s apart; got 4, 0.25'),
        ({'frames': {'count': 3, 'spacing_s': 0.1}}, 'got 3, 0.1 s apart'),
        ({'ego_history': {'count': 15, 'spacing_s': 0.1}}, 'ego_history of released models: 16'),
        ({'trajectory': {'points': 60, 'dt_s': 0.1}}, 'trajectory of released models: 64'),
        ({'views': views(FRONT, 'front_wide')}, 'know the views .* not front_wide '),
        ({'views': views(FRONT, 'cross_left_120fov')}, 'once, in this order'),
        ({'views': views(FRONT, FRONT)}, 'once, in this order'),
        ({'views': views('cross_left_120fov')}, 'not run without the view front_wide_120fov'),
        ({'views': views(FRONT, height=288)}, 'has 162 tokens'),
        ({'views': views(FRONT, height=330)}, 'sides that are multiples of 32'),
        ({'views': views(FRONT, tokens=64)}, r'has 180 tokens, not \[64\]'),
        ({'views': views(FRONT, projection='pinhole', resample='area')}, 'take whole pictures'),
        ({'views': views(FRONT, projection='pinhole')}, "'bicubic' is for projection"),
        ({'history_gaps': 'allowed'}, 'take no gaps'),
        ({'views': []}, 'all views have one size; there are none'),
        ({'architecture': 'own'}, "'own' has no vision.trunk qwen3_vl"),
        ({'text': {**NEW.text.model_dump(), 'grammar': 'phrases_v1'}}, 'needs text.grammar free'),
    ],
)  # fmt: skip
def test_what_it_was_not_made_for_is_refused(parts, message):
    with pytest.raises(ValidationError, match=message):
        ModelProfile.model_validate(changed(**parts))


@pytest.mark.parametrize(
    ('part', 'values', 'message'),
    [
        ('text', {'names_pictures': True}, 'only prompts of released models'),
        ('diffusion', {'train_steps': 0}, 'has no diffusion.train_steps 0'),
        ('vision', {'ffn': 64}, "a trunk 'qwen3_vl' has it"),
    ],
)
def test_an_own_network_has_nothing_of_them(part, values, message):
    data = NANO.model_dump()
    data[part].update(values)
    with pytest.raises(ValidationError, match=message):
        ModelProfile.model_validate(data)


@pytest.mark.parametrize('name', sorted(UNVERIFIED))
def test_a_contract_that_nobody_could_read_is_refused_by_name(name):
    with pytest.raises(ConfigError, match=f"no profile '{name}': .* verified"):
        load_profile(name)


def test_no_runtime_of_own_networks_runs_it_and_the_double_does():
    found = open_runtime('torch', NEW)
    assert isinstance(found, Fault) and found.code is Code.MODEL_PROVIDER
    assert 'nvidia-1.5-10b is a released model' in found.message
    assert not isinstance(open_runtime('scripted', NEW), Fault)
    with pytest.raises(ValueError, match="this package builds those of architecture 'own'"):
        token_layout(NEW)


def test_the_period_is_never_shorter_than_the_models_own():
    vehicle, limits = load_rig('sim').vehicle, load_limits()
    assert PlanConfig(NEW, limits, vehicle).period_s == 0.2
    assert PlanConfig(NEW, limits, vehicle, period_s=0.8).period_s == 0.8
    assert PlanConfig(NANO, limits, vehicle).period_s == 0.1


def test_the_hash_of_an_own_profile_is_that_of_the_shipped_model(repository):
    manifest = json.loads((repository / 'models/nano/manifest.json').read_text())
    assert profile_hash(NANO) == manifest['profile_sha256']
    data = NANO.model_dump()
    whole = [{**view, 'projection': 'native'} for view in data['views']]
    other = ModelProfile.model_validate({**data, 'views': whole})
    assert profile_hash(other) != manifest['profile_sha256']


def test_show_says_the_contract(tmp_path):
    run = CliRunner().invoke
    found = json.loads(run(app, ['show', 'nvidia-1.5-10b', '--json']).stdout)
    assert found['prompt_tokens'] == 3086 and found['parameters'] == 11_078_526_194
    assert 'Weights and code are the vendor' in run(app, ['show', 'nvidia-r1-10b']).stdout
    file = tmp_path / 'mine.yaml'
    file.write_text(yaml.safe_dump(json.loads(json.dumps(NEW.model_dump(mode='json')))))
    assert run(app, ['show', str(file)]).exit_code == 0
    assert run(app, ['show', 'nvidia-1.5-10b', '--tiny']).exit_code == 2
