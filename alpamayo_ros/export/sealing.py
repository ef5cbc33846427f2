"""The end of writing a model folder: manifest, golden answer, manifest with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.golden import GOLDEN, write_golden
from alpamayo_ros.runtime.manifest import Manifest, write_manifest

CARD = 'card.md'


def seal(
    folder: Path, profile: ModelProfile, version: str, release: int,
    training: Mapping[str, Any], dtypes: Mapping[str, str],
    progress: Callable[[str], None] = lambda name: None, golden: bool = True,
) -> Manifest | Fault:  # fmt: skip
    """Hash the files of ``dtypes`` (and a card), ask the graphs for the golden answer, list it.

    ``golden`` False: none, where no other machine could repeat it.
    """
    found = dict(dtypes)
    if (folder / CARD).is_file():
        found[CARD] = ''
    manifest = write_manifest(folder, profile, version, release, training, found)
    if not golden:
        return manifest
    progress(GOLDEN)
    fault = write_golden(folder, profile)
    if fault is not None:
        return fault
    return write_manifest(folder, profile, version, release, training, {**found, GOLDEN: ''})
