"""What is said to a driver and what is told of it, without a graph."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from alpamayo_ros.nodes.operating import speaking

pytestmark = pytest.mark.ros


class Outsider:
    """A graph whose navigation node answers with ``answers``, after ``before`` that is latched."""

    patience_s = 1.0

    def __init__(self, before: list[Any], answers: list[Any]) -> None:
        self._before, self._answers, self.said = before, answers, []

    def subscribe(self, topic: str, heard: Callable[[Any], None]) -> None:
        self.heard = heard
        for message in self._before:
            heard(message)

    def tell(self, topic: str, message: Any) -> None:
        self.said.append((topic, message.data))
        for answer in self._answers:
            self.heard(answer)

    def until(self, holds: Callable[[], object], patience_s: float = 1.0) -> bool:
        return bool(holds())


def told(text: str, *faults: str) -> Any:
    return SimpleNamespace(text=text, faults=list(faults))


LEFT = ['turn left onto Elm Street', 'turn left']


def test_an_instruction_is_done_once_the_planner_is_told(capsys: pytest.CaptureFixture[str]):
    graph = Outsider([told('follow the road')], [told('go straight'), told(LEFT[0])])
    assert speaking.navigate(graph, 'left onto Elm Street', LEFT) == 0
    assert graph.said == [('nav_text', 'left onto Elm Street')]
    assert capsys.readouterr().out == "navigate: the planner is told 'turn left onto Elm Street'\n"


def test_a_street_that_the_map_lacks_is_named_as_left_out(capsys: pytest.CaptureFixture[str]):
    assert speaking.navigate(Outsider([], [told(LEFT[1], 'NAV_STREET')]), LEFT[0], LEFT) == 0
    assert "told 'turn left' (NAV_STREET)" in capsys.readouterr().out


def test_what_holds_already_need_not_be_said_again():
    assert speaking.navigate(Outsider([told(LEFT[0])], []), LEFT[0], LEFT) == 0


@pytest.mark.parametrize(
    ('ask', 'topic'),
    [(lambda o: speaking.navigate(o, 'left', LEFT), 'nav'),
     (lambda o: speaking.prompt(o, 'slow down'), 'prompt')],
)  # fmt: skip
def test_what_is_not_told_ends_with_1_and_says_where_to_look(
    ask: Any, topic: str, capsys: pytest.CaptureFixture[str]
):
    assert ask(Outsider([], [told('something else')])) == 1
    assert f'alpamayo echo {topic} shows it' in capsys.readouterr().err


def test_an_empty_wish_takes_the_last_one_back(capsys: pytest.CaptureFixture[str]):
    graph = Outsider([told('slow down')], [told('')])
    assert speaking.prompt(graph, '') == 0 and graph.said == [('prompt_text', '')]
    assert capsys.readouterr().out == 'prompt: what was said before is void\n'
