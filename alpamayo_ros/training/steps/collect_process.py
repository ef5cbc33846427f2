"""One shard of a collecting step in a process of its own.

``python -m alpamayo_ros.training.steps.collect_process RECIPE ROOT STEP INDEX``
"""

from __future__ import annotations

import sys
from pathlib import Path

from alpamayo_ros.training.steps.recipe import Recipe
from alpamayo_ros.training.steps.run import Run


def main() -> None:
    """Entry point."""
    recipe, root, step, index = sys.argv[1:5]
    Run(Recipe.from_file(Path(recipe)), Path(root), Path(recipe)).collect_shard(step, int(index))


if __name__ == '__main__':
    main()
