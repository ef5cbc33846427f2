"""``alpamayo data check``, ``seal`` and ``simulate``: bags themselves."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alpamayo_ros.cli.common.refusing import whoever_reads
from alpamayo_ros.cli.working import working
from alpamayo_ros.graph_options import SEED
from alpamayo_ros.preflight import check_bag, check_file
from alpamayo_ros.statuses import Status
from alpamayo_ros.units import counted

if TYPE_CHECKING:
    from alpamayo_ros.bags.bag import BagMessage

LARGEST = (8192, 8192)
Bag = Annotated[Path, typer.Argument(help='A bag: .mcap, .db3 or a folder of rosbag2.')]


def check(
    bag: Bag,
    as_json: Annotated[bool, typer.Option('--json', help='One JSON object on stdout.')] = False,
) -> None:
    """Read a whole bag and say whether it is sound: lengths, checksums, indexes, counts, messages.

    Every message is decoded, every compressed image is looked through.
    Exit 0: sound; 5: damaged, and where. Bags of `ros2 bag record` have no
    checksum over messages unless config/record.yaml is used; `alpamayo data
    seal` adds one afterwards.
    """
    from alpamayo_ros.bags.bag import BagReader
    from alpamayo_ros.bags.outline import outline

    check_bag(bag)
    with working('reading', (ValueError,)) as moved:
        contents = outline(bag)
        total = max(1, contents.counts.total())
        reader, found = BagReader(bag), Counter[str]()
        images: list[str] = []
        for number, message in enumerate(reader):
            found[message.topic] += 1
            if problem := _image(message):
                images.append(f'{message.topic} at {message.time_ns / 1e9:.3f} s: {problem}')
            if number % 100 == 0:
                moved(number / total)
    result: dict[str, Any] = {
        'bag': str(bag),
        'sound': reader.fault is None and not images,
        'fault': '' if reader.fault is None else reader.fault.message,
        'offset': None if reader.fault is None else reader.fault.values.get('offset'),
        'messages': reader.count,
        'under_no_checksum': reader.unchecked,
        'images': images,
        'not_looked_into': reader.unread,
        'strays': contents.strays(),
        'topics': dict(sorted(found.items())),
        'about': contents.about,
    }
    with whoever_reads():
        typer.echo(json.dumps(result, indent=1) if as_json else _text(result, contents.types))
    raise typer.Exit(Status.PASS if result['sound'] else Status.DAMAGED)


def seal(bag: Bag) -> None:
    """Write the SHA-256 of each file of a bag, which every later reading compares with.

    sqlite3 bags, and mcap as `ros2 bag record` writes it, cannot show a
    flipped bit within a message; a sealed one can. `sha256sum -c` reads the
    same file. A bag that is damaged already is refused (exit 5).
    """
    from alpamayo_ros.bags.bag import BagReader
    from alpamayo_ros.bags.folder import seal as run
    from alpamayo_ros.bags.folder import sums_path

    check_bag(bag)
    if sums_path(bag).exists():
        typer.echo(f'{sums_path(bag)} exists; compare with: alpamayo data check {bag}', err=True)
        raise typer.Exit(Status.USAGE)
    with working('sealing'):
        reader = BagReader(bag)
        for _ in reader:
            pass
        if reader.fault is not None:
            typer.echo(f'not sealed: BAG_BROKEN {reader.fault.message}', err=True)
            raise typer.Exit(Status.DAMAGED)
        target = run(bag)
    typer.echo(f'{target}: sealed; alpamayo data check {bag} compares')


def recover(
    bag: Bag,
    out: Annotated[Path, typer.Argument(help='Bag to write (.mcap); must not exist.')],
) -> None:
    """Copy what can be read of a damaged or unfinished bag into a whole one that says so.

    Everything before the first damage is kept, byte for byte. The file that a
    killed recorder leaves (drive.mcap.part) is read too. Exit 5 where there
    was damage, 0 where there was none.
    """
    from alpamayo_ros.bags.recover import recover as run

    check_bag(bag)
    check_file(out)
    with working('recovering', into=out):
        found = run(bag, out)
    with whoever_reads():
        kept = counted(found.counts.total(), 'message')
        typer.echo(f'{out}: {kept} on {counted(len(found.counts), "topic")}')
    if found.damage:
        typer.echo(f'BAG_BROKEN: {found.damage}', err=True)
    raise typer.Exit(Status.DAMAGED if found.damage else Status.PASS)


def simulate(
    out: Annotated[Path, typer.Argument(help='New bag (.mcap); the rig goes beside it.')],
    scenario: Annotated[str, typer.Option(help='Name of a scenario.')] = 'winding_road',
    seed: Annotated[int, typer.Option(min=0, max=SEED[1], help='Seed of the world.')] = 0,
    seconds: Annotated[float, typer.Option(min=0.1, max=600, help='Length.')] = 10.0,
    size: Annotated[
        str, typer.Option(help='Draw every picture up to WIDTHxHEIGHT, for benchmarks.')
    ] = '',
) -> None:
    """Record a drive of the built-in simulator without ROS; the privileged expert drives.

    Six JPEG cameras at 10 Hz, camera_info, odometry and tf at 50 Hz,
    ground_truth/objects and nav_instruction. The same arguments give the same
    bytes.
    """
    from alpamayo_ros.bags.new_bag import check_new_bag
    from alpamayo_ros.simulation.drive.drive_bag import record_drive
    from alpamayo_ros.simulation.scenario import load_scenario

    pixels = _size(size)
    load_scenario(scenario)
    check_file(out)
    check_new_bag(out)
    with working('driving', into=out) as moved:
        facts = record_drive(scenario, seed, out, seconds, pixels, lambda s: moved(s / seconds))
    end = f', the drive ended: {facts.end}' if facts.end else ''
    made = f'{counted(facts.messages, "message")}, {counted(facts.steps, "step")} of 0.1 s'
    typer.echo(f'{out}: {made}{end}')


def _size(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    width, _, height = text.partition('x')
    if not (width.isdigit() and height.isdigit() and 0 < int(width) <= 8192 >= int(height) > 0):
        raise typer.BadParameter(f'--size is WIDTHxHEIGHT, 1600x900 for example, not {text!r}')
    return int(width), int(height)


def _image(message: BagMessage) -> str:
    """What is wrong with a compressed image, '' where nothing is or it is none."""
    if message.type != 'sensor_msgs/msg/CompressedImage' or isinstance(message.message, bytes):
        return ''
    from alpamayo_ros.faults import Code, Fault
    from alpamayo_ros.sensing.image_gate import JPEG_START, decode_compressed, gate_compressed

    data, size = message.message.data, LARGEST
    fault = gate_compressed(data, size)
    if fault is not None and 'width' in fault.values:  # its own size is as good as any here
        size = (int(fault.values['width']), int(fault.values['height']))
        fault = gate_compressed(data, size)
    if fault is None and bytes(data[:3]) == JPEG_START:
        found = decode_compressed(data, size, reduction=8)
        fault = found if isinstance(found, Fault) else None
    damage = (Code.IMG_HEADER, Code.IMG_TRUNCATED, Code.IMG_TORN, Code.IMG_DECODE)
    return f'{fault.code.name} {fault.message}' if fault and fault.code in damage else ''


def _text(result: dict[str, Any], types: dict[str, str]) -> str:
    lines = [f'{result["bag"]}: {"sound" if result["sound"] else "DAMAGED"}']
    lines += [f'  {n:7d}  {name}  {types.get(name, "")}' for name, n in result['topics'].items()]
    lines += [f'  {name}: {text}' for name, text in result['about'].items()]
    if result['fault']:
        lines.append(f'BAG_BROKEN: {result["fault"]}')
    lines += [f'image: {text}' for text in result['images'][:10]]
    if len(result['images']) > 10:
        lines.append(f'image: and {len(result["images"]) - 10} more')
    for name, reason in result['not_looked_into'].items():
        lines.append(f'not looked into: {name}: {reason}')
    lines += [f'stray: {text}' for text in result['strays']]
    if count := result['under_no_checksum']:
        lines.append(
            f'under no checksum: {counted(count, "message")}; a flipped bit in one that still '
            'decodes would go unseen. alpamayo data seal protects it from now on.'
        )
    return '\n'.join(lines)
