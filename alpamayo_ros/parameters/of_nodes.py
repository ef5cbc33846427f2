"""Every parameter of every node: type, unit, a sentence and bounds.

Values live in ``config/nodes.param.yaml`` only; nodes and the check of a file both read this.
"""

from __future__ import annotations

from alpamayo_ros.graph_options import (
    ACCELERATION_MPS2,
    CONTROLLERS,
    DURATION_S,
    RATE,
    SEED,
    SPEED_MPS,
)
from alpamayo_ros.parameters.param import Param
from alpamayo_ros.runtime import registry

ORIGINS = ('simulator', 'replay', 'vehicle')

# Declared by every node.
COMMON = (
    Param(
        'profile',
        str,
        '',
        'Model profile: a name from config/profiles or the path of a .yaml file.',
    ),
    Param('rig', str, '', 'Camera rig: a name from config/rigs or the path of a .yaml file.'),
    Param('limits', str, '', 'File of safety limits; empty: config/limits.param.yaml.'),
    Param('lockstep', bool, '', 'Simulated time advances only after every t0 got its one reply.'),
)
# Declared by the nodes that read odometry or images.
RELIABLE_INPUTS = Param(
    'reliable_inputs', bool, '', 'Inputs come from a sender that can repeat them: a bag.'
)
ODOMETRY_READERS = 4  # camera_sync, egomotion, navigation, trajectory
# Declared by the simulator and the replay.
RECORDED = Param('recorded', bool, '', 'A recorder listens; lockstep waits for it too.')
LISTENERS = Param('listeners', str, '', 'Further nodes that lockstep waits for; commas between.')
# Declared by the simulator.
BAGGED = Param('bagged', bool, '', 'A bag recorder listens; lockstep waits for it too.')
CAMERA_SYNC = (
    Param('decode_threads', int, '', 'Threads that decode the matched images.', 1, 16),
    Param('poll_s', float, 's', 'How often missing images are looked for.', 0.005, 0.1),
    RELIABLE_INPUTS,
)
EGOMOTION = (
    Param('wait_s', float, 's', 'Longest wait for odometry of t0, free-running.', 0.0, 0.2),
    Param('poll_s', float, 's', 'How often waiting timesteps are looked at.', 0.005, 0.1),
    Param('acceleration_window_s', float, 's', 'Base line of acceleration from speed.', 0.02, 0.5),
    Param('imu_age_s', float, 's', 'An Imu message up to this age gives acceleration.', 0.0, 0.2),
    RELIABLE_INPUTS,
)
NAVIGATION = (
    Param('hold_s', float, 's', 'Shortest time between two different instructions.', 0.0, 10.0),
    Param('period_s', float, 's', 'How often the route is looked at.', 0.05, 5.0),
    Param('use_route', bool, '', 'Make instructions from the route as well.'),
    Param('effect_s', float, 's', 'Lockstep: an instruction holds this much later.', 0.0, 1.0),
    Param('streets', str, '', "File of the map's street names, one a line; empty: no list."),
    RELIABLE_INPUTS,
)
MODEL_PROCESS = (
    Param('runtime', str, '', f'Who answers. {registry.HELP}'),
    Param('model', str, '', 'Folder of the model; empty: the one that ships for the profile.'),
    Param('script', str, '', 'Fields of runtime.Script as JSON, for tests; empty: none.'),
    Param('minimum_release', int, '', 'An older release of the model is refused.', 0, 2**31 - 1),
    Param(
        'trusted_keys', str, '', 'Public key, or folder of *.pub, one of which signed; empty: any.'
    ),
    Param('words_every_s', float, 's', 'Words younger than that are kept; 0: none are.', 0.0, 2.0),
    Param('words_concurrent', bool, '', 'New words are decoded once the plan is out.'),
    Param('period_s', float, 's', 'Planning period; limits of a cycle count in it.', 0.01, 30.0),
    Param('slack', float, '', 'Cycles are dropped and killed so many times later.', 1.0, 10.0),
    Param('startup_s', float, 's', 'Longest time to load and warm up the model.', 1.0, 600.0),
)
PLANNER = (
    *MODEL_PROCESS,
    Param('seed', int, '', 'The noise of t0 depends on (seed, t0) alone.', *SEED),
    Param('watch_gpus', bool, '', 'GPUs beyond their limits count: for a runtime that uses one.'),
    Param('autostart', bool, '', 'Configure and activate without a lifecycle manager.'),
)
CAPS = (
    Param('speed_cap_mps', float, 'm/s', "Highest speed; 0: the profile's.", *SPEED_MPS),
    Param('acceleration_cap_mps2', float, 'm/s2', "0: the limits'.", *ACCELERATION_MPS2),
)
TRAJECTORY = (
    Param('shadow', bool, '', 'Plan on topics under shadow/, which no controller reads.'),
    Param('auto_arm', bool, '', 'Arm without a person; simulation and replay only.'),
    Param('auto_rearm', bool, '', 'Leave FALLBACK without a person; simulation only.'),
    Param('coc_degrades', bool, '', 'Words that announce the opposite of the path degrade.'),
    Param('objects_expected', bool, '', 'A source of objects takes part in the cost.'),
    Param('period_s', float, 's', 'Planning period.', 0.05, 1.0),
    Param('reference_s', float, 's', 'Period of the reference, free-running.', 0.02, 0.2),
    Param('lockstep_latency_s', float, 's', 'Simulated time from t0 to the plan.', 0.0, 0.4),
    Param('silence_s', float, 's', 'A node that says nothing for so long is silent.', 0.3, 10.0),
    *CAPS,
    RELIABLE_INPUTS,
)
REASONING = (
    Param('kept', int, 'cycles', 'Texts and plans kept while they wait for each other.', 1, 100),
)
MONITOR = (
    Param('period_s', float, 's', 'Time between two reports without a change.', 0.1, 10.0),
    Param('silence_s', float, 's', 'A node that says nothing for so long is silent.', 0.3, 60.0),
)
CONTROLLER = (
    Param('message', str, '', 'Type of drive_command.', choices=CONTROLLERS),
    Param('rate_hz', float, 'Hz', 'Commands a second; in lockstep one a step.', 5.0, 200.0),
    RELIABLE_INPUTS,
)
AUTOWARE = (
    Param('frame', str, '', "Frame of Autoware's map; the odometry of the rig is in it."),
    Param('trajectory_topic', str, '', 'The plan goes here; empty: nowhere.'),
    Param('candidates_topic', str, '', 'Candidates go here; empty: nowhere.'),
    Param('generator_name', str, '', 'Begins the names of our candidates.'),
    Param('reasoning_topic', str, '', 'The words as std_msgs/String; empty: nowhere.'),
    Param('route_topic', str, '', 'LaneletRoute.'),
    Param('map_osm', str, '', 'File lanelet2_map.osm of the route; empty: it is not followed.'),
    Param('operation_mode_topic', str, '', 'OperationModeState; empty: a person arms.'),
    Param('control_mode_topic', str, '', 'ControlModeReport of the vehicle.'),
    Param('report_silence_s', float, 's', 'Without a report for so long: disarm.', 0.1, 5.0),
    RELIABLE_INPUTS,
)
SIMULATOR = (
    Param('scenario', str, '', 'Name of a scenario, or the path of a .yaml file.'),
    Param('seed', int, '', 'Seed of the world.', *SEED),
    Param('duration_s', float, 's', 'Ends the drive early; 0: as the scenario says.', 0.0, 600.0),
    Param('inject', str, '', 'Faults: drop(source=front,start_s=5,stop_s=7); empty: none.'),
    Param('output', str, '', 'File for the result as JSON; empty: none.'),
    Param('record', str, '', 'Folder for what was true at each t0, to judge words by; or empty.'),
    Param('shadow', bool, '', 'The driver plans in shadow mode; the expert drives throughout.'),
    Param('manual', bool, '', "A person arms: standing and the scenario's time end nothing."),
    Param('commanded', bool, '', 'The car obeys drive_command (Twist) of the controller node.'),
    Param('jpeg_quality', int, '%', 'Quality of the JPEG images.', 1, 100),
    Param('epoch_s', float, 's', 'Simulated time at the start.', 1.0, 1.0e6),
    Param('latency_s', float, 's', 'Lockstep: simulated time from t0 to its effect.', 0.0, 0.4),
    Param('start_timeout_s', float, 's', 'Longest wait for the driver to be ready.', 5.0, 600.0),
    RECORDED,
    BAGGED,
    LISTENERS,
    Param('hang_guard_s', float, 's', 'Lockstep: longest wall time for one reply.', 1.0, 600.0),
)
FAULT_PROXY = (
    Param('inject', str, '', 'Faults: drop(source=front,start_s=5,stop_s=7); empty: none.'),
    Param('poll_s', float, 's', 'How often it is looked what a delay lets go.', 0.001, 0.1),
    RELIABLE_INPUTS,
)
RECORDER = (
    Param('folder', str, '', 'Where to write; an earlier recording there is replaced.'),
    Param('origin', str, '', 'Which graph is recorded.', choices=ORIGINS),
    Param('title', str, '', 'Scenario, bag or car.'),
    Param('seed', int, '', 'Seed of a simulated drive.', *SEED),
    Param('runtime', str, '', 'Who plans.'),
    Param('about', str, '', 'A few words for film and report; empty: of the scenario.'),
    Param('flush_s', float, 's', 'How often others can see what was written.', 0.05, 10.0),
)
VIEWER = (
    Param('flush_s', float, 's', 'How often what was received is sent on.', 0.05, 10.0),
    Param('port', int, '', 'Page on 127.0.0.1; the data take the next one.', 1024, 65434),
    Param('browser', bool, '', 'Open the page in a browser.'),
    Param('save', str, '', 'An .rrd file to write instead of serving a page.'),
)
BAG_RECORDER = (
    Param('file', str, '', 'Bag to write (.mcap); the rig goes beside it.'),
    Param('record', str, '', 'Which topics: a file like config/record.yaml; empty: that one.'),
    Param('queue_mb', int, 'MB', 'Messages that may wait for a slow disk.', 1, 16384),
    Param('discovery_s', float, 's', 'How often new topics are looked for.', 0.01, 5.0),
)
INCIDENT_RECORDER = (
    Param('folder', str, '', 'Where incidents are written; nothing else there is touched.'),
    Param('window_s', float, 's', 'How long before an event a file begins.', 1.0, 600.0),
    Param('memory_mb', int, 'MB', 'Messages held at most; the oldest go.', 1, 65536),
    Param('after_s', float, 's', 'How long after an event a file ends.', 0.0, 60.0),
    Param('hold_s', float, 's', 'From one file to the next at least.', 1.0, 600.0),
    Param('silence_s', float, 's', 'A driver silent for so long is an event.', 0.3, 10.0),
    Param('keep_files', int, '', 'Incidents kept at most; the oldest go.', 1, 10000),
    Param('keep_mb', int, 'MB', 'Size of all of them at most.', 1, 10_000_000),
    Param('discovery_s', float, 's', 'How often new topics are looked for.', 0.01, 1.0),
)
REPLAY = (
    Param('bag', str, '', 'The bag: an .mcap or .db3 file, or a folder with metadata.yaml.'),
    Param('rate', float, '', 'Speed against wall time, free-running.', *RATE),
    Param('duration_s', float, 's', 'Ends early; 0: the whole bag.', *DURATION_S),
    Param('incomplete', bool, '', 'Play a bag that lacks a camera of the profile, or odometry.'),
    Param('tail_s', float, 's', 'How long it goes on after the last message.', 0.0, 60.0),
    Param('start_timeout_s', float, 's', 'Longest wait for somebody who listens.', 1.0, 600.0),
    Param('proxied', bool, '', 'fault_proxy stands between the recording and the driver.'),
    RECORDED,
    LISTENERS,
    Param('hang_guard_s', float, 's', 'Lockstep: longest wall time for one reply.', 1.0, 600.0),
)
OF_NODE: dict[str, tuple[Param, ...]] = {
    'camera_sync': CAMERA_SYNC,
    'egomotion': EGOMOTION,
    'navigation': NAVIGATION,
    'planner': PLANNER,
    'trajectory': TRAJECTORY,
    'reasoning': REASONING,
    'monitor': MONITOR,
    'controller': CONTROLLER,
    'autoware': AUTOWARE,
    'simulator': SIMULATOR,
    'fault_proxy': FAULT_PROXY,
    'recorder': RECORDER,
    'viewer': VIEWER,
    'bag_recorder': BAG_RECORDER,
    'incident_recorder': INCIDENT_RECORDER,
    'replay': REPLAY,
}
