"""plans.mcap: standard messages under the names of the live graph."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import yaml
from recorded import START_NS, STEP_NS, write
from typer.testing import CliRunner

from alpamayo_ros.bags import marker_style
from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.bags.show_writer import headings
from alpamayo_ros.palette import NO_COST, share_of_one
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import EVENTS, RUN, Recording, RunInfo, Writer
from alpamayo_ros.reports import plan_bag
from alpamayo_ros.reports.plan_messages import camera_topics
from alpamayo_ros.sensing.rig import load_rig

STANDARD = ('std_msgs', 'nav_msgs', 'sensor_msgs', 'visualization_msgs', 'tf2_msgs')
STANDARD += ('diagnostic_msgs', 'rcl_interfaces', 'geometry_msgs')


@pytest.fixture(scope='module')
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('drive')
    recorded = write(folder / 'recording', steps=40)
    text = (recorded / EVENTS).read_text()
    (recorded / EVENTS).write_text(text.replace('"plan_age_ms":null', '"plan_age_ms":80.0'))
    plan_bag.write(Recording(recorded), folder / plan_bag.NAME)
    return folder / plan_bag.NAME


@pytest.fixture(scope='module')
def messages(bag: Path) -> dict:
    reader = BagReader(bag)
    found: dict = {}
    for message in reader:
        found.setdefault(message.topic, []).append(message)
    assert reader.fault is None
    return found


def rviz_topics(value: object) -> set[str]:
    """Every topic that the RViz layout subscribes to."""
    if isinstance(value, dict):
        own = {value['Topic']['Value']} if 'Topic' in value else set()
        return own.union(*(rviz_topics(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(rviz_topics(item) for item in value))
    return set()


def test_every_topic_of_the_rviz_layout_is_in_the_bag(bag: Path, repository: Path):
    layout = yaml.safe_load((repository / 'rviz' / 'alpamayo.rviz').read_text())
    shown = {topic.replace('/shadow/', '/') for topic in rviz_topics(layout)}
    assert shown and shown <= BagReader(bag).types().keys()


def test_the_types_are_standard_and_those_of_the_table(bag: Path):
    types = BagReader(bag).types()
    assert {kind.partition('/')[0] for kind in types.values()} <= set(STANDARD)
    listed = {topic: kind for topic, kind in types.items() if topic in plan_bag.TOPICS}
    assert listed == plan_bag.TOPICS
    assert all('/camera/' in topic for topic in types.keys() - plan_bag.TOPICS.keys())


def test_messages_stand_in_the_order_of_time(bag: Path):
    times = [message.time_ns for message in BagReader(bag)]
    assert times == sorted(times) and times[0] == START_NS
    assert times[-1] == START_NS + 39 * STEP_NS


def test_the_path_lies_ahead_of_the_car_in_odom(messages: dict):
    path = messages['/alpamayo/path'][10].message
    ego = messages['/alpamayo/odometry'][10].message.pose.pose.position
    assert path.header.frame_id == 'odom' and len(path.poses) == 30
    assert path.poses[0].pose.position.x == pytest.approx(ego.x + 0.5)
    assert path.poses[0].pose.orientation.w == 1.0


def test_markers_are_coloured_by_cost(messages: dict):
    markers = messages['/alpamayo/markers'][0].message.markers
    by = {(m.ns, m.id): m for m in markers}
    assert {m.ns for m in markers} == {'candidates', 'chosen', 'ego', 'objects'}
    cheap, dear, rejected = (by['candidates', i].color for i in (1, 6, 7))
    assert cheap.g > dear.g and dear.b > cheap.b
    grey = share_of_one(NO_COST, marker_style.REJECTED_OPACITY)
    assert (rejected.r, rejected.g, rejected.b, rejected.a) == pytest.approx(grey, abs=1e-4)
    assert by['chosen', 0].scale.x > by['candidates', 1].scale.x
    assert all(m.header.frame_id == 'base_link' for m in markers)


def test_objects_stand_where_they_are_seen_from_the_car(messages: dict):
    markers = messages['/alpamayo/markers'][10].message.markers
    ego = messages['/alpamayo/odometry'][10].message.pose.pose.position
    other = next(m for m in markers if m.ns == 'objects')
    assert other.pose.position.x == pytest.approx(40.0 - ego.x)


def test_words_are_a_text_a_marker_and_a_log_line(messages: dict):
    text = messages['/alpamayo/reasoning_text'][35].message.data
    assert 'rationale: I brake because a car stands ahead' in text
    assert messages['/alpamayo/reasoning_markers'][35].message.markers[0].text == text
    assert any('I brake' in m.message.msg for m in messages['/rosout'])


def test_a_change_of_state_is_logged_once_and_as_bad_as_it_is(tmp_path: Path):
    writer = Writer(tmp_path / 'r')
    info = RunInfo('a', 0, 'free', 'none')
    (tmp_path / 'r' / RUN).write_text(json.dumps({n: getattr(info, n) for n in info.__slots__}))
    writer.write(events.Ego(0, START_NS, 0.0, 0.0, 0.0, 0.0, 0.0))
    for i in range(3):
        state, faults = (4, ['PLAN_EXPIRED']) if i else (2, [])
        counts = (0, 0, 0, 0, 0)
        at = START_NS + i * STEP_NS
        writer.write(
            events.Health(0, at, at, state, 'why', faults, [], None, *counts, 'none')
        )  # fmt: skip
    writer.close()
    plan_bag.write(Recording(tmp_path / 'r'), tmp_path / 'plans.mcap')
    found = list(BagReader(tmp_path / 'plans.mcap'))
    logs = [m.message for m in found if m.topic == '/rosout']
    assert [(m.level, m.msg) for m in logs] == [(20, 'ACTIVE: why'), (40, 'FALLBACK: why')]
    levels = [m.message.status[0].level for m in found if m.topic == '/diagnostics']
    assert levels == [0, 2, 2]


def test_the_overlay_shows_the_plan(messages: dict):
    picture = messages['/alpamayo/overlay'][0].message
    pixels = np.asarray(picture.data).reshape(picture.height, picture.width, 3)
    assert picture.encoding == 'rgb8' and picture.width <= 320
    assert ((pixels[..., 1] > 180) & (pixels[..., 2] < 160)).sum() > 5  # green on blue


def test_pictures_are_the_recorded_bytes_with_their_calibration(bag: Path, messages: dict):
    folder = bag.parent / 'recording'
    first = next(e for e in Recording(folder).all(events.Image) if e.camera == 'rear')
    data = (folder / 'images.bin').read_bytes()[first.offset : first.offset + first.size]
    sent = messages['/alpamayo/camera/rear/image_raw/compressed'][0].message
    assert bytes(sent.data) == data and sent.format == 'jpeg'
    infos = messages['/alpamayo/camera/rear/camera_info']
    assert len(infos) == 4 and infos[0].message.k[0] > 0  # once a second


def test_a_recording_without_pictures_or_plans_gives_a_bag(tmp_path: Path):
    folder = write(tmp_path / 'r', steps=3)
    lines = (folder / EVENTS).read_text().splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)['kind'] in ('ego', 'route')]
    (folder / EVENTS).write_text(''.join(kept))
    counts = plan_bag.write(Recording(folder), tmp_path / 'p.mcap')
    assert counts['/alpamayo/odometry'] == 3 and '/alpamayo/path' not in counts


def test_two_writings_are_the_same_bytes(bag: Path):
    again = bag.with_name('again.mcap')
    plan_bag.write(Recording(bag.parent / 'recording'), again)
    assert again.read_bytes() == bag.read_bytes()


def test_the_costs_come_second_and_are_what_is_shown(tmp_path: Path):
    folder = write(tmp_path / 'r', steps=1)
    lines = (folder / EVENTS).read_text().splitlines(keepends=True)
    first = next(json.loads(line) for line in lines if '"candidates"' in line)
    bare = json.dumps({**first, 'costs': [], 'selected': -1}) + '\n'
    (folder / EVENTS).write_text(bare + ''.join(lines))
    counts = plan_bag.write(Recording(folder), tmp_path / 'p.mcap')
    assert counts['/alpamayo/markers'] == 1


def test_cameras_without_a_rig_get_the_names_of_the_graph():
    assert camera_topics('rear', None)[0] == '/alpamayo/camera/rear/image_raw/compressed'
    front = load_rig('sim').cameras[0].model_copy(update={'topic': '/cam0/compressed'})
    assert camera_topics('front', front)[0] == '/cam0/compressed'


def test_headings_of_a_path_that_stands_still_stay():
    points = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 1.0]])
    assert headings(points) == pytest.approx([math.pi / 2, math.pi / 2, 0.0, 0.0])


def test_no_cost_is_grey():
    for cost in (None, math.nan, math.inf):
        assert marker_style.cost_colour(cost, 0.0, 1.0) == share_of_one(
            NO_COST, marker_style.REJECTED_OPACITY
        )


def foxglove(repository: Path) -> dict:
    return json.loads((repository / 'config' / 'foxglove' / 'alpamayo.json').read_text())


def paths_of(value: object) -> set[str]:
    """Topics that the Foxglove layout names, without the field after the first dot."""
    if isinstance(value, dict):
        return set().union(*(paths_of(v) for pair in value.items() for v in pair))
    if isinstance(value, list):
        return set().union(*(paths_of(v) for v in value))
    known = isinstance(value, str) and value.startswith('/')
    return {value.partition('.')[0]} if known else set()


def test_every_topic_of_the_foxglove_layout_is_in_the_bag(bag: Path, repository: Path):
    named = paths_of(foxglove(repository))
    shown = {topic.replace('/shadow/', '/') for topic in named}
    assert len(named) > 12 and shown <= BagReader(bag).types().keys()
    assert named - shown == {'/alpamayo/shadow/markers', '/alpamayo/shadow/path'}


def test_every_plotted_number_has_a_live_topic():
    pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')
    from alpamayo_ros.nodes.messages.plots import OF_CYCLES, OF_PLANS

    assert sorted((*OF_CYCLES, *OF_PLANS)) == sorted(plan_bag.PLOTS)


def test_the_foxglove_plots_name_fields_that_exist(messages: dict, repository: Path):
    layout = foxglove(repository)
    plots = [v for k, v in layout['configById'].items() if k.startswith('Plot!')]
    lines = [path['value'] for plot in plots for path in plot['paths']]
    assert len(lines) >= 5
    for line in lines:
        topic, *fields = line.split('.')
        value = messages[topic][-1].message
        for field in fields:
            value = getattr(value, field)
        assert isinstance(float(value), float)


def test_every_panel_of_the_foxglove_layout_is_configured(repository: Path):
    def panels(node: object) -> set[str]:
        if isinstance(node, str):
            return {node}
        assert isinstance(node, dict)
        return panels(node['first']) | panels(node['second'])

    layout = foxglove(repository)
    assert panels(layout['layout']) == layout['configById'].keys()


def test_both_layouts_show_every_camera_of_the_simulated_rig(repository: Path):
    text = (repository / 'rviz' / 'alpamayo.rviz').read_text()
    for camera in load_rig('sim').cameras:
        assert f'/alpamayo/{camera.topic}' in paths_of(foxglove(repository))
        assert f'Value: /alpamayo/{camera.topic},' in text


def test_replay_says_that_it_writes_the_bag():
    from alpamayo_ros.cli.main import app

    said = CliRunner().invoke(app, ['replay', '--help']).output
    assert 'plans.mcap' in said


def test_foxgloves_own_reader_reads_it_and_static_topics_are_latched(bag: Path, messages: dict):
    reader = pytest.importorskip('mcap.reader', reason='the mcap library is not installed')
    with bag.open('rb') as file:
        found = reader.make_reader(file, validate_crcs=True)
        summary = found.get_summary()
        count = sum(1 for _ in found.iter_messages())
    assert count == sum(len(rows) for rows in messages.values())
    qos = {
        c.topic: yaml.safe_load(c.metadata.get('offered_qos_profiles', '[]'))
        for c in summary.channels.values()
    }
    for topic in ('/tf_static', '/alpamayo/route'):
        assert qos[topic][0]['durability'] == qos[topic][0]['reliability'] == 1
    assert qos['/tf'] == []
