"""Arm, disarm, re-arm and ask for an incident by the services of the nodes."""

from __future__ import annotations

import sys
from typing import Any

from std_srvs.srv import Trigger

from alpamayo_ros.graph_spec import NAMESPACE
from alpamayo_ros.nodes.operating.outsider import NoAnswer, Outsider, nobody

AGAIN_S = (
    2.0  # an answer is lost where only the question's way is matched yet; all of them may repeat
)


def ask(outsider: Outsider, verb: str, service: str, hint: str = '') -> int:
    """Call a service such as ``trajectory/arm``; 0 when done, 1 when refused.

    Asked again until an answer comes: a second time changes nothing.  ``hint``: what to look at
    where nobody offers it in a graph that runs.
    """
    name = f'{NAMESPACE}/{service}'
    client: Any = outsider.node.create_client(Trigger, name)
    if not outsider.until(client.service_is_ready):
        names = list(outsider.topics())
        runs = any(topic.startswith(f'{NAMESPACE}/') for topic in names)
        next_ = hint if hint and runs else nobody(names)
        raise NoAnswer(f'nobody answers {name} in {outsider.patience_s:g} s. {next_}')
    calls = []
    for _ in range(max(1, round(outsider.patience_s / AGAIN_S))):
        calls.append(client.call_async(Trigger.Request()))
        if outsider.until(lambda: any(call.done() for call in calls), AGAIN_S):
            break
    done = [call.result() for call in calls if call.done()]
    if not done:
        raise NoAnswer(f'{name} is there and gave no answer in {outsider.patience_s:g} s')
    answer = done[0]
    out = sys.stdout if answer.success else sys.stderr
    print(f'{verb}: {"" if answer.success else "refused; "}{answer.message}', file=out)
    return 0 if answer.success else 1
