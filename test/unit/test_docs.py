"""What README and docs/ name exists: files, subcommands with their options, launch arguments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from alpamayo_ros.bringup import option_names
from alpamayo_ros.cli.main import SUBCOMMANDS, app
from alpamayo_ros.sensing.rig import Rig

ROOT = Path(__file__).resolve().parents[2]
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
        words = [name, *re.findall(r'^ (run|status|verify|show|card|sync|convert)\b', rest)]
        shown = CliRunner().invoke(app, [*words, '--help'], env={'COLUMNS': '200'})
        assert shown.exit_code == 0, (name, shown.output)
        for option in re.findall(r'--[a-z]+', rest):
            assert option in shown.output or option in ('--help', '--name'), f'{name} {option}'


@pytest.mark.parametrize('page', PAGES, ids=NAMES)
def test_launch_arguments_exist(page: Path):
    named = re.findall(r'\b([a-z_]+):=', page.read_text())
    assert set(named) <= {*option_names(), 'name'}


def test_the_rig_of_the_guide_is_valid():
    text = (ROOT / 'docs' / 'bring_your_vehicle.md').read_text()
    block = re.search(r'```yaml\n(.*?)```', text, re.DOTALL)
    assert block is not None
    rig = Rig.model_validate(yaml.safe_load(block[1]))
    assert rig.cameras[0].matrix[0, 0] == 1100.0


def test_the_picture_is_small_enough_for_a_readme():
    assert (ROOT / 'docs' / 'demo.webp').stat().st_size < 1_000_000
