"""``python -m alpamayo_ros.nodes.operating QUESTION``: what ``alpamayo arm`` and the like start.

QUESTION is JSON: ``verb``, ``patience_s`` and what the verb needs.  Exit status: that of the
answer; 6 where nobody answers; 130 after Ctrl-C.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from alpamayo_ros.nodes import loaded
from alpamayo_ros.nodes.common.interrupts import Interrupts
from alpamayo_ros.nodes.common.node import die_with_supervisor
from alpamayo_ros.nodes.operating import arming, capping, speaking, status, streams
from alpamayo_ros.nodes.operating.outsider import NoAnswer, Outsider

NOBODY, INTERRUPTED = 6, 130
NO_RECORDER = (
    'The graph runs without a recorder: start it with alpamayo up ... --incidents FOLDER.'
)
VERBS: dict[str, Any] = {
    'arm': lambda o: arming.ask(o, 'arm', 'trajectory/arm'),
    'disarm': lambda o: arming.ask(o, 'disarm', 'trajectory/disarm'),
    'rearm': lambda o: arming.ask(o, 'rearm', 'trajectory/rearm'),
    'incident': lambda o: arming.ask(o, 'incident', 'incident_recorder/write', NO_RECORDER),
    'cap': capping.cap,
    'navigate': speaking.navigate,
    'prompt': speaking.prompt,
    'status': status.status,
    'topics': streams.topics,
    'echo': streams.echo,
    'hz': streams.hz,
}


def main() -> int:
    """Ask, print the answer, end."""
    question = json.loads(sys.argv[1])
    verb, patience_s = question.pop('verb'), question.pop('patience_s')
    loaded()
    die_with_supervisor()
    with Interrupts(signal.SIGINT, signal.SIGTERM) as interrupts:
        try:
            with Outsider(patience_s) as outsider:
                return int(VERBS[verb](outsider, **question))
        except NoAnswer as error:
            print(f'alpamayo {verb}: {error}', file=sys.stderr)
            return NOBODY
        except BrokenPipeError:  # a reader such as head has enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except (KeyboardInterrupt, RuntimeError):
            if interrupts.came:
                return INTERRUPTED
            raise


if __name__ == '__main__':
    sys.exit(main())
