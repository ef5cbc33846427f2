"""Checkpoints without pickle: tensors in safetensors, counters in JSON, written atomically."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from alpamayo_ros.bags.whole_file import write_whole
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.json_file import read_json

OPTIMISER, COUNTERS = 'optimiser.safetensors', 'counters.json'


def save_weights(path: Path, module: nn.Module, meta: dict[str, Any] | None = None) -> None:
    """Write a module's parameters and buffers to ``path`` (safetensors) atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {k: v.detach().contiguous() for k, v in module.state_dict().items()}
    _write(path, state, {k: json.dumps(v) for k, v in (meta or {}).items()})


def _write(path: Path, tensors: Mapping[str, Tensor], meta: dict[str, str] | None = None) -> None:
    """A file that is replaced whole; the OSError of a full disk says which file it was."""
    temporary = path.with_suffix('.partial')
    try:
        save_file(dict(tensors), temporary, meta)
        os.replace(temporary, path)
    except SafetensorError as error:  # its words for an OSError end with the number
        temporary.unlink(missing_ok=True)
        found = re.search(r'os error (\d+)', str(error))
        number = int(found[1]) if found else errno.EIO
        raise OSError(number, os.strerror(number), str(path)) from error


def load_weights(path: Path, module: nn.Module, strict: bool = True) -> None:
    """Read weights written by :func:`save_weights`.

    A missing or misshapen tensor is an error that names it.
    """
    module.load_state_dict(load_file(path), strict=strict)


def mismatches(path: Path, module: nn.Module) -> list[str]:
    """What of a weights file does not fit a module, a sentence each; unknown tensors last.

    SafetensorError where it is none.
    """
    wanted = {name: list(value.shape) for name, value in module.state_dict().items()}
    with safe_open(path, 'pt') as file:
        held = {name: list(file.get_slice(name).get_shape()) for name in file.keys()}
    found = []
    for name, shape in wanted.items():
        if name not in held:
            found.append(f'{name} is missing')
        elif held[name] != shape:
            found.append(f'{name} has the shape {held[name]}, expected {shape}')
    return found + [f'{name} is unknown' for name in held if name not in wanted]


def load_fitting(path: Path, module: nn.Module) -> None:
    """``load_weights`` where every tensor fits; ConfigError names the first that does not."""
    try:
        wrong = mismatches(path, module)
    except SafetensorError as error:
        raise ConfigError(f'{path} is damaged: {error}') from error
    if wrong:
        raise ConfigError(
            f"{path} holds another model than the profile's: {wrong[0]}; name the profile that "
            'it was trained with, or another --root'
        )
    load_weights(path, module)


def _read(path: Path) -> dict[str, Tensor]:
    """What :func:`_write` wrote; ConfigError where it is damaged."""
    try:
        return load_file(path)
    except SafetensorError as error:
        again = f'delete {path.parent / COUNTERS}: what it belongs to begins anew'
        raise ConfigError(f'{path} is damaged: {error}; {again}') from error


class Resumable:
    """Model, optimiser and counters of a running stage in one folder.

    :meth:`restore` goes on where it stopped.
    """

    def __init__(self, folder: Path, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        self.folder, self.model, self.optimiser = folder, model, optimiser

    def save(self, counters: dict[str, float]) -> None:
        """Write everything, the counters last: a torn write is never taken for a checkpoint."""
        save_weights(self.folder / 'resume.safetensors', self.model)
        flat: dict[str, Tensor] = {}
        for index, state in self.optimiser.state_dict()['state'].items():
            for key, value in state.items():
                flat[f'{index}.{key}'] = torch.as_tensor(value).contiguous()
        _write(self.folder / OPTIMISER, flat)
        write_whole(self.folder / COUNTERS, json.dumps(counters))

    def restore(self) -> dict[str, float] | None:
        """Load the newest checkpoint; None when the stage has not begun."""
        counters = self.folder / COUNTERS
        if not counters.is_file():
            return None
        load_fitting(self.folder / 'resume.safetensors', self.model)
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in _read(self.folder / OPTIMISER).items():
            index, _, name = key.partition('.')
            state.setdefault(int(index), {})[name] = value
        groups = self.optimiser.state_dict()['param_groups']
        self.optimiser.load_state_dict({'state': state, 'param_groups': groups})
        return read_json(counters)
