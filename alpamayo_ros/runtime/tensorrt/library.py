"""The installed TensorRT: ``tensorrt`` or ``tensorrt_rtx``, which answer to the same calls."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from alpamayo_ros.faults import Code, Fault

INSTALL = {
    'tensorrt_rtx': 'pip install -r requirements/tensorrt.txt',
    'tensorrt': 'install TensorRT as NVIDIA describes it for this GPU',
}
KINDS = tuple(INSTALL)


@dataclass(frozen=True, slots=True)
class Library:
    """One of :data:`KINDS` and its Python module."""

    kind: str
    module: Any

    @property
    def version(self) -> str:
        """As the library says it; engines of another version are refused."""
        return str(self.module.__version__)

    def logger(self, said: list[str]) -> Any:
        """A logger that keeps errors for the message of a fault and prints nothing."""
        trt = self.module

        class Kept(trt.ILogger):
            """Collects what the library calls an error."""

            def __init__(self) -> None:
                trt.ILogger.__init__(self)

            def log(self, severity: Any, message: str) -> None:
                """Called by the library, from any thread."""
                if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                    said.append(' '.join(message.split()))

        return Kept()


def open_library(kind: str) -> Library | Fault:
    """The library ``kind``, or what to install; loading needs no driver."""
    if find_spec(kind) is None:
        return Fault(Code.MODEL_PROVIDER, f'{kind} is not installed: {INSTALL[kind]}.')
    try:
        return Library(kind, importlib.import_module(kind))
    except (ImportError, OSError) as error:
        return Fault(Code.MODEL_PROVIDER, f'{kind} does not load: {error}: {INSTALL[kind]}.')
