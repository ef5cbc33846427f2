"""Every fault the package can report: how severe, what it causes, one sentence, what to do next.

A fault is a value (``Fault``) that a stage returns beside, or in place of, its result.  Names
ending in ``_WARN`` are the warning level of a limit; the bare name is its rejection level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum


class Severity(IntEnum):
    """How loudly a fault is reported; the order is the order of badness."""

    INFO = 0
    WARN = 1
    ERROR = 2
    FATAL = 3


class Reaction(IntEnum):
    """What a fault causes; the order is the order of badness, the worst present fault decides."""

    NOTE = 0  # reported, nothing else
    REFUSE = 1  # this input, file or parameter is not used; the state does not change by itself
    MASK = 2  # the camera is masked; DEGRADED, at most 3 s
    DEGRADE = 3  # DEGRADED: plans go on under a speed cap
    FALLBACK = 4  # no trustworthy new plan: the stop along the last valid path
    FAULT = 5  # no plan until an operator reconfigures


_I, _W, _E, _F = Severity.INFO, Severity.WARN, Severity.ERROR, Severity.FATAL
_NOTE, _REFUSE, _MASK = Reaction.NOTE, Reaction.REFUSE, Reaction.MASK
_DEGRADE, _FALLBACK, _FAULT = Reaction.DEGRADE, Reaction.FALLBACK, Reaction.FAULT
_JUMPED = (
    'None needed after a restart of the bag or the simulator; else let one program alone publish '
    '/clock (ros2 topic info -v /clock shows who does), and NTP or PTP slew the time, not step it.'
)


class Code(Enum):
    """The fault table; ``code.name`` is what Health, /diagnostics, logs and tests show."""

    # fmt: off
    # Cameras and images.
    CAM_STALE = (_E, _REFUSE, 'A camera image is too old.', 'Check the camera clock (PTP).')
    CAM_LOST = (_W, _MASK, 'A camera is silent and masked.', 'Check its cable, power, driver.')
    CAM_MANDATORY_LOST = (_E, _FALLBACK, 'A camera that may not be missing is silent.',
        'Check its cable, power and driver; re-arm when it is back.')
    CAMS_LOST = (_E, _FALLBACK, 'Two or more cameras are silent.', 'Check the camera power.')
    CAM_FROZEN = (_W, _MASK, 'A camera repeats one image while driving.', 'Restart the camera.')
    CAM_IMPLAUSIBLE = (_W, _MASK, 'An image is black, white or noise.', 'Clean the camera.')
    CAM_RATE_WARN = (_W, _DEGRADE, 'A camera delivers fewer frames than agreed.',
        'Check the bandwidth and the load.')
    CAM_RATE = (_E, _FALLBACK, 'A camera delivers less than half of its frames.',
        'Check the bandwidth and the load.')
    CAM_IDENTITY = (_E, _REFUSE, 'An image does not come from the camera of its topic.',
        'Compare frame_id and topic with the rig file.')
    IMG_HEADER = (_E, _REFUSE, 'A compressed image has no valid header.', 'Check the encoder.')
    IMG_TRUNCATED = (_E, _REFUSE, 'A compressed image is cut off.', 'Check the transport.')
    IMG_TOO_LARGE = (_E, _REFUSE, 'An image claims more pixels than the rig file allows.',
        'Check who publishes the topic.')
    IMG_ENCODING = (_E, _REFUSE, 'An image has an encoding that is not supported.',
        'Publish bgr8, rgb8, bgra8, mono8 or JPEG.')
    IMG_SIZE = (_E, _REFUSE, 'Width, height, step and data of an image disagree.',
        'Compare the camera with the rig file.')
    IMG_DECODE = (_E, _REFUSE, 'An image could not be decoded.', 'Check the encoder.')
    IMG_TORN = (_E, _REFUSE, 'The data of a JPEG are damaged.', 'Check the transport.')
    SKEW_WARN = (_W, _NOTE, 'The cameras of a set are not quite simultaneous.',
        'Check the trigger.')
    SKEW = (_E, _REFUSE, 'The cameras of a set are too far apart in time.', 'Check the trigger.')
    SET_INCOMPLETE = (_W, _REFUSE, 'No complete set of images.',
        'See the camera faults beside it.')
    FRAME_HISTORY = (_W, _REFUSE, 'The past frames do not cover what the model needs.',
        'Wait for one second of images.')
    FRAME_AGE_WARN = (_W, _DEGRADE, 'The images are old when the model starts.', 'Lower the load.')
    FRAME_AGE = (_E, _FALLBACK, 'The images are too old to plan with.', 'Lower the load.')
    # Time.
    CLOCK = (_W, _REFUSE, 'Time stands still: /clock is not published, or it has stopped.',
        'ros2 topic hz /clock shows whether it runs: start or unpause the simulator, or play the '
        'bag with --clock. Without /clock start without --sim-time (use_sim_time false).')
    CLOCK_BACK = (_W, _REFUSE, 'The clock jumped back; all buffers were emptied.', _JUMPED)
    CLOCK_FORWARD = (_W, _REFUSE, 'The clock jumped forward; old data is dropped.', _JUMPED)
    STAMP_DUP = (_W, _REFUSE, 'A stamp was sent twice; the first is kept.', 'Check for a twin.')
    STAMP_LATE = (_W, _REFUSE, 'A message arrived out of order.', 'Check the transport.')
    STAMP_INVALID = (_E, _REFUSE, 'A stamp is zero or in the future.', 'Check the driver clock.')
    STAMP_FUTURE_WARN = (_W, _NOTE, 'A stamp lies slightly in the future.', 'Check PTP.')
    # Egomotion and calibration.
    ODOM_NAN = (_E, _REFUSE, 'Odometry holds NaN, infinity or an impossible number.',
        'Check the localisation.')
    ODOM_GAP_WARN = (_W, _DEGRADE, 'Odometry paused.', 'Check the odometry rate.')
    ODOM_GAP = (_E, _FALLBACK, 'Odometry is missing.', 'Check the odometry source.')
    ODOM_JUMP = (_E, _FALLBACK, 'Odometry jumped; the history was emptied.', 'Feed odom, not map.')
    ODOM_SPEED_WARN = (_W, _DEGRADE, 'Speed and change of position disagree.', 'Calibrate.')
    ODOM_SPEED = (_E, _FALLBACK, 'Speed contradicts the change of position.', 'Calibrate.')
    ODOM_TURN_WARN = (_W, _DEGRADE, 'Turn rate and change of heading disagree.', 'Calibrate.')
    ODOM_TURN = (_E, _FALLBACK, 'Turn rate contradicts the change of heading.',
        'Publish angular.z in rad/s, left positive.')
    STEERING = (_W, _REFUSE, 'A steering angle is larger than the wheels turn.',
        'Publish the tyre angle in rad.')
    ODOM_FRAME = (_E, _REFUSE, 'Odometry has wrong frames or a bad quaternion.',
        'Publish odom -> base_link.')
    EGO_HISTORY = (_W, _REFUSE, 'The past motion does not cover what the model needs.',
        'Wait for two seconds of odometry.')
    CALIBRATION = (_E, _REFUSE, 'The calibration is missing or wrong.', 'Check the rig file.')
    CALIBRATION_CHANGED = (_F, _FAULT, 'The calibration changed while running.', 'Reconfigure.')
    # Navigation and language.
    NAV_FORMAT = (_W, _REFUSE, 'A navigation instruction is malformed.', 'See NavInstruction.')
    NAV_STREET = (_W, _REFUSE, 'A street name was dropped.', 'Use a name of the map.')
    NAV_FLOOD = (_W, _NOTE, 'Instructions change too fast; the latest wins.', 'Check the sender.')
    PROMPT_FORMAT = (_W, _REFUSE, 'A prompt was refused.',
        'Send at most 200 printable characters.')
    CAP_FORMAT = (_W, _REFUSE, 'A cap was refused; the last one stays.',
        'Send a number from 0 on, in m/s or m/s2.')
    # Inference.
    MODEL_ABSENT = (_E, _FALLBACK, 'The model process is not running.', 'It restarts by itself.')
    MODEL_LATE = (_E, _FALLBACK, 'The model delivered no new plan in time.', 'Lower the load.')
    MODEL_ERROR = (_W, _DEGRADE, 'One model cycle failed; the last plan goes on.', 'See the log.')
    MODEL_FAILING = (_E, _FALLBACK, 'Three model cycles failed in a row.', 'See the log.')
    MODEL_OVERRUN_WARN = (_W, _DEGRADE, 'Inference takes longer than a period.', 'Lower the load.')
    MODEL_OVERRUN = (_W, _DEGRADE, 'A cycle took over two periods and was dropped.',
        'Lower the load.')
    MODEL_KILLED = (_E, _FALLBACK, 'The model process hung and was killed.', 'It restarts.')
    MODEL_RESPAWNS = (_F, _FAULT, 'The model process died three times in five minutes.',
        'Read its log, then reconfigure.')
    MODEL_MEMORY = (_E, _FALLBACK, 'The model process ran out of memory.',
        'Free memory of the GPU or the machine, or take a smaller model.')
    MODEL_NONFINITE = (_W, _NOTE, 'Candidates with NaN were dropped.', 'Check the model file.')
    COC_TRUNCATED = (_W, _NOTE, 'The reasoning text was cut at its limit.', 'None needed.')
    COC_DISAGREES = (_W, _NOTE, 'The chosen path does the opposite of what the words announce.',
        'Compare intent and path; coc_degrades makes it count.')
    # Plans.
    PLAN_SHAPE = (_E, _FALLBACK, 'A proposal has a wrong shape or time step.',
        'Check the profile.')
    PLAN_REJECTED = (_E, _FALLBACK, 'No candidate passed the checks.',
        'See the values and limits.')
    PLAN_WARN = (_W, _DEGRADE, 'The chosen plan is close to a limit.',
        'See the values and limits.')
    PLAN_JUMP = (_E, _FALLBACK, 'Every candidate jumps away from the plan being driven.',
        'Check the cameras; the model may see two ways.')
    PLAN_STALE = (_E, _FALLBACK, 'The proposal is too old to be driven.', 'Lower the load.')
    PLAN_STAMP = (_W, _REFUSE, 'A proposal is not newer than the last plan.', 'Check the sender.')
    PLAN_FUTURE = (_E, _REFUSE, 'A proposal is about the future.', 'Check the clocks.')
    STOP_PATH = (_E, _NOTE, 'The stop along the last path would break a limit; another is driven.',
        'Check the odometry.')
    SPREAD_WARN = (_W, _DEGRADE, 'The candidates differ: the model is unsure.', 'None needed.')
    SPREAD = (_E, _FALLBACK, 'The candidates contradict each other.', 'Check the cameras.')
    OBJECTS = (_W, _DEGRADE, 'Objects are expected and cannot be used: collisions are not judged.',
        'Check the source of objects, its clock and its frame.')
    COLLISION_WARN = (_W, _DEGRADE, 'The chosen plan may hit an object.', 'Be ready to brake.')
    # Model files and configuration.
    MODEL_HASH = (_F, _REFUSE, 'A model file differs from its manifest.', 'Fetch the model again.')
    MODEL_ROLLBACK = (_F, _REFUSE, 'The model is older than the one before.', 'Install the newer.')
    MODEL_UNSAFE = (_F, _REFUSE, 'A model file could run code or leave its folder.', 'Delete it.')
    MODEL_SIGNATURE = (_F, _REFUSE, 'No trusted key signed the model.',
        'Sign it (alpamayo model sign), or trust the key that did.')
    MODEL_MISSING = (_F, _REFUSE, 'A model file is missing.', 'Run alpamayo doctor.')
    MODEL_FORMAT = (_F, _REFUSE, 'A model file does not fit the profile.', 'Export it again.')
    MODEL_PROVIDER = (_F, _REFUSE, 'What the runtime needs is not here.',
        'Run alpamayo doctor, or choose another runtime.')
    MODEL_GOLDEN = (_F, _REFUSE, 'Warm-up gave another result than when the model was exported.',
        'Export the model again on this runtime.')
    PARAMETER = (_E, _REFUSE, 'A parameter is missing, unknown or out of bounds.',
        'See config/nodes.param.yaml.')
    # Platform.
    BAG_BROKEN = (_E, _REFUSE, 'A bag is cut off or damaged.', 'Record it again.')
    DISK_WARN = (_W, _NOTE, 'The disk is nearly full.', 'Free some space.')
    DISK_FULL = (_E, _NOTE, 'Recording stopped: the disk is full.', 'Free some space.')
    GPU_WARN = (_W, _DEGRADE, 'The GPU is hot or its memory nearly full.', 'Improve the cooling.')
    GPU = (_E, _FALLBACK, 'The GPU is too hot or out of memory.', 'Improve the cooling.')
    NODE_LOST = (_E, _DEGRADE, 'A node has ended.', 'See its log; it restarts.')
    NODE_SILENT = (_E, _FALLBACK, 'A node stopped reporting.', 'See its log; it restarts.')
    INTERNAL = (_F, _FAULT, 'A rule of the program itself was broken.', 'Report this log.')
    # The graph.
    DUP_PUBLISHER = (_E, _FALLBACK, 'Two nodes publish one topic.', 'Stop one of them.')
    QOS_INCOMPATIBLE = (_E, _NOTE, 'A topic is offered with another QoS.', 'Match the policy.')
    PARAM_DENIED = (_W, _NOTE, 'A change of a fixed parameter was refused.', 'Reconfigure.')
    TAKEOVER = (_I, _NOTE, 'The driver has taken over.', 'Arm again when ready.')
    REARM_NEEDED = (_W, _NOTE, 'Healthy again; waiting to be re-armed.', 'Call ~/rearm.')
    # fmt: on

    def __init__(self, severity: Severity, reaction: Reaction, sentence: str, remedy: str) -> None:
        """Name the parts of the table row."""
        self.severity = severity
        self.reaction = reaction
        self.sentence = sentence
        self.remedy = remedy


# Tolerated for ``soft_degraded_s``, then FALLBACK.
SOFT_SENSING = frozenset(
    {
        Code.CAM_LOST,
        Code.CAM_FROZEN,
        Code.CAM_IMPLAUSIBLE,
        Code.CAM_RATE_WARN,
        Code.FRAME_AGE_WARN,
        Code.ODOM_GAP_WARN,
        Code.ODOM_SPEED_WARN,
        Code.ODOM_TURN_WARN,
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One occurrence: ``message`` says what was expected and came, ``values`` hold the numbers.

    ``values`` carry their unit in the key (``age_ns``, ``limit_mps``); text values name a source.
    ``raised``: the reaction that a parameter asks for where the code's own is milder.
    """

    code: Code
    message: str = ''
    values: Mapping[str, float | str] = field(default_factory=dict)
    raised: Reaction = Reaction.NOTE

    @property
    def reaction(self) -> Reaction:
        """What this occurrence causes."""
        return max(self.code.reaction, self.raised)

    def __str__(self) -> str:
        """``CODE: sentence message (key=value ...) remedy``: what a person reads in a log."""
        numbers = ' '.join(
            f'{k}={v:.6g}' if isinstance(v, float) else f'{k}={v}' for k, v in self.values.items()
        )
        parts = [
            f'{self.code.name}: {self.code.sentence}',
            self.message,
            f'({numbers})' if numbers else '',
        ]
        said = ' '.join(part for part in parts if part)
        end = '' if said.endswith(('.', '?', '!')) else '.'
        return f'{said}{end} {self.code.remedy}' if self.code.remedy else said


def worst(faults: list[Fault]) -> Reaction:
    """The worst reaction among ``faults``; NOTE for none."""
    return max((fault.reaction for fault in faults), default=Reaction.NOTE)
