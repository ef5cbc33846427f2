"""The operator's layouts name topics, fields, services and states that there are."""

import json
from pathlib import Path

import yaml

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
        if topic == '/alpamayo/reasoning_text':
            assert field == 'data'  # std_msgs/String
        else:
            assert topic == '/alpamayo/health' and f' {field} ' in message
    for rule in PANELS['Indicator!state']['rules']:
        assert f'uint8 {rule["label"]}={rule["rawValue"]} ' in message
        assert rule['color'] == palette.as_hex(palette.STATES[rule['label']])


def test_state_cap_and_words_are_in_both_layouts():
    shown = {panel['topicPath'] for panel in of_kind('RawMessages')}
    assert {'/alpamayo/health.speed_cap_mps', '/alpamayo/reasoning_text.data'} <= shown
    layout = yaml.safe_load((ROOT / 'rviz' / 'operator.rviz').read_text())
    displays = layout['Visualization Manager']['Displays']
    texts = {d['Topic']['Value']: d.get('Namespaces') for d in displays if 'Topic' in d}
    assert texts['/alpamayo/state_markers'] == {'state': True}
    assert texts['/alpamayo/reasoning_markers'] == {'coc': True}
    monitor = (ROOT / 'alpamayo_ros' / 'nodes' / 'monitor.py').read_text()
    assert "'state_markers'" in monitor


def test_what_the_operator_sees_in_rviz_stands_in_the_large_layout_too():
    def displays(name):
        layout = yaml.safe_load((ROOT / 'rviz' / name).read_text())
        return layout['Visualization Manager']['Displays']

    large = displays('alpamayo.rviz')
    assert all(display in large for display in displays('operator.rviz'))
