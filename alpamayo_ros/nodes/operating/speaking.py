"""Say to the running driver where to go, or how a passenger would like it to drive."""

from __future__ import annotations

import sys

from std_msgs.msg import String

from alpamayo_ros.msg import DrivingPrompt, NavInstruction
from alpamayo_ros.nodes.operating.outsider import Outsider

BRIEF_S = 2.0  # for what was said before, which is latched


def navigate(outsider: Outsider, text: str, wanted: list[str]) -> int:
    """Say ``text``; 0 once the planner is told one of ``wanted``, the wordings that it may get."""
    told = _say(outsider, 'nav_text', 'nav', text, wanted)
    return _report('navigate', 'nav', told, wanted[0])


def prompt(outsider: Outsider, text: str) -> int:
    """Say ``text``, cleaned already; '' takes the last one back."""
    told = _say(outsider, 'prompt_text', 'prompt', text, [text])
    return _report(
        'prompt', 'prompt', told, text, 'The card says what its model obeys: alpamayo model card'
    )


def _say(
    outsider: Outsider, topic: str, answer: str, text: str, wanted: list[str]
) -> NavInstruction | DrivingPrompt | None:
    """The answer of the navigation node with one of the texts ``wanted``; None: not in time."""
    heard: list[NavInstruction | DrivingPrompt] = []
    outsider.subscribe(answer, heard.append)
    outsider.until(lambda: heard, min(BRIEF_S, outsider.patience_s))
    before = heard[-1:]
    heard.clear()
    outsider.tell(topic, String(data=text))

    def found() -> list[NavInstruction | DrivingPrompt]:
        return [message for message in heard if message.text in wanted]

    if before and before[0].text in wanted:  # in force already: it may not be said again
        outsider.until(found, min(BRIEF_S, outsider.patience_s))
        return (found() or before)[-1]
    outsider.until(found)
    return found()[-1] if found() else None


def _report(
    verb: str,
    answer: str,
    told: NavInstruction | DrivingPrompt | None,
    wanted: str,
    more: str = '',
) -> int:
    if told is None:
        print(
            f'{verb}: the planner was not told {wanted!r} in time; something else may have been '
            f'said since (a route, the simulator, a person): alpamayo echo {answer} shows it',
            file=sys.stderr,
        )
        return 1
    said = f'the planner is told {told.text!r}' if told.text else 'what was said before is void'
    faults = f' ({", ".join(told.faults)})' if told.faults else ''
    print('. '.join(filter(None, (f'{verb}: {said}{faults}', more if told.text else ''))))
    return 0
