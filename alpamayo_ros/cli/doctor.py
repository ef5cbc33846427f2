"""``alpamayo doctor``: what is installed and in force here, with the remedy for each finding."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from alpamayo_ros.cli import doctor_machine, doctor_software
from alpamayo_ros.cli.common import tables
from alpamayo_ros.cli.common.refusing import whoever_reads
from alpamayo_ros.cli.finding import Check, Finding, Level
from alpamayo_ros.statuses import Status

CHECKS: Sequence[Check] = (*doctor_software.CHECKS, *doctor_machine.CHECKS)
STYLES = {Level.OK: 'green', Level.WARN: 'yellow', Level.FAIL: 'bold red'}

app = typer.Typer(help='What is installed and in force here, with the remedy for each finding.')


def examine(checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """The findings of all checks, in order; a check that itself breaks is a WARN that says so."""
    findings: list[Finding] = []
    for check in checks:
        try:
            findings += check()
        except (OSError, ImportError, RuntimeError, ValueError, AttributeError) as error:
            text = f'the check itself failed: {type(error).__name__}: {error}'
            findings.append(Finding(check.__name__, Level.WARN, text, 'please report this'))
    return findings


def table(findings: Sequence[Finding]) -> Table:
    """Findings as a table; remedies stand below what they cure."""
    result = Table(box=None, padding=(0, 1), show_header=False)
    for finding in findings:
        text = finding.text + (f'\n  -> {finding.remedy}' if finding.remedy else '')
        style = STYLES[finding.level]
        result.add_row(f'[{style}]{finding.level.name}[/{style}]', finding.topic, text)
    return result


@app.callback(invoke_without_command=True)
def doctor(
    json_file: Annotated[
        Path | None, typer.Option('--json', help='Also write the findings to this file.')
    ] = None,
) -> None:
    """Examine this machine; exit status 1 when something must be repaired first."""
    findings = examine()
    failed = sum(f.level is Level.FAIL for f in findings)
    warned = sum(f.level is Level.WARN for f in findings)
    with whoever_reads():
        tables.show(table(findings))
        typer.echo(f'{len(findings)} findings: {failed} to repair, {warned} to look at.')
    if json_file:
        json_file.write_text(json.dumps([f.as_dict() for f in findings], indent=1) + '\n')
    raise typer.Exit(Status.FAIL if failed else Status.PASS)
