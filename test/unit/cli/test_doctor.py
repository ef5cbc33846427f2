"""``alpamayo doctor``: each check finds what is wrong and says what to type."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from alpamayo_ros import environment
from alpamayo_ros.cli import doctor, doctor_machine, doctor_software
from alpamayo_ros.cli.finding import Finding, Level
from alpamayo_ros.shared_memory import Segment


def levels(findings: object) -> list[Level]:
    return [f.level for f in findings]  # type: ignore[attr-defined]


def test_a_prepared_machine_has_nothing_to_repair_but_a_missing_model() -> None:
    findings = doctor.examine()
    failed = [f for f in findings if f.level is Level.FAIL and f.topic != 'models']
    assert failed == []
    assert {'python', 'ros', 'messages', 'clock', 'renderer'} <= {f.topic for f in findings}


def test_whatever_is_not_ok_has_a_remedy() -> None:
    assert [f for f in doctor.examine() if f.level is not Level.OK and not f.remedy] == []


@pytest.mark.parametrize(('level', 'status'), [(Level.OK, 0), (Level.WARN, 0), (Level.FAIL, 1)])
def test_exit_status_is_1_only_when_something_must_be_repaired(
    level: Level, status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    finding = Finding('clock', level, 'what was found', 'what to type')
    monkeypatch.setattr(doctor, 'examine', lambda: [finding])
    result = CliRunner().invoke(doctor.app, ['--json', str(tmp_path / 'out.json')])
    assert result.exit_code == status
    assert 'what to type' in result.output
    assert json.loads((tmp_path / 'out.json').read_text()) == [finding.as_dict()]


def test_a_check_that_breaks_is_reported_and_the_rest_goes_on() -> None:
    def broken() -> list[Finding]:
        raise OSError('no such device')

    findings = doctor.examine([broken, lambda: [Finding('x', Level.OK, 'fine')]])
    assert levels(findings) == [Level.WARN, Level.OK]
    assert 'no such device' in findings[0].text


def test_a_distribution_beside_the_wheels_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('ROS_DISTRO', 'jazzy')
    monkeypatch.setattr(doctor_software, 'version_of', lambda package: '9.1.2')
    (finding,) = doctor_software.ros()
    assert finding.level is Level.FAIL and 'no setup.bash' in finding.remedy


def test_no_ros_at_all_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('ROS_DISTRO', raising=False)
    monkeypatch.setattr(doctor_software, 'version_of', lambda package: '')
    assert levels(doctor_software.ros()) == [Level.FAIL]


def test_a_changed_message_file_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / 'msg').mkdir()
    text = 'uint8 OK=0\nstring name # x\nuint8 level\nfloat64 added_later\n'
    (tmp_path / 'msg' / 'CheckResult.msg').write_text(text)
    monkeypatch.setattr(doctor_software, 'share_dir', lambda: tmp_path)
    (finding,) = doctor_software.messages()
    assert finding.level is Level.FAIL
    assert 'CheckResult' in finding.text and './run setup' in finding.remedy


def test_no_fast_dds_profile_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.FAST_DDS:
        monkeypatch.delenv(name, raising=False)
    finding = next(iter(doctor_software.middleware()))
    assert finding.level is Level.FAIL and 'fastdds_large_images.xml' in finding.remedy


def test_a_domain_that_the_middleware_does_not_take_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', 'abc')
    finding = list(doctor_software.middleware())[-1]
    assert finding.level is Level.FAIL and finding.remedy == 'export ROS_DOMAIN_ID=7'
    assert finding.text == "ROS_DOMAIN_ID is 'abc': expected a whole number from 0 to 232"


def test_small_shared_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = SimpleNamespace(total=64 << 20, free=60 << 20)
    monkeypatch.setattr(doctor_machine.shutil, 'disk_usage', lambda path: usage)
    finding = next(iter(doctor_machine.shared_memory()))
    assert finding.level is Level.FAIL and '--shm-size' in finding.remedy


def test_segments_of_killed_nodes_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    left = [Segment(Path('segment'), Path('segment_el'), 300 << 20)]
    monkeypatch.setattr(doctor_machine, 'dead_segments', lambda now_s: left)
    *_, finding = doctor_machine.shared_memory()
    assert finding.level is Level.WARN
    assert '1 Fast DDS segments (300 MiB)' in finding.text and 'alpamayo up' in finding.remedy


def test_a_damaged_model_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / 'models' / 'nano'
    folder.mkdir(parents=True)
    (folder / 'manifest.json').write_text('{}')
    finding = doctor_software.model(folder)
    assert finding.level is Level.FAIL and finding.remedy


def test_a_missing_renderer_fails_with_the_apt_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_machine, 'RENDER', 'raise SystemExit("no EGL here")')
    (finding,) = doctor_machine.renderer()
    assert finding.level is Level.FAIL
    assert 'no EGL here' in finding.text and 'libegl1' in finding.remedy


def test_the_tool_is_installed_as_a_program() -> None:
    program = shutil.which('alpamayo') or Path(sys.prefix) / 'bin' / 'alpamayo'
    done = subprocess.run([program, '--version'], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0 and done.stdout.startswith('alpamayo_ros ')
