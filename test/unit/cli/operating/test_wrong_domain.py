"""Who asks a running graph with a ROS_DOMAIN_ID that no middleware takes is told so."""

import pytest
from typer.testing import CliRunner

from alpamayo_ros.cli.main import app


@pytest.mark.parametrize('said', ['abc', '500', '-1'])
@pytest.mark.parametrize('words', ['topics', 'status', 'arm', 'cap --speed 5', 'echo health'])
def test_a_question_on_no_domain_is_refused(words: str, said: str) -> None:
    done = CliRunner(env={'ROS_DOMAIN_ID': said}).invoke(app, words.split())
    assert done.exit_code == 2
    assert f"ROS_DOMAIN_ID is '{said}': expected a whole number from 0 to 232" in done.output
