"""The policy of SROS 2: an enclave for every process, exact names, and nobody who may do more."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alpamayo_ros.bringup import GRAPHS
from alpamayo_ros.cli.main import app
from alpamayo_ros.cli.security import POLICY, _options
from alpamayo_ros.graph_options import Options
from alpamayo_ros.graph_spec import NodeSpec
from alpamayo_ros.security import access
from alpamayo_ros.security.policy import as_xml, enclaves, policy

ROOT = Path(__file__).resolve().parents[3]
OPTIONS = _options('vehicle', Options())
PLANS = {f'/alpamayo/{name}' for name in ('trajectory', 'reference')}


def parsed(text: str) -> dict[str, dict[tuple[str, str], set[str]]]:
    """Enclave to (topic or service, right) to names, as sros2 would read them."""
    out = {}
    for enclave in ElementTree.fromstring(text).iter('enclave'):
        rights: dict[tuple[str, str], set[str]] = {}
        for part in (*enclave.iter('topics'), *enclave.iter('services')):
            ((right, verdict),) = part.attrib.items()
            assert verdict == 'ALLOW'
            rights[part.tag[:-1], right] = {name.text or '' for name in part}
        out[enclave.attrib['path']] = rights
    return out


SHIPPED = parsed((ROOT / 'config' / 'security' / 'policy.xml').read_text())


def test_the_policy_that_ships_is_that_of_the_graph() -> None:
    """Write it again after a change: alpamayo security policy > config/security/policy.xml."""
    text = (ROOT / 'config' / 'security' / 'policy.xml').read_text()
    assert text == policy('vehicle', OPTIONS)


@pytest.mark.parametrize('graph', GRAPHS)
def test_every_process_has_an_enclave(graph: str) -> None:
    bag = '' if graph == 'replay' else 'x.mcap'
    made = GRAPHS[graph](Options(record='x', bag_out=bag, incidents='y'))
    found = parsed(policy(graph, _options(graph, Options())))
    assert {node.enclave for node in made.nodes} <= set(found)


def test_a_node_without_a_row_is_named() -> None:
    graph = GRAPHS['vehicle'](Options())
    new = replace(graph.nodes[0], name='new_node')
    with pytest.raises(KeyError, match='new_node has no row'):
        enclaves(replace(graph, nodes=(*graph.nodes, new)), Options())


def test_names_are_exact_and_of_ros() -> None:
    for path, rights in SHIPPED.items():
        for names in rights.values():
            assert all(re.fullmatch(r'(/[A-Za-z_][A-Za-z0-9_]*)+', n) for n in names), path


@pytest.mark.parametrize('topic', sorted(PLANS))
def test_only_the_node_trajectory_may_publish_plans(topic: str) -> None:
    writers = [p for p, r in SHIPPED.items() if topic in r.get(('topic', 'publish'), set())]
    assert writers == ['/alpamayo/trajectory']


def test_each_inner_topic_has_one_writer() -> None:
    inner = 'frame_set frame_set_info ego_history nav prompt candidates reasoning_raw health'
    for name in inner.split():
        topic = f'/alpamayo/{name}'
        writers = [p for p, r in SHIPPED.items() if topic in r.get(('topic', 'publish'), set())]
        assert len(writers) == 1, (topic, writers)


def test_a_camera_may_say_pictures_and_nothing_else() -> None:
    said = SHIPPED['/drivers/cameras'][('topic', 'publish')]
    assert {n for n in said if '/camera/' not in n} == set(access.EVERYBODY_SAYS)
    assert ('topic', 'subscribe') not in SHIPPED['/drivers/cameras']


def test_nobody_may_ask_for_parameters_or_the_lifecycle_and_only_the_operator_may_arm() -> None:
    asked = {
        p: r[('service', 'request')] for p, r in SHIPPED.items() if ('service', 'request') in r
    }
    arming = {f'/alpamayo/trajectory/{name}' for name in access.ARMING}
    assert asked == {'/alpamayo/operator': {*arming, '/alpamayo/incident_recorder/write'}}


def test_shadow_mode_may_publish_no_plan_that_a_controller_reads() -> None:
    found = parsed(policy('vehicle', replace(OPTIONS, shadow=True)))
    for rights in found.values():
        assert not PLANS & rights.get(('topic', 'publish'), set())
    assert '/alpamayo/shadow/trajectory' in found['/alpamayo/trajectory'][('topic', 'publish')]


def test_remappings_rig_and_lockstep_are_followed(tmp_path: Path) -> None:
    topics = tmp_path / 'topics.yaml'
    topics.write_text('odometry: /localization/odom\n')
    found = parsed(policy('simulator', Options(topics=str(topics), lockstep=True)))
    for name in ('egomotion', 'trajectory', 'navigation', 'camera_sync'):
        heard = found[f'/alpamayo/{name}'][('topic', 'subscribe')]
        assert '/localization/odom' in heard and '/alpamayo/odometry' not in heard
        assert '/alpamayo/timestep' in heard and '/clock' in heard
        assert '/alpamayo/step_done' in found[f'/alpamayo/{name}'][('topic', 'publish')]
    assert '/localization/odom' in found['/drivers/localisation'][('topic', 'publish')]
    assert '/alpamayo/step_done' in found['/alpamayo/simulator'][('topic', 'subscribe')]


def test_hostile_names_are_escaped() -> None:
    name = '/x"><topic>/alpamayo/trajectory</topic>&'
    text = as_xml({'/a"b': access.Access(says=frozenset({name}))})
    assert parsed(text) == {'/a"b': {('topic', 'publish'): {name}}}


def test_a_pattern_of_topics_is_no_exact_name(tmp_path: Path) -> None:
    text = (ROOT / 'config' / 'record.yaml').read_text()
    record = tmp_path / 'record.yaml'
    record.write_text(text.replace('      all_topics: false', '      regex: "/.*"'))
    node = NodeSpec('bag_recorder', (('rig', 'sim'), ('profile', 'nano'), ('record', str(record))))
    with pytest.raises(ValueError, match='exact topics'):
        access.of_node(node)


def test_the_command_prints_the_policy_and_refuses_what_it_does_not_know() -> None:
    done = CliRunner().invoke(app, ['security', 'policy'])
    assert done.exit_code == 0 and done.stdout == policy('vehicle', OPTIONS)
    for words in (['--graph', 'boat'], ['--rig', 'none.yaml'], ['--objects', 'some']):
        assert CliRunner().invoke(app, ['security', 'policy', *words]).exit_code == 2


def test_without_ros2_security_the_policy_is_there_and_the_command_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('PATH', str(tmp_path))
    done = CliRunner().invoke(app, ['security', 'keystore', str(tmp_path / 'keys')])
    assert done.exit_code == 6
    assert 'ros2 security generate_artifacts -k' in ' '.join(done.output.split())
    assert (tmp_path / 'keys' / POLICY).read_text() == policy('vehicle', OPTIONS)
    assert (tmp_path / 'keys').stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(('status', 'exit_code'), [(0, 0), (1, 6)])
def test_with_ros2_security_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, exit_code: int
) -> None:
    tool = tmp_path / 'ros2'
    tool.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said\nexit {status}\n')
    tool.chmod(0o755)
    monkeypatch.setenv('PATH', f'{tmp_path}:/usr/bin:/bin')
    keys = tmp_path / 'keys'
    assert CliRunner().invoke(app, ['security', 'keystore', str(keys)]).exit_code == exit_code
    said = (tmp_path / 'said').read_text().split()
    assert said == ['security', 'generate_artifacts', '-k', str(keys), '-p', str(keys / POLICY)]
