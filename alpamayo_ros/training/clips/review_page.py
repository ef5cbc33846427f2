"""A page to review clips: pictures, words, truth and verdict, and what a person makes of them.

The page is one file without a server: its button saves ``corrections.json``, which ``alpamayo data
review --apply`` reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from alpamayo_ros.film import canvas
from alpamayo_ros.palette import PLAN, TRUTH
from alpamayo_ros.reports import pages
from alpamayo_ros.sensing.projection import on_ground, project
from alpamayo_ros.sensing.rig import RigCamera
from alpamayo_ros.training.clips import storage
from alpamayo_ros.training.clips.clip import Note, Pose
from alpamayo_ros.training.clips.corrections import FORMAT
from alpamayo_ros.training.clips.figures import done_by, fitting, wrong_facts
from alpamayo_ros.training.clips.pictures import decoded
from alpamayo_ros.training.clips.recorded_clip import StoredClip
from alpamayo_ros.units import NS, counted

AHEAD_PX, AROUND_PX = 560, 186  # widths of the picture ahead, and of each of the others
COLOURS = {'drop': 'bad', 'escalate': 'warn', 'keep': 'good', '': 'warn'}
UNJUDGED = 'not judged yet'
Image = UInt8[np.ndarray, 'h w 3']


@dataclass(frozen=True, slots=True)
class Shown:
    """One instant as the page has it; pictures are data URLs, '' where there is none."""

    t0_ns: int
    time_s: float
    speed_mps: float
    instruction: str
    words: str
    ahead: str
    around: str
    truth: list[tuple[str, str]]
    differs: str


@dataclass(frozen=True, slots=True)
class ShownClip:
    """One clip as the page has it; ``unseen``: instants with wrong words that it leaves out."""

    name: str
    meta: storage.Meta
    verdict: str
    colour: str
    by: str
    reasons: tuple[str, ...]
    figures: list[tuple[str, str]]
    instants: list[Shown]
    unseen: int


def page(clips: Sequence[StoredClip], title: str, every_s: float, left_out: int = 0) -> str:
    """The whole page; ``left_out``: clips that were not asked for."""
    shown = [_clip(clip, every_s) for clip in clips]
    counts = Counter(one.verdict or UNJUDGED for one in shown)
    said = ', '.join(f'{n} {verdict}' for verdict, n in counts.most_common())
    worst = next((v for v in ('drop', 'escalate', '', 'keep') if counts[v or UNJUDGED]), 'keep')
    return pages.render(
        'clips.html.j2',
        title=title,
        verdict=f'{counted(len(shown), "clip")}: {said}',
        colour=COLOURS[worst],
        clips=shown,
        left_out=counted(left_out, 'more clip') if left_out else '',
        verdicts=('keep', 'escalate', 'drop'),
        corrections=FORMAT,
    )


def _clip(clip: StoredClip, every_s: float) -> ShownClip:
    found, meta = clip.annotation, storage.read_meta(clip.folder)
    rows = [(name, pages.figure(value)) for name, value in found.figures.items()]
    verdict, by = found.verdict, found.by
    shown = _instants(clip, every_s)
    unseen = {n.t0_ns for n in found.notes if _differs(n)} - {one.t0_ns for one in shown}
    return ShownClip(
        clip.name,
        meta,
        verdict,
        COLOURS[verdict],
        by,
        found.reasons,
        rows,
        shown,
        len(unseen),
    )


def _instants(clip: StoredClip, every_s: float) -> list[Shown]:
    """An instant every so often, and the first at which words and path or truth differ most."""
    notes = {note.t0_ns: note for note in clip.notes}
    begin_ns, due_ns = storage.read_meta(clip.folder).begin_ns, 0
    wrong = {t0 for t0, note in notes.items() if _differs(note)}
    extra = {min(wrong)} if wrong else set()
    out = []
    for found in clip.pictures():
        note = notes.get(found.stamp_ns)
        due = found.stamp_ns - begin_ns >= due_ns
        if note is None or not (due or found.stamp_ns in extra):
            continue
        due_ns += round(every_s * NS) if due else 0
        images = decoded(found, clip.rig)
        out.append(_shown(note, images, clip, (found.stamp_ns - begin_ns) / NS))
    return out


def _shown(note: Note, images: dict[str, Image], clip: StoredClip, time_s: float) -> Shown:
    names = [camera.name for camera in clip.rig.cameras if camera.name in images]
    ahead = ''
    if names:
        picture = _with_paths(images[names[0]], clip.rig.camera(names[0]), note)
        ahead = pages.data_url(picture, AHEAD_PX)
    others = [canvas.resized(images[name], AROUND_PX) for name in names[1:]]
    return Shown(
        note.t0_ns,
        time_s,
        note.speed_mps,
        note.instruction + (f'; asked: {note.prompt}' if note.prompt else ''),
        note.words,
        ahead,
        pages.data_url(_row(others)) if others else '',
        _truth(note),
        _differs(note),
    )


def _row(pictures: list[Image]) -> Image:
    """Pictures side by side, as high as the lowest."""
    least = min(len(one) for one in pictures)
    return np.hstack([one[:least] for one in pictures])


def _with_paths(image: Image, camera: RigCamera, note: Note) -> Image:
    """The driven path, and the plan where there is one, on the ground ahead."""
    out = np.ascontiguousarray(image)
    for poses, colour, width in ((note.trajectory, TRUTH, 4), (note.plan, PLAN, 2)):
        points = _pixels(poses, camera)
        if len(points) > 1:
            canvas.polyline(out, points, colour, width)
    return out


def _pixels(poses: tuple[Pose, ...], camera: RigCamera) -> np.ndarray:
    xy = np.array(poses, float).reshape(-1, 3)[:, :2]
    pixels, seen = project(camera, on_ground(xy))
    return np.clip(pixels[seen], -1e4, 1e4)


def _truth(note: Note) -> list[tuple[str, str]]:
    """What is true of the instant, in words."""
    rows = []
    for name, values in (note.facts or {}).items():
        unseen = ', '.join((note.hidden or {}).get(name, ()))
        more = f' (no picture shows: {unseen})' if unseen else ''
        rows.append((name, (', '.join(values) or 'none') + more))
    done = done_by(note)
    rows.append(('path', ', '.join(sorted(done)) if done else 'not known'))
    if note.cause is not None:
        hidden = ', which no picture shows' if note.cause.hidden else ''
        rows.append(('binds', f'{note.cause.name} ({note.cause.effect_m:.1f} m){hidden}'))
    return rows


def _differs(note: Note) -> str:
    """What speaks against the words, '' where nothing does."""
    if not note.words:
        return ''
    against = [name.replace('_', ' ') for name, fit in fitting(note).items() if fit == 0.0]
    false, unsaid = wrong_facts(note)
    found = (('not driven', against), ('not so', false), ('not said', unsaid))
    return '; '.join(f'{what}: {", ".join(names)}' for what, names in found if names)
