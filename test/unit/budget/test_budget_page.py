"""The command and its page say what the functions compute."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alpamayo_ros.budget.answer import answer, counted_profiles
from alpamayo_ros.budget.cycle import budget
from alpamayo_ros.budget.devices import DEVICES
from alpamayo_ros.cli.main import app
from alpamayo_ros.model.windowed import windowed
from alpamayo_ros.profile import load_profile

PAGE = (Path(__file__).resolve().parents[3] / 'docs' / 'budget.md').read_text()


def _rows(first: str) -> list[list[str]]:
    """The rows of the table whose head begins with ``first``."""
    (table,) = re.findall(rf'(\| {first} \|.*?)(?:\n\n|\Z)', PAGE, re.DOTALL)
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in table.splitlines()]


def test_the_page_holds_the_answers() -> None:
    """One row a profile, one column a device."""
    head, _, *rows = _rows('profile')
    assert head[1:] == [device.name for device in DEVICES]
    wanted = [
        [name, *(str(answer(load_profile(name), device)) for device in DEVICES)]
        for name in counted_profiles()
    ]
    assert rows == wanted


def test_the_page_holds_the_devices() -> None:
    """Rates, bandwidth, memory and source."""
    _, _, *rows = _rows('device')
    for device, row in zip(DEVICES, rows, strict=True):
        rates = [
            f'{device.rates[n]:g}' if n in device.rates else '' for n in ('bf16', 'fp8', 'int8')
        ]
        sizes = [f'{device.bandwidth_gbps:g}', f'{device.memory_gb:g}']
        assert row == [device.title, *rates, *sizes, device.source]


def test_json_names_every_mode() -> None:
    """Three ways of writing words in each precision, each with its stages."""
    result = CliRunner().invoke(app, ['budget', '--profile', 'nano', '--device', 'h100', '--json'])
    assert result.exit_code == 0
    (found,) = json.loads(result.output)
    assert found['holds_10_hz'] and (found['precision'], found['decoding']) == ('bf16', 'plain')
    assert len(found['modes']) == 9
    stages = found['modes'][0]['stages']
    assert [stage['name'] for stage in stages] == ['encode', 'prefill', 'denoise', 'plain']
    assert all(0 < stage['roofline_ms'] < stage['expected_ms'] for stage in stages)


def test_every_stage_is_shown() -> None:
    """The table of a device, and the answer below it."""
    result = CliRunner().invoke(app, ['budget', '--profile', 'nano', '--device', 'orin'])
    assert result.exit_code == 0
    assert all(name in result.output for name in ('encode', 'prefill', 'denoise', 'drafts 32'))
    assert result.output.rstrip().endswith('10 Hz: bf16, plain: 10 ms')


@pytest.mark.parametrize(
    'words', [('--device', 'h200'), ('--profile', 'nanno'), ('--words', '-1')]
)
def test_what_is_not_known_is_refused(words: tuple[str, str]) -> None:
    """Status 2, no traceback."""
    result = CliRunner().invoke(app, ['budget', *words])
    assert result.exit_code == 2
    assert 'Traceback' not in result.output


def test_the_page_holds_what_windows_save() -> None:
    """Of the largest R1 member, on the H100."""
    full, h100 = load_profile('alpamayo-7b'), DEVICES[1]
    parts = windowed(full)
    assert parts is not None and h100.name == 'h100'
    encode = [budget(p, h100, 'bf16').stages[0].expected_ms for p in (parts, full)]
    assert '{:.0f} ms instead of {:.0f} (H100, bf16)'.format(*encode) in PAGE
    assert f'7b answers `{answer(parts, h100)}` there' in PAGE
