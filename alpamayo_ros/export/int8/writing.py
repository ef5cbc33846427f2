"""A model folder with stages in INT8: the float model's text, other graphs, no weights file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from alpamayo_ros.export.int8.graph import STAGES
from alpamayo_ros.export.sealing import CARD, seal
from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.file_gate import data_file
from alpamayo_ros.runtime.manifest import Manifest, ModelFiles
from alpamayo_ros.runtime.registry import GRAPHS, TEXT_FILES

Figures = Mapping[str, str | float]


def write_int8(
    files: ModelFiles,
    profile: ModelProfile,
    graphs: Mapping[str, bytes],
    outcomes: Mapping[str, Figures],
    folder: Path,
    golden: bool,
) -> Manifest | Fault:
    """Write the folder; ``outcomes``: by stage what was measured, kept in the manifest.

    A graph that stays in float keeps the weights beside it.  The weights file is left out: the
    torch runtime would give the float model's answer, which is not the golden one.  ``golden``
    False leaves that out too: where float sums are rounded otherwise some codes are others, and
    plans on the made-up picture move by decimetres.
    """
    given = files.manifest
    dtypes = dict.fromkeys(TEXT_FILES, '') | {e.name: e.dtype for e in given.files}
    beside = [data_file(name) for name in GRAPHS if name not in graphs]
    kept = *GRAPHS, *(name for name in beside if name in files.data), *TEXT_FILES
    dtypes = {name: dtypes[name] for name in kept} | dict.fromkeys(graphs, 'int8')
    for name in dtypes:
        data = graphs.get(name) or files.get(name)
        if isinstance(data, Fault):
            return data
        (folder / name).write_bytes(data)
    (folder / CARD).write_text(card(files, outcomes))
    training = {**given.training, 'int8': json.dumps(outcomes), 'int8_of': files.sha256}
    version = f'{given.version}+int8'
    return seal(folder, profile, version, given.release, training, dtypes, golden=golden)


def card(files: ModelFiles, outcomes: Mapping[str, Figures]) -> str:
    """What this folder is and what was measured, above the card of the float model."""
    columns = list(dict.fromkeys(key for figures in outcomes.values() for key in figures))
    lines = [
        f'# {files.manifest.profile} {files.manifest.version} with stages in INT8',
        f'Made by `alpamayo model quantise` from the model with manifest {files.sha256[:16]}: '
        'products of these stages in INT8 (symmetric Q/DQ), all else as it was. Figures are of '
        'cycles that were not calibrated on, beside the float model; `mean_m` and `end_m` are '
        'distances of waypoints (mean) and end points (95 %), `words` the share of equal tokens, '
        '`time` the CPU time of the stage by that in float on the machine that made this.',
        '',
        f'| stage | {" | ".join(columns)} |',
        f'| --- |{" --- |" * len(columns)}',
    ]
    for stage in STAGES:
        if stage in outcomes:
            cells = [str(outcomes[stage].get(key, '')) for key in columns]
            lines.append(f'| {stage} | {" | ".join(cells)} |')
    original = files.data.get(CARD, b'').decode('utf-8', 'replace')
    return '\n'.join([*lines, '', 'Figures below are of the float model.', '', original])
