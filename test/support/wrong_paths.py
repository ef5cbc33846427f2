"""Pipes, links to nothing, and files that are no JSON: rows of ``wrong_uses``."""

from __future__ import annotations

ROWS: tuple[tuple[str, int, str], ...] = (
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
)
