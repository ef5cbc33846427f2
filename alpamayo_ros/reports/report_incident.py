"""incident.html: what happened, told once for a person; every text of a file is escaped."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass

from alpamayo_ros.incident.file import Incident, machine
from alpamayo_ros.incident.reproduce import Again, Tally, tally
from alpamayo_ros.incident.story import Change, Story
from alpamayo_ros.reports import pages, plots, plots_incident
from alpamayo_ros.units import counted

NAME = 'incident.html'
MOMENTS = 6
JPEG = b'\xff\xd8\xff'
PICTURE_BYTES = 4 << 20  # a larger one is left out of the page
RESTS_MPS = 0.05
DOUBT = ' Somebody else published health then, so it is not certain that the driver said this.'
UNITS = {
    'mps3': 'm/s³', 'mps2': 'm/s²', 'mps': 'm/s', '1pm': '1/m', 'rps': 'rad/s', 'rad': 'rad',
    'm': 'm', 's': 's',
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moment:
    """A picture with what was said and decided then; ``source`` '' where there is none."""

    at_s: float
    what: str
    source: str
    about: str
    words: dict[str, str]


def page(incident: Incident, again: Sequence[Again]) -> str:
    """The whole page; it stands alone."""
    story = Story(incident, again)
    counts = tally(again)
    drawn = []
    if again:
        drawn.append(plots_incident.timeline(story))
    if len(story.motion.rows) > 1:
        drawn += [plots_incident.path(story), plots_incident.speed(story)]
    apart = plots.svg_ids_apart(drawn)
    return pages.render(
        'incident.html.j2',
        title=f'Incident {incident.path.name}',
        about=incident.about.get('source', ''),
        verdict=verdict(story),
        colour='bad' if incident.events and incident.events[0].what != 'REQUEST' else 'warn',
        same=sentence(counts, incident),
        whole=counts.whole and not incident.unread,
        notes=notes(incident, counts),
        tiles=tiles(story),
        timeline=apart[0] if apart else '',
        plots=apart[1:],
        changes=story.changes,
        faults=story.faults,
        said=story.said[-MOMENTS:],
        rejections=[(r, unit(r.check)) for r in story.rejections],
        moments=moments(story),
        identity=identity(incident, counts),
    )


def verdict(story: Story) -> str:
    """What ended the driving, in one sentence, and what the car did then."""
    events = story.incident.events
    if not events:
        return 'The file does not say why it was written.'
    first = events[0]
    if first.what == 'REQUEST':
        return 'Written because a person asked for it.'
    before = next((c.before.name for c in story.changes if c.at_s >= -1e-6), '')
    left = f'{before} ended in {first.what}' if before else f'{first.what}'
    return f'{left}: {first.reason} {afterwards(story)}{DOUBT if first.doubted else ""}'


def afterwards(story: Story) -> str:
    """How the car came to rest, where it did."""
    motion = story.motion
    event = motion.at(0.0)
    if event is None:
        return ''
    after = motion.rows[motion.rows[:, 0] >= 0.0]
    at_rest = after[after[:, 3] <= RESTS_MPS]
    if event[2] <= RESTS_MPS:
        return 'The car stood.'
    if not len(at_rest):
        return f'The car drove {event[2]:.1f} m/s and did not stand by the end of the file.'
    at_s, x, y, _ = at_rest[0]
    away_m = math.hypot(x - event[0], y - event[1])
    return f'The car drove {event[2]:.1f} m/s and stood {at_s:.1f} s and {away_m:.1f} m later.'


def sentence(counts: Tally, incident: Incident) -> str:
    """Whether the decisions can be taken again."""
    taken = counts.same + counts.other
    if not taken:
        return 'No decision of the file can be taken again.'
    if counts.other:
        where = incident.about.get('machine', '')
        here = '' if where == machine() else f' It was recorded with {where}, this is {machine()}.'
        return f'{counts.other} of {taken} decisions are other than recorded.{here}'
    return f'All {taken} decisions, taken again here, have the recorded bytes.'


def notes(incident: Incident, counts: Tally) -> list[str]:
    """What is missing or damaged."""
    out = [] if incident.fault is None else [str(incident.fault)]
    if damage := incident.about.get('damage'):
        out.append(f'It was recovered; what lay behind the damage is lost: {damage[:300]}')
    if incident.unread:
        out.append(
            f'{counted(len(incident.unread), "record")} cannot be read: {incident.unread[0][:200]}'
        )
    if counts.unknown:
        out.append(
            f'{counts.unknown} decisions come before the first record of the state, or after one '
            'that is missing; they are shown as recorded.'
        )
    if counts.missing:
        out.append(
            f'{counts.missing} decisions between the first and the last are not in the file.'
        )
    if not incident.pictures:
        out.append('No picture of the mandatory camera is in the file.')
    return out


def tiles(story: Story) -> list[tuple[str, str]]:
    """The figures that matter first."""
    plans = [p for _, p in story.plans if p.source == 'model']
    before = [at_s for at_s, p in story.plans if p.source == 'model' and at_s <= 0.0]
    event = story.motion.at(0.0)
    last = [s for s in story.said if s.at_s <= 0.0]
    return [
        ('–' if event is None else f'{event[2]:.1f} m/s', 'speed at the event'),
        ('–' if not before else f'{-before[-1]:.2f} s', 'since the last plan of the model'),
        ('–' if not last else f'{last[-1].age_s:.2f} s', 'age of the words'),
        (str(len(plans)), 'plans of the model'),
        (str(len(story.plans) - len(plans)), 'plans to stop'),
        (str(sum(r.candidates for r in story.rejections)), 'rejections by a check'),
    ]


def moments(story: Story) -> list[Moment]:
    """A second before the event, each change of the state after that, and the end."""
    if not story.again:
        return []
    end_s = story.seconds(story.again[-1].record.health.stamp_ns)
    found = [(-1.0, 'A second before')]
    found += [(c.at_s, what(c)) for c in story.changes if -1e-6 <= c.at_s][: MOMENTS - 2]
    found.append((end_s, 'The end of the file'))
    start_s = story.seconds(story.again[0].record.health.stamp_ns)
    return [_moment(story, at_s, text) for at_s, text in found if at_s >= start_s]


def what(change: Change) -> str:
    """A change in three words."""
    return f'{change.before.name} → {change.after.name}'


def _moment(story: Story, at_s: float, text: str) -> Moment:
    seen = story.picture(at_s)
    said = [s for s in story.said if s.at_s <= at_s]
    about, source = '', ''
    if seen is None:
        about = 'No picture was there yet.'
    elif not seen[1].startswith(JPEG) or len(seen[1]) > PICTURE_BYTES:
        about = 'The picture is no JPEG that fits a page.'
    else:
        source = 'data:image/jpeg;base64,' + base64.b64encode(seen[1]).decode('ascii')
        about = f'The picture is {at_s - seen[0]:.2f} s old.'
    car = story.motion.at(at_s)
    about += '' if car is None else f' The car drives {car[2]:.1f} m/s.'
    return Moment(at_s, text, source, about, said[-1].parts if said else {})


def unit(check: str) -> str:
    """The unit that the name of a check ends in."""
    return UNITS.get(check.rpartition('_')[2], '')


def identity(incident: Incident, counts: Tally) -> list[tuple[str, str]]:
    """What the page is made of."""
    return [
        ('file', str(incident.path)),
        ('recorded with', incident.about.get('machine', 'unknown')),
        ('taken again with', machine()),
        ('decisions', f'{counts.same} the same, {counts.other} other, {counts.unknown} unknown'),
        ('pictures of', incident.about.get('camera', '')),
    ]
