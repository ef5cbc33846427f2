"""Every runtime there is, one entry each; commands, nodes, simulator and doctor read this table.

An entry names what its runtime needs before any of it is imported, so that a missing package is
a fault that says what to type, and nothing loads torch unless a person asks for it by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime import foreign
from alpamayo_ros.runtime.base import Runtime
from alpamayo_ros.runtime.manifest import ModelFiles
from alpamayo_ros.runtime.scripted import Script, ScriptedRuntime
from alpamayo_ros.statuses import Status

GRAPHS = ('encoder.onnx', 'fusion.onnx', 'decode.onnx', 'denoise.onnx')
WEIGHTS = 'weights.safetensors'
TEXT_FILES = ('tokenizer.json', 'grammar.json')
STATUSES = {  # of what is wrong with a model; else it is the typed name or folder
    Code.MODEL_HASH: Status.DAMAGED,
    Code.MODEL_UNSAFE: Status.DAMAGED,
    Code.MODEL_SIGNATURE: Status.DAMAGED,
    Code.MODEL_FORMAT: Status.DAMAGED,
    Code.MODEL_GOLDEN: Status.DAMAGED,
    Code.MODEL_PROVIDER: Status.ENVIRONMENT,
}


@dataclass(frozen=True, slots=True)
class Material:
    """What a runtime is made of; a test double has no files.

    ``record``: of an adopted checkpoint, where it is not the profile's own.
    """

    profile: ModelProfile
    files: ModelFiles | None = None
    script: Script | None = None
    record: Path | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One runtime: ``files`` it reads of a model's folder, ``package`` it imports ('': none).

    ``obstacle``: why it cannot run here although the package is installed.  ``vendor``: it runs
    released checkpoints that were adopted; the function says whether one was for a profile.
    """

    name: str
    summary: str
    load: Callable[[Material], Runtime | Fault]
    files: tuple[str, ...] = ()
    package: str = ''
    install: str = ''
    test_double: bool = False
    obstacle: Callable[[], Fault | None] | None = None
    vendor: Callable[[ModelProfile, Path | None], Fault | None] | None = None

    @property
    def installed(self) -> bool:
        """Whether the package is here, found without importing it."""
        return not self.package or find_spec(self.package) is not None


def _onnx(material: Material) -> Runtime | Fault:
    from alpamayo_ros.runtime import onnx_runtime

    assert material.files is not None
    return onnx_runtime.load(material.files, material.profile)


def _torch(material: Material) -> Runtime | Fault:
    from alpamayo_ros.runtime import torch_runtime

    assert material.files is not None
    return torch_runtime.load(material.files, material.profile)


def _torch_cuda(material: Material) -> Runtime | Fault:
    from alpamayo_ros.runtime.torch_cuda import runtime

    assert material.files is not None
    return runtime.load(material.files, material.profile)


def _no_cuda() -> Fault | None:
    from alpamayo_ros.runtime.torch_cuda.runtime import no_gpu

    return no_gpu()


def _tensorrt(kind: str, material: Material) -> Runtime | Fault:
    from alpamayo_ros.runtime.tensorrt import tensorrt_runtime

    assert material.files is not None
    return tensorrt_runtime.load(kind, material.files, material.profile)


def _no_gpu() -> Fault | None:
    from alpamayo_ros.runtime.tensorrt.cuda import no_gpu

    return no_gpu()


def _nvidia(material: Material) -> Runtime | Fault:
    from alpamayo_ros.runtime.nvidia import nvidia_runtime

    return nvidia_runtime.load(material.profile, material.record)


def _adopted(profile: ModelProfile, record: Path | None) -> Fault | None:
    from alpamayo_ros.runtime.nvidia import nvidia_runtime

    return nvidia_runtime.ready(profile, record)


def _scripted(material: Material) -> Runtime | Fault:
    return ScriptedRuntime(material.profile, material.script)


RUNTIMES = (
    Entry(
        name='onnx',
        summary='ONNX Runtime on one CPU thread, the default',
        load=_onnx,
        files=(*GRAPHS, *TEXT_FILES),
        package='onnxruntime',
        install='pip install -r requirements/core.txt',
    ),
    Entry(
        name='torch',
        summary='the modules themselves in float32, the reference',
        load=_torch,
        files=(WEIGHTS, *TEXT_FILES),
        package='torch',
        install='pip install -r requirements/train.txt',
    ),
    Entry(
        name='torch_cuda',
        summary='a cycle of CUDA graphs, unverified on a GPU (page engines.md)',
        load=_torch_cuda,
        files=(WEIGHTS, *TEXT_FILES),
        package='torch',
        install='install torch for CUDA, of the version in requirements/train.txt',
        obstacle=_no_cuda,
    ),
    Entry(
        name='tensorrt_rtx',
        summary='engines of TensorRT for RTX, unverified on a GPU (page engines.md)',
        load=partial(_tensorrt, 'tensorrt_rtx'),
        files=TEXT_FILES,
        package='tensorrt_rtx',
        install='pip install -r requirements/tensorrt.txt',
        obstacle=_no_gpu,
    ),
    Entry(
        name='tensorrt',
        summary='engines of TensorRT, unverified on a GPU (page engines.md)',
        load=partial(_tensorrt, 'tensorrt'),
        files=TEXT_FILES,
        package='tensorrt',
        install='install TensorRT as NVIDIA describes it for this GPU',
        obstacle=_no_gpu,
    ),
    Entry(
        name='nvidia',
        summary="NVIDIA's released checkpoint that was adopted, the default of its profiles "
        '(see the README)',
        load=_nvidia,
        vendor=_adopted,
    ),
    Entry(
        name='scripted',
        summary='a test double that looks at no picture and shows no skill',
        load=_scripted,
        test_double=True,
    ),
)
NAMES = tuple(entry.name for entry in RUNTIMES)
DEFAULT = NAMES[0]
HELP = '; '.join(f'{entry.name}: {entry.summary}' for entry in RUNTIMES)
HELP += f'; {foreign.FORM}: a planner of your own (docs/api.md).'


def find(name: str) -> Entry | Fault:
    """The entry ``name`` that can run here, or what to do about it."""
    for entry in RUNTIMES:
        if entry.name == name:
            if entry.installed:
                blocked = entry.obstacle() if entry.obstacle is not None else None
                return entry if blocked is None else blocked
            text = f'runtime {name!r} needs the package {entry.package}: {entry.install}'
            return Fault(Code.MODEL_PROVIDER, text)
    if foreign.named(name):
        if (lacking := foreign.absent(name)) is not None:
            return lacking
        return Entry(name, 'a planner of your own', lambda m: foreign.load(name, m.profile))
    known = ', '.join((*NAMES, *foreign.registered()))
    text = f'no runtime {name!r}; there are {known}, and {foreign.FORM} of your own'
    return Fault(Code.MODEL_PROVIDER, text)


def of_profile(name: str, profile: ModelProfile) -> str:
    """``name``; of a released model another default: ``DEFAULT`` runs own networks only."""
    return 'nvidia' if name == DEFAULT and profile.released else name


def is_test_double(name: str) -> bool:
    """Whether ``name`` is a runtime that drives without a model."""
    return any(entry.name == name and entry.test_double for entry in RUNTIMES)


def status_of(fault: Fault) -> Status:
    """Exit status of a command that a model's fault ends."""
    unknown = fault.code is Code.MODEL_PROVIDER and fault.message.startswith('no runtime')
    return Status.USAGE if unknown else STATUSES.get(fault.code, Status.USAGE)
