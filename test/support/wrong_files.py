"""Files that people name by mistake: half, empty, of another kind, with a wrong key."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import replay_bag
import yaml
from replay_bag import Drive

from alpamayo_ros.profile import share_dir

CONFIG = share_dir() / 'config'
# Rows of ``wrong_uses``: pipes, links to nothing, files that are no JSON, other odd words.
PATHS: tuple[tuple[str, int, str], ...] = (
    ('data check {folder}/pipe.mcap', 2, 'no bag {folder}/pipe.mcap: it is a pipe or a device'),
    ('replay {folder}/pipe.mcap', 2, 'it is a pipe or a device'),
    ('data seal /dev/null', 2, 'no bag /dev/null: it is a pipe or a device'),
    ('data check {folder}/gone.mcap', 2, 'it is a link to /nowhere/gone.mcap, where nothing is'),
    ('up replay --bag {folder}/gone.mcap', 2, 'a link to /nowhere/gone.mcap, where nothing is'),
    ('view {folder}/loop.mcap --save {folder}/v.rrd', 2, 'it is a link to loop.mcap'),
    ('replay {bag} --rig {folder}/pipe.yaml', 2, 'no rig file {folder}/pipe.yaml: it is a pipe'),
    ('rig check {folder}/gone.yaml', 2, 'it is a link to /nowhere/gone.yaml, where nothing is'),
    ('sim --scenario {folder}/pipe.yaml', 2, 'no scenario file {folder}/pipe.yaml: it is a pipe'),
    ('up vehicle --parameters {folder}/pipe.yaml', 2, 'no parameter file|it is a pipe'),
    ('up vehicle --parameters {folder}/notes', 2, 'no parameter file|it is a folder'),
    ('replay {bag} --against {folder}/deep.json', 2, 'deep.json: no JSON'),
    ('sim --suite val --against {folder}/deep.json', 2, 'deep.json: not JSON'),
    ('sim --suite val --against {folder}/binary.yaml', 2, 'binary.yaml: not JSON'),
    ('data clips {bag} --out {folder}/text.txt', 2, 'text.txt is a file; expected a folder'),
    ('data clips --scenario stopped_car --seeds 1:9999999999 --out {out}', 2, 'nine digits'),
    ('sim --seeds 0:100001', 2, "--seeds '0:100001': expected at most 100000"),
    ('replay {bag} --runtime os:pathh', 2, 'did you mean os:fspath? Run alpamayo doctor'),
    ('data log check windng', 2, "no log 'windng'; did you mean winding_slowly?|.json"),
    ('model verify {folder}/loop.mcap', 2, 'Too many levels of symbolic links. Run'),
    ('sim --planner expert --worst 3', 2, '--worst belongs to --report'),
    ("sim --inject 'drp(source=front)'", 2, 'is no injector; did you mean drop?; there are'),
    ("sim --inject 'drop(source=front'", 2, 'expected drop(KEY=VALUE,...), with both brackets'),
    ('key init --to {folder}/text.txt', 2, 'text.txt is a file; expected a folder'),
    ('model time --cycles 9999999999', 2, '--cycles'),
    ("echo 'a b'", 2, "'a b' is no name of a topic|alpamayo topics"),
    ('hz /', 2, "'/' is no name of a topic"),
    ('echo /9/x', 2, 'none of which begins with a digit'),
    ('up vehicle --topics {folder}/topics.yaml', 2, "topics.yaml: route: '/a b' is no name of a"),
    ('bench --quick', 2, '--json FILE is missing'),
    ('bench --json {folder}/notes', 2, 'notes is a folder; expected a file'),
)


def made(folder: Path) -> dict[str, str]:
    """Write the files that the rows name; each name with its path."""
    work = folder / 'work'
    for name in ('empty', 'work/notes', 'work/dir.yaml'):
        (folder / name).mkdir(parents=True)
    (work / 'notes' / 'a.txt').write_text('a')
    (folder / 'bare').mkdir()
    (folder / 'bare' / 'weights.safetensors').write_text('weights')
    _texts(work)
    _rigs(work)
    _others(work)
    bag = replay_bag.write(work / 'drive.mcap', Drive(seconds=1.2))
    whole = bag.read_bytes()
    (work / 'cut.mcap').write_bytes(whole[: len(whole) // 2])
    blind = replay_bag.write(work / 'blind.mcap', Drive(seconds=1.2, absent=cameras()))
    nano = share_dir() / 'models' / 'nano'
    altered = folder / 'altered'
    altered.mkdir()
    for entry in json.loads((nano / 'manifest.json').read_text())['files']:
        (altered / entry['name']).write_bytes(b'another')
    shutil.copy(nano / 'manifest.json', altered)
    found = {'folder': work, 'empty': folder / 'empty', 'none': folder / 'nowhere', 'bag': bag}
    found |= {'cut': work / 'cut.mcap', 'blind': blind, 'nano': nano, 'altered': altered}
    found['bare'] = folder / 'bare'
    os.mkfifo(work / 'pipe.mcap')
    os.mkfifo(work / 'pipe.yaml')
    for name in ('gone.mcap', 'gone.yaml'):
        (work / name).symlink_to(f'/nowhere/{name}')
    (work / 'loop.mcap').symlink_to('loop.mcap')
    (work / 'deep.json').write_text('[' * 100_000)
    (folder / 'dgp').mkdir()
    (folder / 'dgp' / 'scene_dataset.json').write_text('{"metadata": {}}')
    found |= {'dgp': folder / 'dgp', 'out': folder / 'out', 'summary': work / 'summary.json'}
    return {name: str(path) for name, path in found.items()}


def cameras() -> tuple[str, ...]:
    """Names of the cameras of the shipped rig."""
    return tuple(c['name'] for c in _tree('rigs/sim.yaml')['cameras'])


def _tree(name: str) -> Any:
    return yaml.safe_load((CONFIG / name).read_text())


def _write(path: Path, tree: Any) -> None:
    path.write_text(yaml.safe_dump(tree, sort_keys=False))


def _texts(work: Path) -> None:
    texts = {
        'text.txt': 'a letter', 'text.mcap': 'a letter', 'empty.mcap': '', 'notes.json': '{}',
        'old.bag': '#ROSBAG V2.0', 'topics.yaml': 'route: /a b\n',
        'pointer.mcap': 'version https://git-lfs.github.com/spec/v1\n',
        'pointer.bag': 'version https://git-lfs.github.com/spec/v1\n',
        'list.yaml': '- 1\n- 2\n', 'rig_json.yaml': '{"name": "car"}', 'rig_twice.yaml':
        'name: a\nname: b\n', 'summary.json': '{"metrics": {}, "identity": {}}',
        'par_key.yaml': '/**/monitor:\n  ros__parameters:\n    perod_s: 1.0\n',
        'par_node.yaml': '/**/monitr:\n  ros__parameters:\n    period_s: 1.0\n',
        'par_type.yaml': '/**/monitor:\n  ros__parameters:\n    period_s: fast\n',
        'par_nan.yaml': '/**/monitor:\n  ros__parameters:\n    period_s: .nan\n',
        'par_limits.yaml': f'/**:\n  ros__parameters:\n    limits: {work}/limits.yaml\n',
    }  # fmt: skip
    for name, text in texts.items():
        (work / name).write_text(text)
    (work / 'binary.yaml').write_bytes(b'\xff\xfe\x00\x01')


def _rigs(work: Path) -> None:
    changes = {
        'typo': lambda rig: rig['cameras'][1].update(widht=rig['cameras'][1].pop('width')),
        'nan': lambda rig: rig['cameras'][1]['mount'].update(x_m=float('nan')),
        'text': lambda rig: rig['cameras'][1].update(rate_hz='fast'),
        'front': lambda rig: rig['cameras'][_place(rig, 'front')].update(name='frnt'),
    }
    for name, change in changes.items():
        rig = _tree('rigs/sim.yaml')
        change(rig)
        _write(work / f'rig_{name}.yaml', rig)


def _place(rig: Any, name: str) -> int:
    return [c['name'] for c in rig['cameras']].index(name)


def _others(work: Path) -> None:
    profile, scenario = _tree('profiles/nano.yaml'), _tree('scenarios/stopped_car.yaml')
    profile['text']['max_cot'] = profile['text'].pop('max_coc')
    _write(work / 'profile.yaml', profile)
    actor = {**scenario, 'actors': [{'kind': 'unicorn', 'at_m': 5}]}
    _write(work / 'actor.yaml', actor)
    scenario['duration'] = scenario.pop('duration_s')
    _write(work / 'scenario.yaml', scenario)
    limits = (CONFIG / 'limits.param.yaml').read_text().replace(' skew_s:', ' skew:')
    (work / 'limits.yaml').write_text(limits)
