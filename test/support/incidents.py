"""A drive whose decisions are written down, and the incident file that is made of it."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from drives import noisy, truth
from loop import CONFIG, LATENCY, STEP, Loop
from rosbags.typesys.store import Typestore
from shipped import limits

from alpamayo_ros.bags.bag import described
from alpamayo_ros.bags.disk_room import DiskRoom
from alpamayo_ros.bags.schema import typestore
from alpamayo_ros.datasets.rig_file import rig_text
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.incident import file
from alpamayo_ros.incident.decision_record import TYPE, Scribe
from alpamayo_ros.incident.ring import Entry
from alpamayo_ros.incident.store import IncidentFolder, Keep
from alpamayo_ros.incident.trigger import Event
from alpamayo_ros.safety.state import Mode
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.types import TrackedObject
from alpamayo_ros.units import NS

AHEAD = TrackedObject(7, 'car', 0, 25.0, 0.2, 0.0, 3.0, 4.5, 1.8)
LOST = Fault(Code.CAM_MANDATORY_LOST, 'front.', {'silent_s': 0.31})
WORDS = (
    'perception: a car ahead at 25 m\nsituation: it brakes\nrationale: keep the gap\n'
    'intent: slow down'
)
CAMERA, DECISIONS = '/alpamayo/camera/front/image_raw/compressed', '/alpamayo/decision'


class Recorded(Loop):
    """A loop that writes each of its decisions down, as the trajectory node does."""

    def __post_init__(self):
        super().__post_init__()
        self.scribe, self.texts, self.words = Scribe(), [], WORDS

    def decide(self, proposal, scene, now_ns):
        before = self.state
        if proposal is not None:
            proposal = replace(proposal, text=self.words, text_t0_ns=proposal.t0_ns)
        decision = super().decide(proposal, scene, now_ns)
        self.texts.append(
            self.scribe.write(proposal, scene, before, self.config, now_ns, decision)
        )
        return decision


def wild(ego, cycle):
    """Eight candidates of which the last two leap to the side."""
    found = noisy(truth(ego.speed_mps)[0], 0.02, cycle)
    found[-2:, 5:, 1] += 4.0
    return found


def drive(config=CONFIG):
    """Ten plans beside a car, some candidates refused, a lost camera, a stop, and recovery."""
    loop = Recorded(config=config)
    loop.run(10, wild, objects=(AHEAD,))
    loop.run(8, False, faults=(LOST,))
    loop.words = WORDS.replace('slow down', 'drive on')
    loop.run(12)
    assert {Mode.ACTIVE, Mode.FALLBACK} <= set(loop.modes)
    return loop


def event(loop):
    """The moment at which driving ended, as the trigger tells it."""
    number = loop.modes.index(Mode.FALLBACK)
    health = loop.decisions[number].health
    return Event('FALLBACK', health.stamp_ns, health.stamp_ns, health.reason)


def picture(number):
    """A JPEG with a number in it."""
    image = np.full((120, 160, 3), (60, 90, 40), np.uint8)
    cv2.putText(image, str(number), (40, 80), cv2.FONT_HERSHEY_SIMPLEX, 2, (255, 255, 255), 3)
    return cv2.imencode('.jpg', image)[1].tobytes()


def entries(loop, pictures=True, store: Typestore | None = None):
    """What the ring would hold: a record a decision, a picture each tenth of a second."""
    store = store or typestore()
    said = described(DECISIONS, TYPE, store)
    seen = described(CAMERA, file.PICTURE, store)
    out = []
    for i, text in enumerate(loop.texts):
        at_ns = i * STEP
        if pictures:
            stamp = store.types['builtin_interfaces/msg/Time'](sec=at_ns // NS, nanosec=at_ns % NS)
            header = store.types['std_msgs/msg/Header'](stamp=stamp, frame_id='front')
            message = store.types[file.PICTURE](
                header=header, format='jpeg', data=np.frombuffer(picture(i), np.uint8)
            )
            data = bytes(store.serialize_cdr(message, file.PICTURE))
            out.append(Entry(seen, '', at_ns, at_ns, data))
        record = store.types[TYPE](data=text)
        at_ns += LATENCY
        out.append(Entry(said, '', at_ns, at_ns, bytes(store.serialize_cdr(record, TYPE))))
    return out


def write(folder: Path, loop=None, pictures=True, events=None):
    """The file of a drive; its path."""
    loop = loop or drive()
    room = DiskRoom(folder, limits(), lambda _: 1 << 60)
    events = (event(loop),) if events is None else events
    about = file.told(events, CAMERA, DECISIONS, 'the live graph, rig sim, profile nano')
    kept = IncidentFolder(folder, Keep(9, 1 << 30), room)
    rig = rig_text(load_rig('sim'), 'The rig of a test.')
    return kept.write('incident_20260102T030405Z_FALLBACK', entries(loop, pictures), about, rig)
