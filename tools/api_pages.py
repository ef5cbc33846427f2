"""Pages of the public modules, from their docstrings: ``./run docs`` writes build/api."""

from __future__ import annotations

import sys
from pathlib import Path

import pdoc

# A library's user needs neither the nodes nor the command line; torch stays unloaded.
LEFT_OUT = 'cli|nodes|msg|training|export|model|viewer|model_process'
MODULES = ('alpamayo_ros', f'!alpamayo_ros\\.({LEFT_OUT})(\\.|$)')


def write(folder: Path, modules: tuple[str, ...] = MODULES) -> None:
    """One page a module, and an index with a search."""
    pdoc.render.configure(docformat='markdown', footer_text='alpamayo_ros')
    pdoc.pdoc(*modules, output_directory=folder)


if __name__ == '__main__':
    write(Path(sys.argv[1]))
