"""The folder of incidents: whole files or none, bounded, and nothing of others touched."""

import os
import signal
import subprocess
import sys
import time

import pytest
from shipped import limits

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.bags.disk_room import DiskRoom
from alpamayo_ros.bags.outline import about
from alpamayo_ros.bags.parts import Topic
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.incident.ring import Entry
from alpamayo_ros.incident.store import DOUBTED, DOUBTED_FILES, IncidentFolder, Keep

TEXT = Topic('/said', 'std_msgs/msg/String', 'string data')
HELLO = b'\0\1\0\0\6\0\0\0hello\0'
MANY = Keep(100, 1 << 30)


def entries(count=3):
    return [Entry(TEXT, '', i, 10 + i, HELLO) for i in range(count)]


def folder(path, keep=MANY, free=lambda _: 1 << 60):
    return IncidentFolder(path, keep, DiskRoom(path, limits(), free))


def name(second=0, what='FALLBACK'):
    return f'incident_20260102T0304{second:02}Z_{what}'


def names(path):
    return sorted(p.name for p in path.iterdir())


def test_a_file_is_a_whole_bag_that_says_what_it_is(tmp_path):
    path = folder(tmp_path / 'new').write(name(), entries(), {'origin': 'incident'}, 'name: x\n')
    assert path.name == 'incident_20260102T030400Z_FALLBACK.mcap'
    reader = BagReader(path)
    assert [m.message.data for m in reader] == ['hello'] * 3 and reader.fault is None
    assert reader.unchecked == 0 and about(path)['origin'] == 'incident'
    assert path.with_suffix('.rig.yaml').read_text() == 'name: x\n'
    assert len(names(path.parent)) == 2


def test_the_oldest_go_when_there_are_too_many(tmp_path):
    kept = folder(tmp_path, Keep(3, 1 << 30))
    for second in range(6):
        kept.write(name(second), entries(), {}, '')
    assert [p.name[22:24] for p in kept.files] == ['03', '04', '05']
    assert len(names(tmp_path)) == 6


def test_the_oldest_go_when_they_are_too_large(tmp_path):
    one = folder(tmp_path / 'a').write(name(), entries(), {}, '').stat().st_size
    kept = folder(tmp_path / 'b', Keep(100, 4 * one + 10))
    for second in range(9):
        kept.write(name(second), entries(), {}, '')
    assert len(kept.files) == 4
    assert sum(p.stat().st_size for p in kept.files) <= 4 * one + 10


def test_files_of_one_second_are_told_apart_and_go_in_order(tmp_path):
    kept = folder(tmp_path, Keep(11, 1 << 30))
    for _ in range(12):
        kept.write(name(), entries(), {}, '')
    assert [p.stem.split('_')[3:] for p in kept.files] == [[str(i)] for i in range(2, 13)]


def test_what_has_another_name_or_is_a_link_stays(tmp_path):
    (tmp_path / 'incident_report.mcap').write_text('mine')
    (tmp_path / 'drive.mcap').write_text('mine')
    (tmp_path / 'drive.mcap.part').write_text('mine')
    (tmp_path / 'elsewhere').write_text('mine')
    (tmp_path / f'{name(1)}.mcap').symlink_to(tmp_path / 'elsewhere')
    kept = folder(tmp_path, Keep(1, 1 << 30))
    for second in range(3):
        kept.write(name(second), entries(), {}, '')
    assert (tmp_path / 'elsewhere').read_text() == 'mine'
    assert (tmp_path / f'{name(1)}.mcap').is_symlink()
    for other in ('incident_report.mcap', 'drive.mcap', 'drive.mcap.part'):
        assert (tmp_path / other).read_text() == 'mine'


@pytest.mark.parametrize('what', ['../../x', 'a b', '', 'FALL/BACK'])
def test_a_name_that_is_none_is_refused(tmp_path, what):
    with pytest.raises((ValueError, OSError)):
        folder(tmp_path).write(f'incident_20260102T030400Z_{what}', entries(), {}, '')
    assert names(tmp_path) == []


def test_a_full_disk_writes_nothing_and_costs_no_older_file(tmp_path):
    bound = limits().disk_bytes
    room = [bound * 9]
    kept = folder(tmp_path, Keep(1, 1 << 30), lambda _: room[0])
    first = kept.write(name(0), entries(), {}, '')
    room[0] = bound + 10  # enough as it is, not with the file
    found = kept.write(name(1), entries(), {}, '')
    assert isinstance(found, Fault) and found.code is Code.DISK_FULL
    assert kept.fault.code is Code.DISK_FULL and kept.files == [first]
    room[0] = bound * 9
    assert kept.write(name(2), entries(), {}, '').exists()


def test_little_room_is_a_warning(tmp_path):
    few = limits().disk_bytes + (limits().disk_warn_bytes - limits().disk_bytes) / 2
    kept = folder(tmp_path, MANY, lambda _: few)
    assert kept.write(name(), entries(), {}, '').exists()
    assert kept.fault.code is Code.DISK_WARN


def test_a_disk_that_fills_up_meanwhile_leaves_nothing(tmp_path):
    answers = iter([1 << 60, 1 << 60, 1 << 60, 0])
    kept = folder(tmp_path, MANY, lambda _: next(answers, 0))
    large = [Entry(TEXT, '', 0, 0, bytes(17 << 20))] * 2
    found = kept.write(name(), large, {}, '')
    assert found.code is Code.DISK_FULL and names(tmp_path) == []


def test_a_disk_that_takes_nothing_leaves_nothing(tmp_path):
    kept = folder(tmp_path)
    (tmp_path / f'{name()}.mcap.part').mkdir()
    found = kept.write(name(), entries(), {}, '')
    assert found.code is Code.DISK_FULL and kept.files == []


WRITER = """
import sys
from pathlib import Path
from alpamayo_ros.bags.disk_room import DiskRoom
from alpamayo_ros.bags.parts import Topic
from alpamayo_ros.incident.ring import Entry
from alpamayo_ros.incident.store import IncidentFolder, Keep
from alpamayo_ros.limits import load_limits
import time
folder = Path(sys.argv[1])
kept = IncidentFolder(folder, Keep(9, 1 << 30), DiskRoom(folder, load_limits()))
topic = Topic('/said', 'std_msgs/msg/String', 'string data')
kept.write('incident_20260102T030400Z_FAULT', [Entry(topic, '', 0, 0, b'1234')], {}, '')
class Slow(list):
    sized = False
    def __iter__(self):
        if not self.sized:
            self.sized = True
            return
        for _ in range(3):
            yield Entry(topic, '', 0, 0, bytes(2 << 20))
        print('half', flush=True)
        time.sleep(600)
kept.write('incident_20260102T030401Z_FAULT', Slow(), {}, '')
"""


def test_a_process_killed_while_writing_leaves_no_half_file_under_the_name(tmp_path):
    command = [sys.executable, '-c', WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == 'half\n'
        os.kill(process.pid, signal.SIGKILL)
    whole = tmp_path / 'incident_20260102T030400Z_FAULT.mcap'
    part = tmp_path / 'incident_20260102T030401Z_FAULT.mcap.part'
    assert part.stat().st_size > 1 << 20
    kept = folder(tmp_path)
    assert kept.files == [whole] and not part.exists()
    assert len(names(tmp_path)) == 2


def test_what_another_recorder_of_the_folder_writes_now_is_left_alone(tmp_path):
    def told():
        """Half of it is written when the other starts, and writes one of the same second."""
        yield entries()[0]
        (tmp_path / f'{name()}.rig.yaml').write_text('first')
        assert folder(tmp_path).write(name(), entries(), {}, '').stem == f'{name()}_2'
        yield entries()[1]

    class Slow(list):
        def __iter__(self):
            return iter([]) if self.pop() else told()

    first = folder(tmp_path).write(name(), Slow([False, True]), {}, 'first')
    assert first.name == f'{name()}.mcap' and len(list(BagReader(first))) == 2
    assert names(tmp_path) == [
        f'{name()}.mcap', f'{name()}.rig.yaml', f'{name()}_2.mcap', f'{name()}_2.rig.yaml',
    ]  # fmt: skip


def test_a_rig_whose_bag_is_gone_goes_too(tmp_path):
    (tmp_path / f'{name()}.rig.yaml').write_text('x')
    folder(tmp_path)
    assert names(tmp_path) == []


def test_a_stamp_of_the_machine_does_not_matter(tmp_path):
    kept = folder(tmp_path, Keep(2, 1 << 30))
    for second in range(3):
        path = kept.write(name(second), entries(), {}, '')
        os.utime(path, (time.time() - second * 1000,) * 2)
    assert [p.name[22:24] for p in kept.files] == ['01', '02']


def seconds(kept, doubted):
    """Second in the name of each file of that kind."""
    return [p.name[22:24] for p in kept.files if (DOUBTED in p.name) is doubted]


def test_files_in_doubt_are_few_and_never_push_out_another(tmp_path):
    size = folder(tmp_path / 'a').write(name(), entries(), {}, '').stat().st_size
    kept = folder(tmp_path / 'b', Keep(3, 3 * size))
    for second in range(3):
        kept.write(name(second), entries(), {}, '')
    for second in range(10, 30):
        assert kept.write(name(second, DOUBTED), entries(), {}, 'name: x').exists()
        assert seconds(kept, False) == ['00', '01', '02']
    assert seconds(kept, True) == ['27', '28', '29'] and DOUBTED_FILES == 3
    assert len(names(kept.folder)) == 12
    kept.write(name(30), entries(), {}, '')
    assert (seconds(kept, False), seconds(kept, True)) == (['01', '02', '30'], ['27', '28', '29'])
