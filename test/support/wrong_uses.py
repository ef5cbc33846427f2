"""What people type wrong: a command, its exit status, and what the sentence must hold.

Names in braces are files that ``made`` writes.  A row is one mistake; the sentence names the file
and the key where there are any, and the nearest right word where there is one.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import replay_bag
import yaml
from replay_bag import Drive

from alpamayo_ros.profile import share_dir

CONFIG = share_dir() / 'config'
Row = tuple[str, int, str]  # command, status, fragments with | between them

COMMANDS: tuple[Row, ...] = (
    ('fly', 2, "no command 'fly'|alpamayo --help"),
    ('simm', 2, 'did you mean sim?'),
    ('replai x', 2, 'did you mean replay?'),
    ('--sed 3', 2, '--sed'),
    ('sim --planner expert --words-every 0.5', 2, '--words-every|onnx and torch'),
    ('sim --planner still', 2, "no planner 'still'|expert, straight"),
    ('sim --sed 3', 2, 'alpamayo sim: |--sed|--seeds'),
    ('data chek {bag}', 2, 'chek|check'),
    ('model verfy', 2, 'verfy|verify'),
    ('bench replays', 2, 'replays|replay'),
    ('up', 2, 'alpamayo up: |graph'),
    ('up vehicles', 2, 'vehicles|vehicle'),
    ('up simulator --lockstp', 2, '--lockstp|--lockstep'),
    ('replay', 2, 'Missing argument'),
    ('replay {bag} {bag}', 2, 'unexpected extra argument'),
    ('view', 2, 'name a folder or a bag, or --live'),
    ('cap', 2, '--speed, --acceleration or both'),
    ('cap --speed fast', 2, '--speed|valid number'),
    ('cap --speed -1', 2, '--speed'),
    ('cap --acceleration 0', 2, '--acceleration'),
    ('echo', 2, 'Missing argument'),
    ("hz ''", 2, 'TOPIC is empty'),
    ('arm --patience 0', 2, '--patience'),
    ('status --watch=yes', 2, '--watch'),
    ('rig chek sim', 2, 'chek|check'),
    ('rig check simm', 2, 'did you mean sim?'),
    ('rig from-bag {none}/a.mcap', 2, 'no bag {none}/a.mcap'),
    ('rig from-bag {bag} --camera front', 2, 'expected TOPIC=NAME'),
    ('up vehicle --controller twits', 2, "no message 'twits'; did you mean twist?"),
    ('up replay --bag {bag} --controller twist', 2, 'a replay moves no car'),
)
BAGS: tuple[Row, ...] = (
    ('replay {none}/a.mcap', 2, 'no bag {none}/a.mcap'),
    ('replay {folder}/dirve.mcap', 2, 'did you mean drive.mcap?'),
    ('replay {empty}', 2, '{empty} is no bag|it is empty'),
    ('replay {folder}/notes', 2, 'is no bag|it holds a.txt'),
    ('replay {folder}/notes.json', 2, 'notes.json is no bag|expected .mcap, .db3 or a folder'),
    ('data check {folder}/empty.mcap', 5, 'empty.mcap|BAG_BROKEN'),
    ('replay {blind} --out {out}', 2, 'camera front: no pictures on|--incomplete'),
    ('replay {bag} --out {folder}/text.txt', 2, 'text.txt is a file; expected a folder'),
    ('replay {bag} --out {folder}/text.txt/deep', 2, 'cannot be made|text.txt is a file'),
    ('replay {bag} --map a=b', 2, 'expected recorded:=ours'),
    ('replay {bag} --map /x:=odometry', 2, 'the bag has no /x'),
    ('replay {bag} --map /x', 2, 'expected recorded:=ours'),
    ('replay {bag} --pictures some', 2, "--pictures 'some'|there are all, front, none"),
    ('replay {bag} --pictures frnt', 2, 'did you mean front?'),
    ('replay {bag} --workers 65', 2, '--workers'),
    ('replay {bag} --seed -1', 2, '--seed'),
    ('replay {bag} --limit-s -1', 2, '--limit-s'),
    ('replay {bag} --against {none}/s.json', 2, '{none}/s.json: no such file'),
    ('replay {bag} --against {folder}/notes.json', 2, 'notes.json: expected summary.json'),
    ('replay {bag} --against {folder}/text.txt', 2, 'text.txt'),
    ('replay {bag} --against {summary} --tolerances {none}/t.yaml', 2, '{none}/t.yaml'),
    ('replay {bag} --against {summary} --tolerances {folder}/list.yaml', 2, 'list.yaml'),
    ('data check {none}/a.mcap', 2, 'no bag {none}/a.mcap'),
    ('data check {empty}', 2, 'it is empty'),
    ('data check {folder}/text.txt', 2, 'text.txt is no bag'),
    ('data check {folder}/old.bag', 2, 'old.bag is a bag of ROS 1|rosbags-convert --src old.bag'),
    ('data check {folder}/text.mcap', 5, 'text.mcap|BAG_BROKEN'),
    ('data check {cut}', 5, 'DAMAGED|BAG_BROKEN'),
    ('data seal {none}/a.mcap', 2, 'no bag'),
    ('data seal {cut}', 5, 'not sealed: BAG_BROKEN'),
    ('data recover {bag} {folder}/drive.mcap', 2, 'drive.mcap'),
    ('data recover {bag} {folder}/notes', 2, 'notes is a folder; expected a file'),
    ('data recover {none}/a.mcap {folder}/b.mcap', 2, 'no bag'),
    ('data simulate {folder}/s.mcap --scenario windng_road', 2, 'did you mean winding_road?'),
    ('data simulate {folder}/s.mcap --seed -5', 2, '--seed'),
    ('data simulate {folder}/s.mcap --seconds 0', 2, '--seconds'),
    ('data simulate {folder}/s.mcap --size 16by9', 2, '--size is WIDTHxHEIGHT'),
    ('data simulate {folder}/s.mcap --size 0x9', 2, '--size is WIDTHxHEIGHT'),
    ('data simulate {folder}/notes', 2, 'notes is a folder; expected a file'),
    ('data convert kitti {folder} {folder}/k.mcap', 2, 'kitti'),
    ('data convert kitti_odometry {empty} {folder}/k.mcap', 2, '{empty}'),
    ('data convert nuscenes {empty} {folder}/n.mcap', 2, '{empty}'),
    ('data convert surround_dgp {empty} {folder}/d.mcap', 2, '{empty}'),
    ('data convert comma2k19 {empty} {folder}/c.mcap', 2, '{empty}'),
    ('data log check {none}/l.json', 2, 'l.json'),
    ('data log check {folder}/notes.json', 2, 'notes.json'),
    ('data log commonroad {folder}/text.txt {folder}/l.json', 2, 'text.txt'),
    ('data log simulated stoped_car {folder}/l.json', 2, 'did you mean stopped_car'),
    ('data log simulated stopped_car {folder}/l.json --driver lat', 2, "--driver 'lat'"),
    ('data log simulated stopped_car {folder}/l.json --prompt fly', 2, "understand 'fly'"),
    ('data log simulated stopped_car {none}/l.json', 2, 'there is no folder {none}'),
    ('data annotate stoped_car', 2, 'did you mean stopped_car'),
    ('data annotate stopped_car --every 0', 2, '--every'),
    ('data annotate stopped_car --out {none}/w.html', 2, 'there is no folder {none}'),
    ('view {none}/a.mcap --no-browser --save {folder}/v.rrd', 2, 'no bag {none}/a.mcap'),
    ('view {bag} --save {folder}/v.mp4', 2, '--save writes an .rrd file'),
    ('view {bag} --port 80', 2, '--port'),
)
CONFIGURED: tuple[Row, ...] = (
    ('replay {bag} --rig tank', 2, "no rig 'tank'"),
    ('replay {bag} --rig simm', 2, 'did you mean sim?'),
    ('replay {bag} --rig {none}/rig.yaml', 2, 'no rig file {none}/rig.yaml'),
    ('replay {bag} --rig {folder}/rig_tyop.yaml', 2, 'did you mean rig_typo.yaml?'),
    (
        'replay {bag} --rig {folder}/rig_typo.yaml',
        2,
        "rig_typo.yaml:|'widht' in cameras.1; did you mean width?",
    ),
    ('replay {bag} --rig {folder}/rig_nan.yaml', 2, 'rig_nan.yaml:|mount.x_m|got nan'),
    ('replay {bag} --rig {folder}/rig_text.yaml', 2, 'rig_text.yaml:|rate_hz|fast'),
    ('replay {bag} --rig {folder}/list.yaml', 2, 'list.yaml: expected keys with values, got list'),
    ('replay {bag} --rig {folder}/rig_json.yaml', 2, 'rig_json.yaml:1: cameras'),
    (
        'replay {bag} --rig {folder}/rig_twice.yaml',
        2,
        "rig_twice.yaml: line 2|'name' a second time",
    ),
    ('replay {bag} --rig {folder}/binary.yaml', 2, 'binary.yaml: no text in UTF-8'),
    ('replay {bag} --rig {folder}/dir.yaml', 2, 'dir.yaml is a folder; expected the .yaml file'),
    ('replay {bag} --rig {folder}/rig_front.yaml', 2, 'camera front: the rig'),
    ('replay {bag} --profile nanoo', 2, "no profile 'nanoo'; did you mean nano?"),
    (
        'replay {bag} --profile {folder}/profile.yaml',
        2,
        'profile.yaml:|max_cot|did you mean max_coc',
    ),
    ('replay {bag} --runtime tensorrt', 2, 'needs the package tensorrt'),
    (
        'replay {bag} --runtime scripte',
        2,
        'there are onnx, torch, tensorrt_rtx, tensorrt, nvidia, scripted',
    ),
    ('replay {bag} --model {none}', 2, 'no model folder {none}'),
    ('replay {bag} --model {empty}', 2, '{empty} has no manifest.json'),
    ('sim --scenario windng_road', 2, 'did you mean winding_road?'),
    ('sim --scenario {folder}/scenario.yaml', 2, 'scenario.yaml:|did you mean duration_s?'),
    ('sim --scenario {folder}/actor.yaml', 2, 'actor.yaml:|unicorn'),
    ('sim --scenario {none}/s.yaml', 2, 'no scenario file {none}/s.yaml'),
    ('sim --seeds -4', 2, "'-4'|expected 100:150, 7 or 1,5,9"),
    ('sim --seeds 9:3', 2, 'holds no seed'),
    ('sim --seeds 1.5', 2, "'1.5'"),
    ('sim --planner expart', 2, 'expart'),
    ('sim --objects all', 2, "--objects 'all'|none, truth"),
    ('sim --ablate eyes', 2, '--ablate'),
    ('sim --latency nan --planner expert', 2, '--latency'),
    ('sim --latency 2', 2, '--latency'),
    ('sim --inject F99@5s:2s', 2, 'F99@5s:2s|rows are F01'),
    ('sim --inject F03@5:2', 2, 'ROW@START:LENGTH'),
    ("sim --inject 'dorp(source=front)'", 2, 'dorp'),
    ("sim --inject 'drop(source=frnt)'", 2, 'frnt'),
    ('sim --suite tset', 2, "no suite 'tset'; there are|train, val, test"),
    ('sim --suite {empty}', 2, 'holds no template'),
    ('sim --suite test --inject F03@5s:2s', 2, '--inject belongs to one scenario'),
    ('sim --limit 3', 2, '--limit belongs to a suite'),
    ('sim --workers 0', 2, '--workers'),
    ('sim --json {folder}/notes --planner expert', 2, 'notes is a folder; expected a file'),
    ('sim --json {folder}/text.txt/a.json --planner expert', 2, 'text.txt is a file'),
    ('sim --profile nan --planner expert', 2, 'did you mean nano?'),
    ('sim --model {empty}', 2, '{empty} has no manifest.json'),
    ('sim --model {nano} --profile alpamayo-0.5b', 2, 'exported for profile|alpamayo-0.5b'),
    ('model verify {empty}', 2, 'has no manifest.json'),
    ('model verify {altered}', 5, 'MODEL_HASH'),
    ('model verify --trusted-keys {none}', 5, 'MODEL_SIGNATURE|no folder or file of keys {none}'),
    ('model verify --trusted-keys {empty}', 5, 'expected 1 to 64 files *.pub|alpamayo key init'),
    ('model sign {empty}', 2, '--key'),
    ('model sign {empty} --key {none}', 2, '--key {none}|alpamayo key init'),
    ('key init --to {altered}', 2, 'a private key must not|choose --to'),
    ('up simulator --runtime scripted --trusted-keys {none}', 5, 'reads no manifest'),
    ('up simulator --trusted-keys {none}', 5, 'MODEL_SIGNATURE|{none}'),
    ('model verify --profile nanno', 2, 'did you mean nano?'),
    ('model show {folder}/profile.yaml', 2, 'profile.yaml:'),
    ('model time --cycles 0', 2, '--cycles'),
    ('bench sync --drops 2', 2, '--drops'),
    ('demo --seconds 1', 2, '--seconds'),
    ('demo --out {folder}/text.txt --runtime scripted', 2, 'text.txt is a file'),
    ('demo --runtime onx', 2, 'there are onnx'),
    ('doctor --json', 2, '--json'),
)
GRAPHS: tuple[Row, ...] = (
    ('up simulator --seed -5', 2, '--seed'),
    ('up simulator --seed 1.5', 2, '--seed'),
    ('up simulator --seed 99999999999', 2, '--seed'),
    ('up simulator --duration nan', 2, '--duration'),
    ('up simulator --duration -1', 2, '--duration'),
    ('up simulator --scenario winding_raod', 2, 'did you mean winding_road?'),
    ('up simulator --inject F99@5s:2s', 2, 'F99@5s:2s|rows are F01'),
    ('up simulator --objects truth', 2, "objects: no source 'truth'|ground_truth"),
    ('up simulator --output {folder}/notes', 2, 'notes is a folder; expected a file'),
    ('up simulator --record {folder}/text.txt', 2, 'text.txt is a file; expected a folder'),
    ('up vehicle --bag-out {folder}/text.txt/a.mcap', 2, 'text.txt is a file'),
    ('up vehicle --rig {none}/rig.yaml', 2, 'no rig file {none}/rig.yaml'),
    ('up vehicle --rig {folder}/rig_typo.yaml', 2, 'rig_typo.yaml:|did you mean width?'),
    ('up vehicle --rig {folder}/rig_front.yaml', 2, "no camera 'front'|did you mean frnt?"),
    ('up vehicle --profile nan', 2, 'did you mean nano?'),
    ('up vehicle --runtime trt', 2, "no runtime 'trt'"),
    ('up vehicle --model {empty}', 2, '{empty} has no manifest.json'),
    ('up vehicle --model {nano} --profile alpamayo-0.5b', 2, 'exported for profile|alpamayo-0.5b'),
    ('up vehicle --parameters {none}/p.yaml', 2, 'no parameter file {none}/p.yaml'),
    ('up vehicle --parameters {folder}/par_key.yaml', 2, 'par_key.yaml:3: |perod_s|period_s?'),
    (
        'up vehicle --parameters {folder}/par_node.yaml',
        2,
        'par_node.yaml:1: |did you mean monitor?',
    ),
    (
        'up vehicle --parameters {folder}/par_type.yaml',
        2,
        'par_type.yaml:3: period_s: expected float',
    ),
    ('up vehicle --parameters {folder}/par_nan.yaml', 2, 'par_nan.yaml:3: period_s|nan'),
    ('up vehicle --parameters {folder}/par_limits.yaml', 2, 'limits.yaml:|skew_s'),
    ('up vehicle --parameters {folder}/list.yaml', 2, 'list.yaml: expected NODE'),
    ('up vehicle --topics {none}/t.yaml', 2, '{none}/t.yaml: no such file'),
    ('up vehicle --topics {folder}/list.yaml', 2, 'list.yaml: expected lines "name: topic"'),
    ('up vehicle --speed-cap -1', 2, '--speed-cap'),
    ('up vehicle --acceleration-cap 99', 2, '--acceleration-cap'),
    ('up replay', 2, 'a replay needs a bag'),
    ('up replay --bag {none}/a.mcap', 2, 'no bag {none}/a.mcap'),
    ('up replay --bag {empty}', 2, 'it is empty'),
    ('up replay --bag {bag} --bag-out {folder}/b.mcap', 2, 'has its bag already'),
    ('up replay --bag {bag} --rate 0', 2, '--rate'),
)
ROWS = (*COMMANDS, *BAGS, *CONFIGURED, *GRAPHS)


def made(folder: Path) -> dict[str, str]:
    """Write the files that the rows name; each name with its path."""
    work = folder / 'work'
    for name in ('empty', 'work/notes', 'work/dir.yaml'):
        (folder / name).mkdir(parents=True)
    (work / 'notes' / 'a.txt').write_text('a')
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
    found |= {'out': folder / 'out', 'summary': work / 'summary.json'}
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
        'old.bag': '#ROSBAG V2.0',
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
