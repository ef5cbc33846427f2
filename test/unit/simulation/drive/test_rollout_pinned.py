"""The four scenarios drive and look as they did when nano was measured on them.

Stored figures: commit e9d52e1, before the suite's scenario engine was built.  The seeds decide a
drive on every machine, but its last bits belong to the processor, hence tolerances; the same bytes
are asked for where a machine is compared with itself (test_simulation_rollout).
"""

import copy

import pinned
import pytest

DRIVES, PICTURES = pinned.stored('drives'), pinned.stored('pictures')


def drives(found: object, name: str) -> list[str]:
    return list(pinned.differences(found, DRIVES[name], pinned.DRIVE_TOLERANCE))


def looks(found: object, name: str) -> list[str]:
    return list(pinned.differences(found, PICTURES[name], pinned.PICTURE_TOLERANCE))


@pytest.mark.parametrize('parts', pinned.DRIVES, ids=pinned.key)
def test_a_drive_is_what_it_was(parts: tuple[str, int, str]) -> None:
    assert drives(pinned.drive(*parts), pinned.key(parts)) == []


@pytest.mark.parametrize('parts', pinned.PICTURES, ids=pinned.key)
def test_pictures_are_what_they_were(parts: tuple[str, int]) -> None:
    pytest.importorskip('moderngl')
    assert looks(pinned.pictures(*parts), pinned.key(parts)) == []


@pytest.mark.parametrize('name', DRIVES)
def test_a_drive_that_changed_is_found(name: str) -> None:
    assert drives(DRIVES[name], name) == []
    for change in (
        lambda d: d['path'][-1].__setitem__(0, d['path'][-1][0] + 0.003),
        lambda d: d['path'][5].__setitem__(2, float('nan')),
        lambda d: d['path'].pop(),
        lambda d: d['row'].update(stops=d['row']['stops'] + 1),
        lambda d: d['row'].update(left_lane=not d['row']['left_lane']),
        lambda d: d['row'].update(distance_m=d['row']['distance_m'] - 0.003),
        lambda d: d['row'].update(end='elsewhere'),
        lambda d: d['row'].pop('score'),
    ):
        changed = copy.deepcopy(DRIVES[name])
        change(changed)
        assert len(drives(changed, name)) == 1


def test_a_picture_that_changed_is_found() -> None:
    """A cone of 2 x 4 pixels, and another tint of one camera."""
    image = pinned.np.full((64, 112, 3), 120, pinned.np.uint8)
    coned = image.copy()
    coned[40:44, 60:62] = (255, 120, 0)
    before, after = pinned.cell_means(image), pinned.cell_means(coned)
    assert list(pinned.differences(after, before, pinned.PICTURE_TOLERANCE))
    tinted = copy.deepcopy(PICTURES['town_drive-3'])
    tinted['rear'] = [x + 0.6 for x in tinted['rear']]
    assert len(looks(tinted, 'town_drive-3')) == len(tinted['rear'])
