"""``alpamayo sim``: closed-loop drives without ROS, scored."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from alpamayo_ros.cli.choices import WordsConcurrent, WordsEvery, one_of, words_option
from alpamayo_ros.cli.common.alone import alone_with
from alpamayo_ros.cli.common.apart import driving
from alpamayo_ros.runtime import registry
from alpamayo_ros.runtime.foreign import FORM, named, registered
from alpamayo_ros.simulation.batch.batch import Task
from alpamayo_ros.simulation.drive.ablation import ABLATIONS
from alpamayo_ros.simulation.drive.planners import KINDS

MAX_DRIVES = 100_000
WORDY = tuple(entry.name for entry in registry.RUNTIMES if entry.files)
BLIND = ('expert', 'straight', 'scripted')  # planners without pictures
DEAF = ('straight', 'scripted')  # planners that read no prompt
WORST = 5  # drives that a report shows
SCENARIO, SEEDS = 'winding_road', '0:10'
ROUNDING = 1e-6  # of a latency in steps
SUITE_SEEDS = '100:102'  # neither trained on (10000 on) nor chosen on (0 to 50)


def parse_seeds(text: str) -> list[int]:
    """``100:150`` (the end excluded), ``7`` or ``1,5,9``; typer.BadParameter otherwise."""
    text = text.strip()
    if re.fullmatch(r'\d{1,9}:\d{1,9}', text):
        first, end = map(int, text.split(':'))
        if end - first > MAX_DRIVES:
            raise typer.BadParameter(f'--seeds {text!r}: expected at most {MAX_DRIVES} of them')
        seeds = list(range(first, end))
    elif re.fullmatch(r'\d{1,9}(,\d{1,9})*', text):
        seeds = list(dict.fromkeys(map(int, text.split(','))))
    else:
        form = '100:150, 7 or 1,5,9, each of at most nine digits'
        raise typer.BadParameter(f'--seeds {text!r}: expected {form}')
    if not seeds:
        raise typer.BadParameter(f'--seeds {text!r} holds no seed; the end is excluded')
    return seeds


def app(
    scenario: Annotated[
        str,
        typer.Option(help='Name of a scenario (--list), or a .yaml path; default: winding_road.'),
    ] = '',
    suite: Annotated[
        str,
        typer.Option(help='Drive all of train, val, test or logs (or of a folder) instead.'),
    ] = '',
    seeds: Annotated[
        str | None,
        typer.Option(help='100:150 (end excluded), 7 or 1,5,9; in a suite: of each template.'),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help='In a suite: only the first so many runs.')
    ] = None,
    planner: Annotated[
        str, typer.Option(help=f'{", ".join(KINDS)}, or {FORM} of your own.')
    ] = 'onnx',
    model: Annotated[
        str, typer.Option(help='Folder of the model; default: the shipped one.')
    ] = '',
    profile: Annotated[str, typer.Option(help='Profile of the model.')] = 'nano',
    objects: Annotated[
        str, typer.Option(help='What the safety part sees of others: none, or truth.')
    ] = 'none',
    ablate: Annotated[str, typer.Option(help=f'{" or ".join(ABLATIONS)}.')] = '',
    latency: Annotated[
        float, typer.Option(min=0, max=1, help='Simulated latency in steps of 0.1 s.')
    ] = 0.0,
    prompt: Annotated[
        str, typer.Option(help="Driving prompt; the expert's are in config/prompts.yaml.")
    ] = '',
    words_every: WordsEvery = 0.0,
    words_concurrent: WordsConcurrent = False,
    inject: Annotated[
        str, typer.Option(help='Faults by row, start and length: F03@5s:2s;F23@9s:0.5s.')
    ] = '',
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=64, help='Processes; default: 1, in a suite one a core.'),
    ] = None,
    ray: Annotated[
        bool, typer.Option('--ray', help='Suite: over the ray cluster of RAY_ADDRESS (or here).')
    ] = False,
    json_path: Annotated[
        Path | None, typer.Option('--json', help='Write rows and summary to this file.')
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help='Suite: folder for a page with the worst drives on film.')
    ] = None,
    worst: Annotated[
        int | None,
        typer.Option(
            min=0, max=1000, help=f'How many drives --report shows, a page each; default: {WORST}.'
        ),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help='Suite: compare with this earlier --json; exit 1 if worse.')
    ] = None,
    list_: Annotated[bool, typer.Option('--list', help='Only list the scenarios.')] = False,
) -> None:
    """Drive seeds of a scenario, or a suite, in lockstep without ROS and score them.

    Examples: alpamayo sim --scenario winding_road --seeds 100:150 --objects none --json out.json

    alpamayo sim --suite test --json out.json --report out/suite

    An interrupted call goes on where it stopped when --json names the same file.
    """
    from alpamayo_ros.cli.simulating.tables import show, show_scenarios
    from alpamayo_ros.simulation.worlds.simulation import STEP_S

    if list_:
        return show_scenarios()
    if planner not in KINDS and not named(planner):
        known = ', '.join((*KINDS, *registered()))
        raise typer.BadParameter(
            f'--planner: no planner {planner!r}; there are {known}, and {FORM} of your own'
        )
    if worst is not None and report is None:
        raise typer.BadParameter('--worst belongs to --report FOLDER, which is missing')
    one_of('objects', objects, ('none', 'truth'))
    one_of('ablate', ablate, ('', *ABLATIONS))
    if suite and scenario:
        raise typer.BadParameter('--suite brings its scenarios: leave it out, or --scenario')
    steps = round(latency / STEP_S)
    if abs(latency / STEP_S - steps) > ROUNDING:
        raise typer.BadParameter(f'--latency {latency:g}: expected steps of {STEP_S:g} s')
    name = '' if suite else scenario or SCENARIO
    _check(planner, model, profile, name, (json_path, report))
    if planner == 'expert':
        _name_unknown(prompt)
    if ablate and planner in BLIND:
        raise typer.BadParameter(f'--ablate takes pictures away, and {planner} looks at none')
    if prompt and planner in DEAF:
        raise typer.BadParameter(f'--prompt has no effect: {planner} drives as it drives')
    if against is not None and json_path is not None and against.resolve() == json_path.resolve():
        raise typer.BadParameter(
            f'--json would write over {against}, which --against compares with'
        )
    option = words_option(words_every, words_concurrent)
    if option and planner not in WORDY:
        raise typer.BadParameter(f'{option} is for {" and ".join(WORDY)}, not {planner}')
    words = (words_every, words_concurrent)
    task = Task(name, planner, profile, model, objects, steps, ablate, prompt, *words)
    with driving('alpamayo sim'), alone_with(json_path):
        if suite:
            if inject:
                raise typer.BadParameter('--inject belongs to one scenario: leave out --suite')
            from alpamayo_ros.cli.simulating.suite import Call, drive_suite

            shown = WORST if worst is None else worst
            many = parse_seeds(SUITE_SEEDS if seeds is None else seeds)
            call = Call(suite, many, limit, workers, ray, json_path, report, shown, against)
            drive_suite(task, call)
        else:
            _only_suites(limit=limit, ray=ray, report=report, against=against)
            found = parse_seeds(SEEDS if seeds is None else seeds)
            show(drive(task, found, workers or 1, json_path, inject))


def _check(
    planner: str, model: str, profile: str, scenario: str, out: tuple[Path | None, Path | None]
) -> None:
    """What can be said before a process starts; ``out``: a file and a folder to write."""
    from alpamayo_ros.preflight import check_file, check_folder, check_model
    from alpamayo_ros.profile import load_profile
    from alpamayo_ros.simulation.scenario import load_scenario

    loaded = load_profile(profile)
    if planner in registry.NAMES or named(planner):
        check_model(planner, loaded, model)
    elif model:
        raise typer.BadParameter(f'--model is for {" and ".join(WORDY)}, not {planner}')
    if scenario:
        load_scenario(scenario)
    for check, path in zip((check_file, check_folder), out, strict=True):
        if path is not None:
            check(path)


def _name_unknown(prompt: str) -> None:
    """Say which words of a prompt the expert will not obey."""
    from alpamayo_ros.simulation.driving_wish import read_prompt

    unknown = read_prompt(prompt).unknown
    if unknown:
        words = f'the expert does not understand {unknown!r} of the prompt and drives without it'
        typer.echo(f'alpamayo sim: {words}; config/prompts.yaml lists what it obeys', err=True)


def _only_suites(**options: object) -> None:
    for name, value in options.items():
        if value:
            raise typer.BadParameter(f'--{name} belongs to a suite: add --suite test')


def drive(
    task: Task, seeds: list[int], workers: int, json_path: Path | None, faults: str = ''
) -> dict[str, Any]:
    """Run a batch under a progress bar; the report is also written to ``json_path``."""
    from alpamayo_ros.bags.whole_file import write_whole
    from alpamayo_ros.cli.simulating.progress import Bar, interruptible, partial
    from alpamayo_ros.simulation.batch import batch
    from alpamayo_ros.simulation.batch.figures import summarise
    from alpamayo_ros.simulation.batch.journal import Job
    from alpamayo_ros.simulation.scenario import load_scenario, with_faults

    try:
        scenario = with_faults(load_scenario(task.scenario), faults)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    journal, began = partial(json_path), time.perf_counter()
    jobs = [Job(scenario, seed) for seed in seeds]
    with interruptible(journal), Bar(scenario.name, jobs) as bar:
        how = batch.Execution(workers, journal, None, bar.done, bar.tell, bar.resumed)
        rows, planner = batch.drive(task, jobs, how)
    report = {
        'task': json.loads(task.to_json()),
        'planner': planner,
        'faults': scenario.faults,
        'summary': summarise(rows),
        'seconds': round(time.perf_counter() - began, 2),
        'rows': rows,
    }
    if json_path is not None and journal is not None:
        write_whole(json_path, json.dumps(report, indent=1) + '\n')
        journal.unlink(missing_ok=True)
    return report
