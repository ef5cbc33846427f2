"""A headless Chromium, spoken to over its debugging pipe; no driver and no library is needed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
# WebGL without a GPU: ANGLE on SwiftShader, which is part of Chromium
FLAGS = ['--headless=new', '--no-sandbox', '--disable-dev-shm-usage', '--use-gl=angle']
FLAGS += ['--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--no-first-run']
FLAGS += ['--disable-background-networking', '--remote-debugging-pipe']
# whatever is not on this machine does not exist: a page that needs the internet is found out
FLAGS += ['--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1']


def program() -> str:
    """Chromium, or a skip that says how to get it."""
    found = next((path for name in NAMES if (path := shutil.which(name))), '')
    if not found:
        pytest.skip('no Chromium here: sudo apt-get install chromium (Debian)')
    return found


class Page:
    """One open page."""

    def __init__(self, send: int, receive: int) -> None:
        self._send, self._receive = send, receive
        self._buffer, self._number, self._session = b'', 0, ''
        self.events: list[dict[str, Any]] = []

    def open(self, url: str) -> None:
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        found = self.call('Target.attachToTarget', targetId=target, flatten=True)
        self._session = found['sessionId']
        for domain in ('Network', 'Page', 'Runtime', 'Log'):
            self.call(f'{domain}.enable')
        self.call('Page.navigate', url=url)
        end_s = time.monotonic() + 30
        while not any(e.get('method') == 'Page.loadEventFired' for e in self.events):
            self.events.append(self._next(end_s))

    def call(self, method: str, timeout_s: float = 30.0, **params: object) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {'id': self._number, 'method': method, 'params': params}
        if self._session:
            message['sessionId'] = self._session
        os.write(self._send, json.dumps(message).encode() + b'\0')
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            answer = self._next(end_s)
            if answer.get('id') == self._number:
                assert 'error' not in answer, answer
                return dict(answer['result'])
            self.events.append(answer)
        raise TimeoutError(method)

    def _next(self, end_s: float) -> dict[str, Any]:
        import select

        while b'\0' not in self._buffer:
            if not select.select([self._receive], [], [], max(0.0, end_s - time.monotonic()))[0]:
                raise TimeoutError('the browser says nothing')
            part = os.read(self._receive, 1 << 16)
            if not part:
                raise EOFError('the browser ended')
            self._buffer += part
        one, _, self._buffer = self._buffer.partition(b'\0')
        return dict(json.loads(one))

    def evaluate(self, script: str) -> Any:
        found = self.call('Runtime.evaluate', expression=script, returnByValue=True)
        return found['result'].get('value')

    def screenshot(self, path: Path | None = None) -> np.ndarray:
        """RGB."""
        data = base64.b64decode(self.call('Page.captureScreenshot', format='png')['data'])
        if path is not None:
            path.write_bytes(data)
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))

    def key(self, name: str, code: int) -> None:
        """Press and release a key."""
        for kind in ('keyDown', 'keyUp'):
            self.call('Input.dispatchKeyEvent', type=kind, key=name, code=name,
                      windowsVirtualKeyCode=code)  # fmt: skip

    @property
    def requested(self) -> list[str]:
        """Addresses that the page asked for."""
        events = (e for e in self.events if e.get('method') == 'Network.requestWillBeSent')
        return [event['params']['request']['url'] for event in events]


@contextmanager
def browser(folder: Path, width: int = 1280, height: int = 800) -> Iterator[Page]:
    """A page of that size; ``folder``: for the browser's own files."""
    to_it, from_us = os.pipe()
    from_it, to_us = os.pipe()
    command = [program(), *FLAGS, f'--window-size={width},{height}', f'--user-data-dir={folder}']

    def wire() -> None:
        # Chromium reads 3 and writes 4; both ends may be among them, so first out of the way
        ends = os.dup(to_it), os.dup(to_us)
        os.dup2(ends[0], 3)
        os.dup2(ends[1], 4)

    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=wire,
        pass_fds=(3, 4, to_it, to_us),
        start_new_session=True,
    )
    os.close(to_it)
    os.close(to_us)
    page = Page(from_us, from_it)
    try:
        yield page
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(from_us)
        os.close(from_it)
