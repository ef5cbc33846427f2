"""Our networks behind a whole prompt beside NVIDIA's class, both from one checkpoint on disk.

``PYTHON own_parity.py HOME OUT`` in the vendor's interpreter, HOME as in ``released/tiny.py``;
the figures are written to OUT as JSON, for the test to judge.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / 'released')]
import parity  # noqa: E402
import toy  # noqa: E402

ROUTES = ('', 'Turn left in 40m')
WEIGHTS = (1.0, 1.5, 0.0)
MOST = 24  # words
ENDS = 4  # of the cut text: instead of this word the other ends, after 3 to 6 words


def settings(folder: Path, home: Path) -> Any:
    """Two cameras with four pictures each, tiny networks."""
    from alpamayo_ros.model.released.sizes import TINY

    asked = parity.settings(folder, home)
    sizes = replace(TINY, tower=replace(TINY.tower, rows=10, columns=18))
    shape = {'views': parity.VIEWS[1:3], 'max_words': MOST, 'speed': 'odometry'}
    return replace(asked, **shape, sizes=asdict(sizes))


def checkpoint(home: Path, folder: Path, ends_after: int | None) -> None:
    """NVIDIA's class with the numbers of ``toy``, as a checkpoint and its language model."""
    import tiny
    import torch

    (folder / 'vlm').mkdir(parents=True)
    tiny.make_vlm(home / 'qwen.tiktoken', folder / 'vlm')
    from alpamayo1_5.models.alpamayo1_5 import Alpamayo1_5

    model = Alpamayo1_5(tiny.config(folder / 'vlm')).eval()
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            tensor.copy_(torch.from_numpy(toy.weight(name, tuple(tensor.shape), ends_after)))
    tiny.save(model, folder / 'checkpoint')


def compared(asked: Any) -> dict[str, Any]:
    """Both sides through encode, reason and denoise; the largest differences."""
    from alpamayo_ros.runtime.nvidia.child import load, own

    images = np.random.default_rng(1).integers(0, 256, (2, 4, 2, 320, 576, 3), np.uint8)
    images[1, 1:] = images[0, :3]
    noise = np.random.default_rng(3).standard_normal((asked.candidates, 64, 3), np.float32)
    poses, found = toy.poses()[::-1].copy(), {}
    for weight in WEIGHTS:
        told = replace(asked, guidance=weight)
        theirs, ours = load.load(told), own.load(told)
        for route in ROUTES:
            for cycle, shown in enumerate(images):
                new = [engine.encode(shown) for engine in (theirs, ours)]
                said = [engine.reason(poses, 8.0, route, 0) for engine in (theirs, ours)]
                plans = [engine.denoise(noise) for engine in (theirs, ours)]
                count = len(said[1]['token_ids'])
                found[f'{weight:g} {route} {cycle}'] = {
                    'new': new,
                    'ids_equal': said[0]['token_ids'][:count] == said[1]['token_ids'],
                    'text_equal': said[0]['text'] == said[1]['text'],
                    'truncated': [each['truncated'] for each in said],
                    'words': count,
                    'ids': said[1]['token_ids'],
                    'far': float(np.abs(plans[0] - plans[1]).max()),
                    'ends': plans[0][:, -1, :2].tolist(),
                }
    return found


def main(home: Path, out: Path) -> None:
    """A text that its budget cuts, and one that ends by itself."""
    parity._modules()
    import torch

    torch.set_num_threads(1)
    sys.path.insert(0, str(home / 'alpamayo1.5/src'))
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        for case in ('cut', 'ended'):
            folder = Path(name) / case
            words = found['cut']['1  0']['ids'] if case == 'ended' else None
            checkpoint(home, folder, words[ENDS] if words else None)
            found[case] = compared(settings(folder, home))
    out.write_text(json.dumps(found, indent=1) + '\n')


if __name__ == '__main__':
    main(Path(sys.argv[1]), Path(sys.argv[2]))
