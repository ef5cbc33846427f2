"""``alpamayo view`` in a headless Chromium: the page loads, connects, draws, and calls nobody."""

import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from browser import Page, browser, program
from recorded import write

from alpamayo_ros import palette
from alpamayo_ros.viewer import packages

pytestmark = pytest.mark.processes

SKY = np.array([40, 120, 200])  # of the recorded pictures
PLAN = np.array(palette.PLAN)


@pytest.fixture(scope='module')
def rerun():
    try:
        packages.binary()
    except packages.MissingError as error:
        pytest.skip(str(error))


def free() -> int:
    """A port that is free, and so is the next one."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return min(int(probe.getsockname()[1]), 65000)


@contextmanager
def view(words: list[str]) -> Iterator[tuple[subprocess.Popen, str]]:
    """``alpamayo view`` and the address that it prints."""
    command = [sys.executable, '-u', '-m', 'alpamayo_ros.cli.main', 'view', *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith('http://127.0.0.1:'), url + process.communicate(timeout=500)[1]
        yield process, url
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=500)


def near(image: np.ndarray, colour: np.ndarray) -> int:
    """Pixels that are about ``colour``."""
    return int((np.abs(image.astype(int) - colour).max(axis=-1) < 25).sum())


def until(page: Page, colours: list[tuple[np.ndarray, int]], timeout_s: float) -> np.ndarray:
    """The page once enough of it has each colour."""
    end_s = time.monotonic() + timeout_s
    while True:
        image = page.screenshot()
        if all(near(image, colour) >= least for colour, least in colours):
            return image
        found = [near(image, colour) for colour, _ in colours]
        assert time.monotonic() < end_s, f'the page shows {found} pixels of {colours}'
        time.sleep(0.5)


@pytest.mark.slow
def test_the_page_shows_pictures_and_plan_and_calls_nobody(rerun: None, tmp_path: Path):
    program()
    folder, port = write(tmp_path / 'recording', steps=20), free()
    with view([str(folder), '--no-browser', '--port', str(port)]) as (process, url):
        with browser(tmp_path / 'chromium') as page:
            page.open(f'{url}&renderer=webgl')
            image = until(page, [(SKY, 20_000), (PLAN, 300)], 90)
            names = page.evaluate('[...document.querySelectorAll("canvas")].length')
            blocked = {
                e['params']['requestId']
                for e in page.events
                if e.get('method') == 'Network.loadingFailed'
                and e['params'].get('blockedReason') == 'csp'
            }
            asked = {
                e['params']['requestId']: e['params']['request']['url']
                for e in page.events
                if e.get('method') == 'Network.requestWillBeSent'
            }
        process.send_signal(signal.SIGINT)
        assert process.wait(500) == 0
    assert names >= 1 and image.std() > 20
    assert any(f':{port + 1}/' in address for address in asked.values()), 'no data connection'
    away = [u for i, u in asked.items() if '//127.0.0.1:' not in u and i not in blocked]
    assert [u for u in away if not u.startswith(('data:', 'blob:'))] == []
    assert packages.silent(), 'the viewer would report its use to its makers'
    for ended in (port, port + 1):
        with socket.socket() as probe:
            assert probe.connect_ex(('127.0.0.1', ended)) != 0, 'still served after Ctrl-C'


@pytest.mark.slow
def test_only_this_machine_is_served(rerun: None, tmp_path: Path):
    folder, port = write(tmp_path / 'recording', steps=3), free()
    with view([str(folder), '--no-browser', '--port', str(port)]):
        table = Path('/proc/net/tcp').read_text().splitlines()[1:]
        rows = [line.split() for line in table]
        listening = [row[1].split(':') for row in rows if row[3] == '0A']
        ours = {address for address, at in listening if int(at, 16) in (port, port + 1)}
    assert ours == {'0100007F'}  # 127.0.0.1


@pytest.mark.slow
@pytest.mark.parametrize('how', [signal.SIGTERM, signal.SIGKILL])
def test_no_server_is_left_behind(rerun: None, tmp_path: Path, how: signal.Signals):
    folder, port = write(tmp_path / 'recording', steps=30), free()
    with view([str(folder), '--no-browser', '--port', str(port)]) as (process, _):
        process.send_signal(how)  # while the drive is still being sent
        assert process.wait(500) in (0, 130, -how)
        end_s = time.monotonic() + 10
        while time.monotonic() < end_s:
            with socket.socket() as probe:
                if probe.connect_ex(('127.0.0.1', port + 1)) != 0:
                    return
            time.sleep(0.1)
    raise AssertionError('the server of the data is still there')


@pytest.mark.slow
def test_a_file_is_written_whole(rerun: None, tmp_path: Path):
    folder = write(tmp_path / 'recording', steps=10)
    out = tmp_path / 'drive.rrd'
    command = [sys.executable, '-m', 'alpamayo_ros.cli.main', 'view', str(folder)]
    done = subprocess.run([*command, '--save', str(out)], capture_output=True, timeout=500)
    assert done.returncode == 0, done.stderr
    checked = subprocess.run(
        [str(packages.binary()), 'rrd', 'verify', str(out)], capture_output=True, timeout=500
    )
    assert checked.returncode == 0, checked.stderr
    stats = subprocess.run(
        [str(packages.binary()), 'rrd', 'print', str(out)],
        capture_output=True,
        text=True,
        timeout=500,
    ).stdout
    with view([str(out), '--no-browser', '--port', str(free())]):
        pass  # a file is served as well
    for entity in ('/camera/front', '/camera/rear', '/above/plan', '/words', '/speed/driven'):
        assert entity in stats


@pytest.mark.slow
def test_a_full_disk_ends_it_and_leaves_the_old_file(rerun: None, tmp_path: Path):
    """It waited for ever, deaf to Ctrl-C, over the ruins of the old file."""
    folder, out = write(tmp_path / 'recording', steps=10), tmp_path / 'old.rrd'
    out.write_text('old')
    command = [sys.executable, '-m', 'alpamayo_ros.cli.main', 'view', str(folder)]
    done = subprocess.run(
        [*command, '--save', str(out)],
        capture_output=True,
        text=True,
        timeout=500,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
    )
    assert done.returncode == 6 and 'old.rrd cannot be written' in done.stderr, done.stderr
    assert out.read_text() == 'old' and not list(tmp_path.glob('*.part'))


def test_libsumo_does_not_warn_of_the_viewer(rerun: None):
    pytest.importorskip('libsumo')
    done = subprocess.run(
        [sys.executable, '-c', 'import libsumo'], capture_output=True, text=True, timeout=500
    )
    assert done.stdout == ''
