"""A name or a word stays text in every page: no element and no attribute comes of it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import recorded
from summaries import replay, row, suite

from alpamayo_ros.recording.recording import EVENTS, Recording
from alpamayo_ros.reports import report_replay, report_suite
from alpamayo_ros.reports.pages import TEMPLATES, render

WITH_SCRIPT = ('clips.html.j2',)  # a page to write on; nothing is rendered into its script

EVIL = '"\'></script><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}<!--'


class Elements(HTMLParser):
    """What a browser would make of a page that is not the page's own."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        source = values.get('src') or ''
        if tag in ('script', 'iframe', 'object', 'embed') or source == 'x':
            self.wrong.append(tag)
        self.wrong += [f'{tag} {name}' for name in values if name.startswith('on')]
        links = (values.get('href') or '', source)
        self.wrong += [v for v in links if v.strip().lower().startswith('javascript')]

    def handle_comment(self, data: str) -> None:
        if 'alert' in data:
            self.wrong.append('comment')


def check(page: str, least: int) -> None:
    """Nothing of theirs became markup, and the words are there as often as they were put in."""
    assert Elements(page).wrong == []
    assert page.count('&lt;script&gt;alert(1)') >= least
    assert '}}' in page and '>49<' not in page  # no template in the template


def test_an_element_of_theirs_would_be_seen() -> None:
    assert Elements(f'<p>{EVIL}</p>').wrong == ['script', 'img', 'img onerror']


def test_values_are_escaped_and_only_plots_of_ours_are_markup() -> None:
    """Every template; what is marked safe is made by matplotlib under a label of this package."""
    marked = [
        name.strip()
        for path in sorted(TEMPLATES.glob('*.j2'))
        for name in re.findall(r'{{([^}|]*)\|\s*safe', path.read_text())
    ]
    assert set(marked) == {'plot', 'family_plot', 'timeline'}
    for path in TEMPLATES.glob('*.j2'):
        text = path.read_text()
        assert not re.search(r'autoescape\s+false|Markup', text), path.name
        scripts = re.findall(r'<script>(.*?)</script>', text, re.DOTALL)
        assert len(scripts) == text.count('<script') == (path.name in WITH_SCRIPT), path.name
        assert not any('{' + mark in script for script in scripts for mark in '{%'), path.name


def test_every_free_text_of_a_replay(tmp_path: Path) -> None:
    folder = recorded.write(tmp_path / 'recording', steps=12)
    words = (folder / EVENTS).read_text()
    told = EVIL.replace('"', '\\"')
    (folder / EVENTS).write_text(words.replace('I brake because', told))
    identity = {
        'bag': {'name': EVIL, 'sha256': EVIL},
        'rig': {'name': EVIL, 'sha256': EVIL},
        'model': {'profile': EVIL, 'runtime': EVIL, 'manifest_sha256': EVIL},
        'package': EVIL,
    }
    found = replay(identity=identity, sentence=EVIL, notes=(EVIL,), faults={EVIL: 1})
    check(report_replay.page(found, Recording(folder)), 5)


def test_every_free_text_of_a_suite() -> None:
    evil = row('cut_in_a', end=EVIL)
    planner = {'name': EVIL, 'manifest_sha256': EVIL}
    shown = report_suite.page(suite([evil], suite=EVIL, planner=planner), [])
    check(shown, 3)


def test_a_value_that_a_template_lacks_is_an_error_not_an_empty_place() -> None:
    try:
        render('report.html.j2')
    except Exception as error:  # noqa: BLE001 - jinja2's own class is not the point
        assert type(error).__name__ == 'UndefinedError'
    else:
        raise AssertionError('nothing was missed')
