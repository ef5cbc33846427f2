"""Entry of the vendor's process, run by its path: its interpreter need not know this package.

``INTERPRETER -I -B launch.py SOCKET_FD MEMORY_FD PARENT_PID``; the folder of this package is not
put on ``sys.path``, so none of its requirements can stand in front of the vendor's.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PACKAGE = 'alpamayo_ros'


def run(sock_fd: int, memory_fd: int, parent: int) -> int:
    """Die with ``parent``, make this package importable by name, serve; the exit status."""
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it hangs up
    folder = Path(__file__).resolve().parents[3]
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / '__init__.py', submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    from alpamayo_ros.runtime.nvidia.child.serve import serve

    return serve(sock_fd, memory_fd)


if __name__ == '__main__':
    sys.exit(run(*map(int, sys.argv[1:4])))
