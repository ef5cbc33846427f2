"""What a person may choose when starting a graph, by launch file or by ``alpamayo up``.

Each is declared once, with its default and its sentence; both commands are derived from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

from alpamayo_ros.config_file import unknown
from alpamayo_ros.statuses import ConfigError

Value = bool | int | float | str


CONTROLLERS = (
    'twist',
    'ackermann',
    'ackermann_stamped',
    'carla',
)  # messages of the controller node
Bounds = tuple[float, float]  # both inclusive
SEED: Bounds = (0, 2**31 - 1)
RATE: Bounds = (0.01, 100.0)
DURATION_S: Bounds = (0.0, 1.0e6)
SPEED_MPS: Bounds = (0.0, 60.0)
ACCELERATION_MPS2: Bounds = (0.0, 10.0)
SIMULATOR, REPLAY, RECORDED = ('simulator',), ('replay',), ('simulator', 'vehicle')


def _option(
    default: Value,
    sentence: str,
    flag: str = '',
    within: Bounds | None = None,
    graphs: tuple[str, ...] = (),
) -> Any:
    """A field of ``Options``; ``flag``: how the command line calls it, where not by its name.

    ``graphs`` that have a use for it; (): every one.
    """
    about = {'sentence': sentence, 'flag': flag, 'within': within, 'graphs': graphs}
    return field(default=default, metadata=about)


@dataclass(frozen=True, slots=True)
class Options:
    """One choice each; '' and 0 mean 'not given'."""

    scenario: str = _option('winding_road', 'Simulator: name of a scenario.', graphs=SIMULATOR)
    seed: int = _option(0, 'Simulator: seed of the world and of the noise.', within=SEED)
    lockstep: bool = _option(False, 'Wait for each reply, or wall time.', '--lockstep/--free')
    duration_s: float = _option(
        0.0, 'End after so many simulated seconds; 0: no limit.', '--duration', DURATION_S
    )
    shadow: bool = _option(False, 'Plan on topics that no controller reads.')
    manual: bool = _option(
        False, 'Wait for alpamayo arm, and rearm after a stop, as a vehicle does.'
    )
    speed_cap_mps: float = _option(
        0.0,
        "Plan no faster than this [m/s]; 0: the profile's top speed.",
        '--speed-cap',
        SPEED_MPS,
    )
    acceleration_cap_mps2: float = _option(
        0.0,
        'Accelerate no harder than this [m/s2]; 0: as the limits say.',
        '--acceleration-cap',
        ACCELERATION_MPS2,
    )
    controller: str = _option(
        '', 'Command a drive-by-wire: twist, ackermann, ackermann_stamped, carla; empty: nobody.'
    )
    autoware: bool = _option(False, "Vehicle: speak Autoware's messages, be armed by its modes.")
    sim_time: bool = _option(False, 'Vehicle: time comes from /clock, as of CARLA.')
    runtime: str = _option('onnx', 'Who plans, a name of runtime.registry.')
    model: str = _option('', 'Folder of a model; default: the shipped one.')
    trusted_keys: str = _option(
        '', 'Public key, or folder of *.pub, one of which signed the model; empty: any model.'
    )
    objects: str = _option('none', 'Objects in the cost: none or ground_truth.')
    inject: str = _option('', 'Faults of sensors: F03@5s:2s, or injectors as in docs/faults.md.')
    bag: str = _option('', 'Replay: the bag (.mcap file or folder).', graphs=REPLAY)
    rate: float = _option(1.0, 'Replay: speed against wall time.', within=RATE, graphs=REPLAY)
    incomplete: bool = _option(
        False, 'Replay: play a bag that lacks what the profile needs.', graphs=REPLAY
    )
    rig: str = _option('sim', 'Camera rig.')
    profile: str = _option('nano', 'Model profile.')
    output: str = _option(
        '', 'Simulator: write the score and log of the drive to this file.', graphs=SIMULATOR
    )
    record: str = _option('', 'Folder: write what the graph says and sees, for film and report.')
    incidents: str = _option('', 'Folder: what led to it, written when driving ends by a fault.')
    about: str = _option('', 'A few words for film and report; default: of the scenario.')
    bag_out: str = _option(
        '', 'Simulator, vehicle: record the inputs into this bag (.mcap).', graphs=RECORDED
    )
    bag_topics: str = _option('', 'What --bag-out records; default: record.yaml of config/.')
    listeners: str = _option('', 'Lockstep waits for these nodes too; names, commas between.')
    parameters: str = _option('', 'A parameter file read after nodes.param.yaml of config/.')
    topics: str = _option('', 'YAML file: topic of this package to topic of the vehicle.')


@dataclass(frozen=True, slots=True)
class Choice:
    """An option as commands declare it; ``flag`` as ``--bag-out``; ``within``: its bounds."""

    name: str
    default: Value
    sentence: str
    flag: str
    within: Bounds | None = None


def check_chosen(name: str, options: Options) -> None:
    """ConfigError where something was chosen that the graph ``name`` has no use for."""
    for option in fields(Options):
        graphs = option.metadata['graphs']
        if graphs and name not in graphs and getattr(options, option.name) != option.default:
            expected = ' or '.join(graphs)
            raise ConfigError(
                f'{option.name}: the graph {name} has no use for it; expected {expected}'
            )
    if options.listeners and not options.lockstep:
        raise ConfigError('listeners: only lockstep waits for them; add it, or leave them out')


def choices() -> list[Choice]:
    """The options in the order in which help lists them."""
    defaults = Options()
    return [
        Choice(
            o.name,
            getattr(defaults, o.name),
            o.metadata['sentence'],
            o.metadata['flag'] or _flag(o),
            o.metadata['within'],
        )
        for o in fields(Options)
    ]


def _flag(option: Field[Any]) -> str:
    """``--bag-out`` for ``bag_out``; every switch is off unless it is given."""
    return f'--{option.name.replace("_", "-")}'


def parse_options(texts: Mapping[str, str]) -> Options:
    """Options from text (launch arguments).

    ConfigError names the argument that does not fit its type or its bounds, or that is unknown.
    """
    known = {choice.name: choice for choice in choices()}
    values: dict[str, Value] = {}
    for name, text in texts.items():
        if name not in known:
            raise ConfigError(unknown('argument', name, known, 'see --show-args'))
        values[name] = _value(known[name], text)
    return Options(**values)  # type: ignore[arg-type]


def _value(choice: Choice, text: str) -> Value:
    """The value that an argument says, within its bounds."""
    name, default = choice.name, choice.default
    try:
        value = _parse(text, default)
    except ValueError as error:
        kind = type(default).__name__
        said = f'argument {name}:={text!r} is not a {kind}; try {name}:={default}'
        raise ConfigError(said) from error
    if choice.within and not choice.within[0] <= float(value) <= choice.within[1]:
        low, high = choice.within
        raise ConfigError(f'argument {name}:={text}: expected {low:g} to {high:g}')
    return value


def _parse(text: str, default: Value) -> Value:
    if isinstance(default, bool):
        if text.lower() not in ('true', 'false'):
            raise ValueError(text)
        return text.lower() == 'true'
    return type(default)(text)
