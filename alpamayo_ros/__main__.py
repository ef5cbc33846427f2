"""``python -m alpamayo_ros`` and the console script: Ctrl-C ends quietly from the first import."""

from __future__ import annotations

import sys


def main() -> None:
    """The command line; until it is imported there is nothing to interrupt but the import."""
    try:
        from alpamayo_ros.cli.main import main as command

        command()
    except KeyboardInterrupt:
        from alpamayo_ros.statuses import Status

        sys.exit(Status.INTERRUPTED)


if __name__ == '__main__':
    main()
