"""Pages of the public modules, from their docstrings: ``./run docs`` writes build/api."""

from __future__ import annotations

import pkgutil
import sys
from pathlib import Path

import pdoc

import alpamayo_ros

# A library's user needs neither the nodes nor the command line; torch stays unloaded.
LEFT_OUT = {
    'bridges', 'cli', 'export', 'model', 'model_process', 'msg', 'nodes', 'training', 'viewer',
}  # fmt: skip


def modules() -> list[str]:
    """Every public module by name, those too that a package's ``__all__`` does not list."""
    found = ['alpamayo_ros']
    for top in pkgutil.iter_modules(alpamayo_ros.__path__, 'alpamayo_ros.'):
        if top.name.split('.')[1] not in LEFT_OUT and not top.name.endswith('__main__'):
            found.append(top.name)
            folder = [str(Path(alpamayo_ros.__path__[0]) / top.name.split('.')[1])]
            found += [m.name for m in pkgutil.walk_packages(folder, f'{top.name}.')]
    return [name for name in found if name != 'alpamayo_ros.runtime.torch_runtime']


def write(folder: Path, names: list[str]) -> None:
    """One page a module, and an index with a search."""
    pdoc.render.configure(docformat='markdown', footer_text='alpamayo_ros')
    pdoc.pdoc(*names, output_directory=folder)


if __name__ == '__main__':
    write(Path(sys.argv[1]), modules())
