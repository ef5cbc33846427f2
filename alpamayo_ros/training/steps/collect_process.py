"""One shard of a collecting step in a process of its own.

``python -m alpamayo_ros.training.steps.collect_process RECIPE ROOT STEP INDEX``
"""

from __future__ import annotations

import sys
from pathlib import Path

from alpamayo_ros.statuses import ConfigError, Status
from alpamayo_ros.training.steps.recipe import Recipe
from alpamayo_ros.training.steps.run import Run


def main() -> None:
    """Entry point; what the machine or a file refuses is one sentence with its status."""
    recipe, root, step, index = sys.argv[1:5]
    file = Path(recipe)
    try:
        Run(Recipe.from_file(file), Path(root), file).collect_shard(step, int(index))
    except (ConfigError, OSError) as error:
        print(f'{step}-{index}: {error}', file=sys.stderr)
        sys.exit(error.status if isinstance(error, ConfigError) else Status.ENVIRONMENT)


if __name__ == '__main__':
    main()
