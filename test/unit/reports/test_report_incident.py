"""The page of an incident: the event first, everything told, escaped, and honest about gaps."""

import re
from dataclasses import replace
from pathlib import Path

import incidents
import pytest
from browser import browser

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.incident import decision_record, file
from alpamayo_ros.incident.reproduce import reproduce
from alpamayo_ros.incident.trigger import Event
from alpamayo_ros.reports.report_incident import page

EVIL = '<script>alert(1)</script><img src=x onerror=alert(2)>"\'{{7*7}}\u202e'


@pytest.fixture(scope='module')
def incident(tmp_path_factory):
    return file.read(incidents.write(tmp_path_factory.mktemp('incidents')))


def shown(incident):
    return page(incident, list(reproduce(incident.records)))


@pytest.fixture(scope='module')
def html(incident):
    return shown(incident)


def text(html):
    plain = re.sub(r'(?s)<style>.*?</style>|<svg.*?</svg>|<[^>]+>', ' ', html)
    return re.sub(r'\s+', ' ', plain)


def test_the_event_comes_first(html):
    verdict = re.search(r'<div class="verdict bad">(.*?)</div>', html).group(1)
    assert verdict.startswith('DEGRADED ended in FALLBACK: CAM_MANDATORY_LOST')
    assert 'silent_s=0.31' in verdict and 'The car drove 7' in verdict


def test_it_tells_when_seen_said_planned_refused(html):
    said = text(html)
    assert said.index('When') < said.index('Seen') < said.index('Said') < said.index('Planned')
    assert 'All 30 decisions, taken again here, have the recorded bytes.' in said
    assert 'slow down' in said and 'drive on' in said and '0.00 s old' in said
    assert 'DEGRADED → FALLBACK' in said and 'A second before' in said
    assert html.count('<svg') == 3 and html.count('data:image/jpeg') >= 3
    assert re.search(r'_<wbr>m</code></th><td>\d+</td><td>\d+</td><td>-\d', html)


def test_it_stands_alone(html):
    assert not re.search(r'(?:src|href)="(?!data:|#)', html)
    assert 'url(http' not in html


def test_another_decision_is_said_first(incident):
    moved = replace(incident.records[4].health, reason='nothing happened')
    records = [*incident.records]
    records[4] = replace(records[4], health=moved)
    said = text(shown(replace(incident, records=records)))
    assert '1 of 30 decisions are other than recorded.' in said and 'not reproduced' in said
    other = replace(incident, records=records, about={**incident.about, 'machine': 'another'})
    assert 'It was recorded with another, this is' in text(shown(other))


def test_what_is_missing_is_said(incident):
    bare = replace(incident, pictures=[], records=incident.records[4:], unread=['x'],
                   fault=Fault(Code.BAG_BROKEN, 'cut off'))  # fmt: skip
    said = text(shown(bare))
    assert 'No decision of the file can be taken again.' in said
    assert 'No picture of the mandatory camera' in said and '1 record cannot be read' in said
    assert 'BAG_BROKEN' in said and 'No picture was there yet' in said


def test_an_empty_file_has_a_page(incident):
    said = text(shown(replace(incident, records=[], pictures=[], events=())))
    assert 'The file does not say why it was written.' in said
    assert 'The state did not change.' in said and 'The model said nothing.' in said


def test_one_that_a_person_asked_for(incident):
    asked = Event('REQUEST', 0, 1_500_000_000, 'a person asked for it')
    assert 'Written because a person asked for it.' in text(
        shown(replace(incident, events=(asked,)))
    )


def test_what_somebody_else_may_have_said_is_said_to_be_in_doubt(incident):
    words = 'it is not certain that the driver said this'
    doubted = replace(incident.events[0], doubted=True)
    assert words in text(shown(replace(incident, events=(doubted,))))
    assert words not in text(shown(incident))


def test_hostile_texts_are_text(incident):
    loop = incidents.drive()
    loop.words = f'perception: {EVIL}\nintent: {EVIL}'
    fault = Fault(Code.CAM_MANDATORY_LOST, EVIL, {'source': EVIL})
    loop.run(3)
    loop.run(5, False, faults=(fault,))
    records = [decision_record.read(t) for t in loop.texts]
    records[5] = replace(records[5], health=replace(records[5].health, reason=EVIL))
    bad = replace(
        incident, path=Path(f'{EVIL}.mcap'.replace('/', '')), records=records,
        events=(replace(incident.events[0], what=EVIL, reason=EVIL),),
        about={name: EVIL for name in incident.about}, unread=[EVIL],
        pictures=[(0, EVIL.encode()), (100_000_000, b'\xff\xd8\xff' + EVIL.encode())],
        fault=Fault(Code.BAG_BROKEN, EVIL),
    )  # fmt: skip
    html = shown(bad)
    assert '<script' not in html and '<img src=x' not in html and 'onerror=alert(2)&gt;' in html
    assert '49' not in re.findall(r'\{\{7\*7\}\}|\b49\b', html)


@pytest.mark.slow
@pytest.mark.parametrize(('width', 'scheme'), [(1280, 'light'), (390, 'dark')])
def test_it_fits_the_screen(html, tmp_path, width, scheme):
    (tmp_path / 'incident.html').write_text(html, encoding='utf-8')
    with browser(tmp_path / 'profile') as view:
        view.open((tmp_path / 'incident.html').as_uri())
        features = [{'name': 'prefers-color-scheme', 'value': scheme}]
        view.call('Emulation.setEmulatedMedia', features=features)
        view.call(
            'Emulation.setDeviceMetricsOverride', width=width, height=900, deviceScaleFactor=1,
            mobile=False,
        )  # fmt: skip
        assert view.evaluate('document.documentElement.scrollWidth') <= width
        colour = view.evaluate('getComputedStyle(document.body).backgroundColor')
        assert (colour == 'rgb(255, 255, 255)') == (scheme == 'light')
        broken = '[...document.images].filter(i => i.complete && !i.naturalWidth).length'
        assert view.evaluate(broken) == 0
