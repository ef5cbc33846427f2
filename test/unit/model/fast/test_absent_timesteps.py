"""Timesteps that were never kept, or are stale, are absent: in first cycles, after gaps."""

from __future__ import annotations

import pytest

torch = pytest.importorskip('torch', reason='the training extra (torch) is not installed')

from alpamayo_ros.model.fast.check import vary  # noqa: E402
from alpamayo_ros.model.fast.cycle import Cycle, Passes  # noqa: E402
from alpamayo_ros.model.fast.given import Given  # noqa: E402
from alpamayo_ros.model.fast.made_up import MadeUpDrive, Seen, drawn  # noqa: E402
from alpamayo_ros.model.fast.plain import Plain  # noqa: E402
from alpamayo_ros.model.fast.scene import Scene  # noqa: E402
from alpamayo_ros.model.tiny import tiny  # noqa: E402
from alpamayo_ros.profile import load_profile  # noqa: E402
from alpamayo_ros.units import MS  # noqa: E402

MIXED, KEPT = 'alpamayo-0.5b', 'alpamayo-1.5-10b'  # where time is mixed, where keys are kept
WORDS, WAY = 6, Passes(3, 6)
# Waits before a cycle [s] and the timesteps that it then sees, newest first; cycles at 10 Hz.
COURSE = [
    (0.0, '1--'), (0.0, '1--'), (0.0, '1--'),  # all three have number 0
    (0.2, '1-1'),  # number 2: no picture was taken in number 1
    (0.0, '1-1'),
    (1.0, '1--'),
    (0.0, '11-'),
]  # fmt: skip


def made(name: str) -> tuple[Cycle, MadeUpDrive]:
    torch.set_num_threads(1)
    profile = tiny(load_profile(name))
    two = profile.diffusion.model_copy(update={'sample_steps': 2})
    model = drawn(profile.model_copy(update={'diffusion': two}), 'cpu', torch.float32)
    vary(model)
    cycle = Cycle(model, WORDS, [WAY])
    return cycle, MadeUpDrive(cycle)


def there(cycle: Cycle) -> str:
    return ''.join('1' if seen else '-' for seen in cycle.scene.present.tolist())


@torch.no_grad()
def apart_m(cycle: Cycle, seen: Seen) -> float:
    """Plans of a cycle and of the modules; what is absent is not in their sequence."""
    told = Plain(cycle.model, cycle.given, WORDS)(seen.images, seen.cameras, cycle.given)
    return float((cycle.plans - told.plans).abs().max())


@pytest.mark.parametrize('name', [MIXED, KEPT])
def test_plans_of_first_cycles_and_after_gaps_are_those_of_the_modules(name: str) -> None:
    """With those timesteps absent, and not with what their pages hold from before."""
    cycle, drive = made(name)
    more = '-' * (cycle.model.profile.frames.count - 3)
    cycle.read_text()
    before = ''
    for wait_s, wanted in COURSE:
        drive.wait(wait_s)
        seen = drive.next()
        found = cycle.run()
        assert there(cycle) == wanted + more
        if wanted != before:
            before = wanted
            assert found.count == WORDS and apart_m(cycle, seen) < 1e-4


@pytest.mark.parametrize('name', [MIXED, KEPT])
def test_stale_pages_would_be_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above fails by far where every page is seen, whatever it holds."""
    monkeypatch.setattr(Scene, '_look', lambda self, given: self.present.fill_(True))
    cycle, drive = made(name)
    drive.fill()
    drive.wait(1.0)
    seen = drive.next()
    cycle.run()
    assert apart_m(cycle, seen) > 0.01


def test_what_a_page_was_to_hold_is_not_what_it_holds() -> None:
    """A cycle that was given up kept nothing; keys behind another text are no keys."""
    cycle, drive = made(KEPT)
    cycle.read_text()
    for _ in range(3):
        drive.next()
        cycle.run()
    drive.next()  # at 0.3 s; given up
    drive.wait(0.1)
    drive.next()
    assert cycle.host.stamps_ns.tolist() == [500 * MS, 300 * MS, 0]
    cycle.run()
    assert there(cycle) == '1-1'
    cycle.read_text()
    cycle.run()
    assert there(cycle) == '1--'


def test_nothing_is_seen_that_was_not_asked_for() -> None:
    """Inputs of which only page, pictures and noise were written."""
    cycle, drive = made(KEPT)
    drive.fill()
    drive.next()
    assert cycle.host.stamps_ns.min() >= 0
    cycle.host.stamps_ns.copy_(Given.empty(cycle.model.profile, 'cpu').stamps_ns)
    cycle.run()
    assert there(cycle) == '1--'
