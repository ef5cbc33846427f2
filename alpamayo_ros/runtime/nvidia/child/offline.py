"""No connection leaves the vendor's process: it loads from folders and asks nobody."""

from __future__ import annotations

import os
import sys
from typing import Any

OFFLINE = {
    'HF_HUB_OFFLINE': '1',
    'TRANSFORMERS_OFFLINE': '1',
    'HF_DATASETS_OFFLINE': '1',
    'HF_HUB_DISABLE_TELEMETRY': '1',
}
ASKS = ('socket.getaddrinfo', 'socket.gethostbyname')
SENDS = ('socket.connect', 'socket.sendto', 'socket.bind')


def go_offline() -> None:
    """Set the libraries offline, and refuse internet addresses for as long as the process lives.

    An audit hook of the interpreter (PEP 578) cannot be taken out again.  It sees what Python's
    own ``socket`` does, which is all that the vendor's packages use; it is no sandbox.
    """
    os.environ.update(OFFLINE)
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """PermissionError for a name to look up, or an address that is no path."""
    outside = event in SENDS and isinstance(arguments[-1], tuple)
    if outside or event in ASKS:
        raise PermissionError(f'{event}: the process of a released model is offline')
