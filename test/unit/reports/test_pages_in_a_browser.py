"""Pages as a browser lays them out: on paper, on a phone, and with words that have no end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import recorded
from browser import Page, browser
from summaries import replay, row, rows, suite

from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports import report_replay, report_suite

PAPER_PX = 680  # A4 between its margins
LONG = 'Äußerst_lange_名前_' + 'unterbrechungsfrei' * 12
FITS = 'document.documentElement.scrollWidth <= innerWidth'
CUT = "[...document.querySelectorAll('.scroll')].filter(s => s.scrollWidth > s.clientWidth + 1)"


@pytest.fixture(scope='module')
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp('drive') / 'runs' / 'crossing_pedestrian_a_1'
    return Recording(recorded.write(folder, steps=60))


@pytest.fixture(scope='module')
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp('browser')) as found:
        found.open('about:blank')
        yield found


def show(page: Page, file: Path, html: str, width: int, media: str = 'screen') -> None:
    file.write_text(html, encoding='utf-8')
    page.call('Emulation.setEmulatedMedia', media=media)
    page.call(
        'Emulation.setDeviceMetricsOverride',
        width=width,
        height=900,
        deviceScaleFactor=1,
        mobile=width < 600,
    )
    page.call('Page.navigate', url=file.as_uri())
    state = f"location.href === '{file.as_uri()}' && document.readyState"
    while page.evaluate(state) != 'complete':
        pass


def style(page: Page, selector: str, name: str) -> str:
    return str(page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).{name}"))


def test_a_printed_suite_has_all_its_columns_and_colours(
    page: Page, recording: Recording, tmp_path: Path
) -> None:
    html = report_suite.page(suite(), [(rows()[1], recording)])
    show(page, tmp_path / 'suite.html', html, PAPER_PX, 'print')
    assert page.evaluate(f'{CUT}.length') == 0
    assert page.evaluate(FITS)
    for selector in ('.swatch', '.tag', '.verdict'):
        assert style(page, selector, 'printColorAdjust') == 'exact', selector
    assert style(page, '.drives fieldset', 'display') == 'none'  # nothing to choose on paper
    assert style(page, 'h3', 'breakAfter') == 'avoid'  # a heading stays with what it heads
    assert style(page, 'figure', 'breakInside') == 'avoid'


@pytest.mark.parametrize('width', [1280, 400])
def test_a_word_without_end_widens_no_page(
    page: Page, recording: Recording, tmp_path: Path, width: int
) -> None:
    identity = {
        'bag': {'name': f'{LONG}.mcap', 'sha256': 'cd' * 32},
        'rig': {'name': LONG},
        'model': {'profile': LONG, 'runtime': 'onnx', 'manifest_sha256': 'ab' * 32},
    }
    told = {'sentence': f'{LONG} ended it.', 'notes': (LONG,), 'lacks': (f'no `{LONG}`', LONG)}
    show(page, tmp_path / 'replay.html', report_replay.page(replay(identity=identity, **told),
         recording), width)  # fmt: skip
    assert page.evaluate(FITS)
    planner = {'name': LONG, 'manifest_sha256': 'ab' * 32}
    found = suite([row(f'{LONG}_a')], planner=planner, suite=f'{LONG}.yaml')
    show(page, tmp_path / 'suite.html', report_suite.page(found, []), width)
    assert page.evaluate(FITS)
