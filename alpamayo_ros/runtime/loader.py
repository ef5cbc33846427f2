"""Open a runtime by name; whatever is missing is a fault that names it, there is no fallback."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import ModelProfile, share_dir
from alpamayo_ros.runtime.base import Runtime
from alpamayo_ros.runtime.golden import GOLDEN, check_golden
from alpamayo_ros.runtime.manifest import ModelFiles, check_profile, read_model
from alpamayo_ros.runtime.scripted import Script, ScriptedRuntime

Loader = Callable[[ModelFiles, ModelProfile], Runtime | Fault]
KINDS = ('onnx', 'torch', 'scripted')


def model_dir(profile: ModelProfile) -> Path:
    """Folder of the model that ships for a profile."""
    return share_dir() / 'models' / profile.name


def open_runtime(
    kind: str,
    profile: ModelProfile,
    folder: str | Path | None = None,
    script: Script | None = None,
    minimum_release: int = 0,
) -> Runtime | Fault:
    """The runtime ``kind`` with the verified model of ``folder`` (default: the shipped one).

    A model with a golden answer must repeat it here, which also warms it up.
    """
    if kind == 'scripted':
        return ScriptedRuntime(profile, script)
    if kind not in KINDS:
        return Fault(Code.MODEL_PROVIDER, f'no runtime {kind!r}; there are {", ".join(KINDS)}')
    needs = {'onnx': 'onnxruntime', 'torch': 'torch'}[kind]
    if find_spec(needs) is None:
        return Fault(
            Code.MODEL_PROVIDER, f'runtime {kind!r} needs the package {needs}: pip install it'
        )
    path = Path(folder) if folder is not None else model_dir(profile)
    names, load = _provider(kind)
    files = _verified(path, (*names, GOLDEN), profile, minimum_release)
    runtime = files if isinstance(files, Fault) else load(files, profile)
    if isinstance(runtime, Fault) or isinstance(files, Fault) or GOLDEN not in files.data:
        return runtime
    return check_golden(runtime, profile, files.data[GOLDEN]) or runtime


def _provider(kind: str) -> tuple[tuple[str, ...], Loader]:
    """Names of the files that a runtime wants, and what makes it of them."""
    if kind == 'onnx':
        from alpamayo_ros.runtime import onnx_runtime

        return onnx_runtime.FILES, onnx_runtime.load
    from alpamayo_ros.runtime import torch_runtime

    return torch_runtime.FILES, torch_runtime.load


def _verified(
    path: Path, names: tuple[str, ...], profile: ModelProfile, minimum_release: int
) -> ModelFiles | Fault:
    files = read_model(path, names, minimum_release)
    if isinstance(files, Fault):
        return files
    return check_profile(files, profile) or files
