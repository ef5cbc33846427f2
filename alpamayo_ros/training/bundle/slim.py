"""A small libsumo: libraries that no drive calls become empty ones, and symbols are stripped.

SUMO's wheel brings 90 MB of viewer, GDAL and their like, of which a simulation without a window
uses nothing.  Their functions return 0 in a bundle.  Needs gcc, readelf and strip.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

SYSTEM = frozenset((
    'libdl.so.2', 'libpthread.so.0', 'librt.so.1', 'libstdc++.so.6', 'libm.so.6', 'libgcc_s.so.1',
    'libc.so.6', 'libz.so.1', 'ld-linux-x86-64.so.2', 'libexpat.so.1',
))  # fmt: skip
KEPT = ('libxerces-c', 'libproj', 'libsqlite3', 'libFOX', 'libjupedsim')
ABSENT = (b'libX11.so.6', b'libXext.so.6', b'libXrender.so.1', b'libGL.so.1')
STUB = '.text\n{symbols}xorl %eax,%eax\nret\n.skip 4096\n.section .note.GNU-stack,"",@progbits\n'


def slim(site: Path) -> None:
    """Shrink ``site/libsumo`` with its ``site/libsumo.libs`` in place."""
    main, libs = site / 'libsumo' / '_libsumo.so', site / 'libsumo.libs'
    for file in (main, *libs.iterdir()):
        _rename_absent(file)
    kept, stubs = _sort_out(main, libs)
    symbols = _missing(kept)
    for file in set(libs.iterdir()) - set(kept):
        file.unlink()
    for name in stubs:  # the first holds every symbol, the others none
        _stub(libs / name, symbols if name == stubs[0] else [])
    _tool(['strip', '--strip-unneeded', *map(str, kept)])


def _rename_absent(file: Path) -> None:
    """Libraries of a screen get names that nothing has, so that stubs take their place."""
    data = file.read_bytes()
    for name in ABSENT:
        data = data.replace(b'\0' + name + b'\0', b'\0' + name[:-1] + b'x\0')
    file.write_bytes(data)


def _sort_out(main: Path, libs: Path) -> tuple[list[Path], list[str]]:
    """Libraries that are kept, ``main`` the first, and names of those that become stubs."""
    kept, stubs, seen = [main], set[str](), set[str]()
    for file in kept:  # grows while it is walked
        for name in _needed(file):
            if name in SYSTEM or name in seen:
                continue
            seen.add(name)
            if name.startswith(KEPT):
                kept.append(libs / name)
            else:
                stubs.add(name)
    return kept, sorted(stubs)


def _needed(file: Path) -> list[str]:
    return re.findall(r'NEEDED.*\[(.*)\]', _tool(['readelf', '-d', str(file)]))


def _missing(kept: list[Path]) -> list[str]:
    """Symbols that the kept libraries want and neither they nor the system have."""
    wanted, there = set[str](), set[str]()
    for file in (*kept, *_system_files()):
        found = _symbols(file)
        there |= found[1]
        wanted |= found[0] if file in kept else set()
    return sorted(wanted - there)


def _system_files() -> list[Path]:
    lines = _tool(['ldconfig', '-p']).splitlines()
    pairs = (line.split(' => ') for line in lines if ' => ' in line and 'x86-64' in line)
    return [Path(path) for name, path in pairs if name.split()[0] in SYSTEM]


def _symbols(file: Path) -> tuple[set[str], set[str]]:
    """Names that a library wants, weak ones left out, and those it defines."""
    wanted, there = set(), set()
    for line in _tool(['readelf', '--dyn-syms', '-W', str(file)]).splitlines():
        parts = line.split()
        if len(parts) < 8 or not parts[0].endswith(':'):
            continue
        name = parts[7].partition('@')[0]
        if parts[6] != 'UND':
            there.add(name)
        elif parts[4] != 'WEAK':
            wanted.add(name)
    return wanted, there


def _stub(file: Path, symbols: list[str]) -> None:
    lines = ''.join(f'.globl "{s}"\n.type "{s}",@function\n"{s}":\n' for s in symbols)
    source = file.with_suffix('.s')
    source.write_text(STUB.format(symbols=lines))
    _tool(
        ['gcc', '-shared', '-nostdlib', f'-Wl,-soname,{file.name}', '-o', str(file), str(source)]
    )
    source.unlink()


def _tool(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
