"""alpamayo_ros: a reasoning vision-language-action driver as a ROS 2 package.

The names below are what a program of one's own needs (docs/api.md); each is imported when it is
first used.
"""

import os
from importlib import import_module
from typing import Any

__version__ = '0.1.0'
# The wheels of onnxruntime (1.29 and later) send reports on machine, models and sessions to their
# maker, and keep an identifier of the machine, unless this is set before they are imported.
NO_REPORTS = 'ORT_DISABLE_TELEMETRY'
os.environ[NO_REPORTS] = '1'
_HOMES = {  # public name: module
    'propose': 'alpamayo_ros.pipeline',
    'decide': 'alpamayo_ros.pipeline',
    'PlanConfig': 'alpamayo_ros.safety.config',
    'SafetyState': 'alpamayo_ros.safety.state',
    'build_scene': 'alpamayo_ros.safety.scene',
    'load_profile': 'alpamayo_ros.profile',
    'load_rig': 'alpamayo_ros.sensing.rig',
    'open_runtime': 'alpamayo_ros.runtime.loader',
    'PlannerInput': 'alpamayo_ros.types',
    'Proposal': 'alpamayo_ros.types',
}
__all__ = ['__version__', *_HOMES]


def __getattr__(name: str) -> Any:
    """A public name, from its home."""
    if name not in _HOMES:
        raise AttributeError(f'alpamayo_ros has no {name!r}; it has {", ".join(_HOMES)}')
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """What ``import`` offers."""
    return sorted(__all__)
