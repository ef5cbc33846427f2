"""The operator's layout of Foxglove names topics, fields, services and states that there are."""

import json
from pathlib import Path

from alpamayo_ros import palette

ROOT = Path(__file__).resolve().parents[3]
LAYOUT = json.loads((ROOT / 'config' / 'foxglove' / 'operator.json').read_text())
PANELS = LAYOUT['configById']


def of_kind(kind: str) -> list[dict]:
    return [panel for name, panel in PANELS.items() if name.startswith(f'{kind}!')]


def test_every_panel_has_a_place():
    def placed(node):
        return {node} if isinstance(node, str) else placed(node['first']) | placed(node['second'])

    assert placed(LAYOUT['layout']) == PANELS.keys()


def test_services_and_caps_are_those_of_the_trajectory_node():
    source = (ROOT / 'alpamayo_ros' / 'nodes' / 'trajectory.py').read_text()
    called = [panel['serviceName'].rpartition('/')[2] for panel in of_kind('CallService')]
    assert called == ['arm', 'disarm', 'rearm'] and all(f"'{name}'" in source for name in called)
    caps = (ROOT / 'alpamayo_ros' / 'nodes' / 'caps.py').read_text()
    for panel in of_kind('Publish'):
        assert f"'{panel['topicName'].rpartition('/')[2]}'" in caps
        assert isinstance(json.loads(panel['value'])['data'], float)


def test_fields_and_states_are_those_of_the_message():
    message = (ROOT / 'msg' / 'Health.msg').read_text()
    for panel in of_kind('Indicator') + of_kind('RawMessages'):
        topic, _, field = panel.get('path', panel.get('topicPath')).partition('.')
        assert topic == '/alpamayo/health' and f' {field} ' in message
    for rule in PANELS['Indicator!state']['rules']:
        assert f'uint8 {rule["label"]}={rule["rawValue"]} ' in message
        assert rule['color'] == palette.as_hex(palette.STATES[rule['label']])
