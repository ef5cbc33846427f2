"""What comes back from a run: small enough to carry, enough to go on and to judge.

``python -m alpamayo_ros.training.bundle.back ROOT OUT``
"""

from __future__ import annotations

import gzip
import os
import shutil
import sys
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from alpamayo_ros.training.stream.settings import HEADS

WEIGHTS = 'model.safetensors'
LOG_LINES = 200
EXACT = ('dit.mean', 'dit.std')


def bring(root: Path, out: Path) -> list[str]:
    """Copy weights (matrices as float16, as export rounds them), words, curve, drives and logs."""
    out.mkdir(parents=True, exist_ok=True)
    for name in (WEIGHTS, HEADS):
        if (root / name).is_file():
            save_file(_halved(load_file(root / name)), out / 'weights.partial')
            os.replace(out / 'weights.partial', out / name)
    for name in ('tokenizer.json', 'grammar.json', 'stream.done'):
        if (root / name).is_file():
            shutil.copyfile(root / name, out / name)
    for folder in sorted(root.glob('rank_*/')):  # beside them lie rank_*.pid
        _bring_rank(folder, out / folder.name)
    return sorted(str(p.relative_to(out)) for p in out.rglob('*') if p.is_file())


def _halved(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        k: v.half() if v.is_floating_point() and v.dim() > 1 and k not in EXACT else v
        for k, v in state.items()
    }


def _bring_rank(folder: Path, out: Path) -> None:
    out.mkdir(exist_ok=True)
    for name in ('curve.jsonl', 'settings.json'):
        if (folder / name).is_file():
            shutil.copyfile(folder / name, out / name)
    drives = b''.join(p.read_bytes() for p in sorted(folder.glob('drives_*.jsonl')))
    (out / 'drives.jsonl.gz').write_bytes(gzip.compress(drives))
    lines = [f'{p.name}: {line}' for p in sorted(folder.glob('*.log')) for line in _last(p)]
    (out / 'logs.txt').write_text(''.join(f'{line}\n' for line in lines))


def _last(log: Path) -> list[str]:
    return log.read_text(errors='replace').splitlines()[-LOG_LINES:]


def main() -> None:
    """Entry point."""
    found = bring(Path(sys.argv[1]), Path(sys.argv[2]))
    print(f'{sys.argv[2]}: {", ".join(found)}')


if __name__ == '__main__':
    main()
