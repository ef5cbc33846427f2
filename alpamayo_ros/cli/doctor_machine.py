"""Checks of ``alpamayo doctor`` about the machine: memory, clock, renderer, GPU, disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from alpamayo_ros.cli.finding import Check, Finding, Level
from alpamayo_ros.gpu import gpu_faults, open_gpus
from alpamayo_ros.limits import load_limits
from alpamayo_ros.profile import share_dir
from alpamayo_ros.shared_memory import SHM, dead_segments
from alpamayo_ros.units import counted

OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL
SEGMENT_BYTES = 64 << 20  # a participant's segment in config/dds/fastdds_large_images.xml
PARTICIPANTS = 9  # nodes of the simulator graph
GIB = 1 << 30
RENDER = (
    'import moderngl; c = moderngl.create_context(standalone=True, backend="egl"); '
    'print(c.info["GL_RENDERER"], "| OpenGL", c.version_code)'
)


def processor() -> Iterator[Finding]:
    """Cores that this process may use."""
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    text = f'{counted(cores, "core")}, load {load:.1f}'
    if cores < 2:
        yield Finding('processor', WARN, text, 'two cores are needed for real time')
    elif load > cores:
        yield Finding('processor', WARN, text, 'something else is busy: free-running will be late')
    else:
        yield Finding('processor', OK, text)


def shared_memory() -> Iterator[Finding]:
    """Room in /dev/shm for one segment a node, and segments that dead nodes left behind."""
    if not SHM.is_dir():
        yield Finding(
            'shared memory', FAIL, f'{SHM} is not mounted', 'mount -t tmpfs shm /dev/shm'
        )
        return
    usage = shutil.disk_usage(SHM)
    wanted = SEGMENT_BYTES * PARTICIPANTS
    text = f'{SHM}: {usage.free / GIB:.2f} of {usage.total / GIB:.2f} GiB free'
    level = FAIL if usage.free < SEGMENT_BYTES else WARN if usage.free < wanted else OK
    remedy = (
        '' if level is OK else 'docker run --shm-size=1g, or mount -o remount,size=1g /dev/shm'
    )
    yield Finding('shared memory', level, text, remedy)
    left = dead_segments(time.time())
    size = sum(segment.size_bytes for segment in left) / (1 << 20)
    if left:
        text = f'{len(left)} Fast DDS segments ({size:.0f} MiB) of participants that were killed'
        remedy = 'alpamayo up removes them when it starts'
        yield Finding('shared memory', WARN if size > 256 else OK, text, remedy)


def clock() -> Iterator[Finding]:
    """Wall clock and monotonic clock run at the same rate, and the date is not absurd."""
    wall, mono = time.time_ns(), time.monotonic_ns()
    time.sleep(0.1)
    drift_ms = abs((time.time_ns() - wall) - (time.monotonic_ns() - mono)) / 1e6
    year = time.gmtime().tm_year
    if year < 2024:
        text = f'the date is in {year}'
        yield Finding('clock', FAIL, text, 'set the clock: timedatectl set-ntp true')
    elif drift_ms > 1.0:
        text = f'the wall clock moved {drift_ms:.1f} ms in 100 ms against the monotonic clock'
        yield Finding('clock', WARN, text, 'let chrony or PTP slew the clock, never step it')
    else:
        yield Finding('clock', OK, f'wall and monotonic clock agree within {drift_ms:.3f} ms')


def renderer() -> Iterator[Finding]:
    """The simulator can render: OpenGL through EGL, tried in a process of its own."""
    remedy = 'apt-get install libegl1 libgl1-mesa-dri'
    try:
        done = subprocess.run(
            [sys.executable, '-c', RENDER], capture_output=True, text=True, timeout=30
        )
    except subprocess.TimeoutExpired:
        yield Finding('renderer', FAIL, 'EGL gave no context within 30 s', remedy)
        return
    last = (done.stderr.strip().splitlines() or ['no message'])[-1]
    if done.returncode:
        yield Finding('renderer', FAIL, f'no OpenGL context: {last}', remedy)
    else:
        yield Finding('renderer', OK, done.stdout.strip())


def gpu() -> Iterator[Finding]:
    """NVIDIA GPUs by their driver; none is fine, nano runs on the CPU."""
    program = shutil.which('nvidia-smi')
    if not program:
        yield Finding('gpu', OK, 'no NVIDIA driver; the shipped model needs none')
        return
    query = [program, '--query-gpu=name,driver_version,memory.total', '--format=csv,noheader']
    done = subprocess.run(query, capture_output=True, text=True, timeout=20)
    if done.returncode:
        text = f'nvidia-smi failed: {done.stdout.strip()[:120]}'
        yield Finding('gpu', WARN, text, 'reinstall the driver, or ignore this: nano needs none')
    for line in done.stdout.strip().splitlines() if not done.returncode else []:
        yield Finding('gpu', OK, line)


def gpu_watch() -> Iterator[Finding]:
    """Whether temperature and memory of the GPUs can be read, and are within the limits."""
    reader = open_gpus()
    if isinstance(reader, str):
        remedy = 'for a model on a GPU: install the driver, pip install nvidia-ml-py'
        yield Finding('gpu watch', OK, reader, remedy)
        return
    readings = reader.read()
    for fault in gpu_faults(readings, load_limits()):
        yield Finding('gpu watch', WARN, str(fault), fault.code.remedy)
    text = '; '.join(f'{g.name}: {g.celsius:.0f} C, {g.memory_ratio:.0%} used' for g in readings)
    yield Finding('gpu watch', OK, text or 'the driver knows no GPU')


def disk() -> Iterator[Finding]:
    """Room for logs, bags and reports, by the limits of a recording."""
    limits, usage = load_limits(), shutil.disk_usage(Path.cwd())
    full, low = usage.free < limits.disk_bytes, usage.free < limits.disk_warn_bytes
    level = FAIL if full else WARN if low else OK
    stop = f'free some space: recording stops below {limits.disk_bytes / 1e9:g} GB'
    text = f'{usage.free / 1e9:.1f} GB free here; package data in {share_dir()}'
    yield Finding('disk', level, text, '' if level is OK else stop)


CHECKS: tuple[Check, ...] = (processor, shared_memory, clock, renderer, gpu, gpu_watch, disk)
