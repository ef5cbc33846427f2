"""What README and docs/ name exists: files, subcommands with their options, launch arguments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from alpamayo_ros.cli.main import SUBCOMMANDS, _load
from alpamayo_ros.graph_options import choices
from alpamayo_ros.sensing.rig import Rig

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
NAMES = [page.name for page in PAGES]


@pytest.mark.parametrize('page', PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path):
    links = re.findall(r'\]\(([^)#]+)[^)]*\)', page.read_text())
    missing = [link for link in links if '://' not in link and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize('page', PAGES, ids=NAMES)
def test_subcommands_and_their_options_exist(page: Path):
    commands = re.findall(r'alpamayo ([a-z]+)((?: [^\n`#|)]*)?)', page.read_text())
    for name, rest in commands:
        if name not in SUBCOMMANDS:
            continue  # prose: "alpamayo drives"
        command, words = _load(name), rest.split()
        while words and words[0] in getattr(command, 'commands', {}):
            command, words = command.commands[words[0]], words[1:]
        known = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
        named = set(re.findall(r'(?<!\S)--[a-z][a-z0-9-]*', rest))
        assert named <= {*known, '--help', '--name'}, f'alpamayo {name}{rest}'


@pytest.mark.parametrize('page', PAGES, ids=NAMES)
def test_launch_arguments_exist(page: Path):
    maps = r'--map \S+'  # recorded:=ours, of alpamayo replay
    named = re.findall(r'\b([a-z_]+):=', re.sub(maps, '', page.read_text()))
    assert set(named) <= {*(choice.name for choice in choices()), 'name', 'use_sim_time'}


def test_the_rig_of_the_guide_is_valid():
    text = (ROOT / 'docs' / 'bring_your_vehicle.md').read_text()
    block = re.search(r'```yaml\n(.*?)```', text, re.DOTALL)
    assert block is not None
    rig = Rig.model_validate(yaml.safe_load(block[1]))
    assert rig.cameras[0].matrix[0, 0] == 1100.0


def test_the_picture_is_small_enough_for_a_readme():
    assert (ROOT / 'docs' / 'demo.webp').stat().st_size < 1_000_000
