"""Pages of the public modules, from their docstrings: ``./run docs`` writes build/api."""

from __future__ import annotations

import gc
import pkgutil
import sys
import warnings
from pathlib import Path

import pdoc

import alpamayo_ros

# A library's user needs neither the nodes nor the command line; torch stays unloaded.
LEFT_OUT = {
    'bridges', 'cli', 'export', 'model', 'model_process', 'msg', 'nodes', 'training', 'viewer',
}  # fmt: skip
LIBRARIES = 'alpamayo_ros_s__'  # compiled messages beside the modules
# A package brings its modules along, those too that are listed; and an annotation of a field that
# a dataclass inherits from another module stands as it is written, without a link.
EXPECTED = ('The module specification', 'Error parsing type annotation')


def modules() -> list[str]:
    """Every public module by name, those too that a package's ``__all__`` does not list."""
    found = ['alpamayo_ros']
    for top in pkgutil.iter_modules(alpamayo_ros.__path__, 'alpamayo_ros.'):
        name = top.name.split('.')[1]
        if name not in LEFT_OUT and name != '__main__' and not name.startswith(LIBRARIES):
            found.append(top.name)
            folder = [str(Path(alpamayo_ros.__path__[0]) / name)]
            found += [m.name for m in pkgutil.walk_packages(folder, f'{top.name}.')]
    return [name for name in found if name != 'alpamayo_ros.runtime.torch_runtime']


def write(folder: Path, names: list[str], source: bool = True) -> None:
    """One page a module, and an index with a search; without ``source`` in half the time."""
    for name in alpamayo_ros.__all__:  # pdoc reads a module's names and not its __getattr__
        vars(alpamayo_ros)[name] = getattr(alpamayo_ros, name)
    pdoc.render.configure(docformat='markdown', footer_text='alpamayo_ros', show_source=source)
    with warnings.catch_warnings():
        for expected in EXPECTED:
            warnings.filterwarnings('ignore', expected)
        pdoc.pdoc(*names, output_directory=folder)


if __name__ == '__main__':
    gc.disable()  # pdoc keeps every syntax tree: a third of the time went into searching them
    write(Path(sys.argv[1]), modules(), source='--no-source' not in sys.argv)
