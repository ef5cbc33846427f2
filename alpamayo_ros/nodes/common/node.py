"""What every node shares: parameters read once, faults logged once, a clean end on a signal."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import rclpy
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy._rclpy_pybind11 import InvalidHandle, RCLError, UnknownROSArgsError
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.parameter import Parameter

from alpamayo_ros.environment import PARENT, STATUS_FILE, check_domain, die_with
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits, load_limits
from alpamayo_ros.nodes import loaded
from alpamayo_ros.nodes.common.audit import askers
from alpamayo_ros.nodes.common.executor import NodeExecutor
from alpamayo_ros.nodes.common.fault_log import FaultLog
from alpamayo_ros.nodes.common.interrupts import Interrupts
from alpamayo_ros.parameters.of_nodes import COMMON
from alpamayo_ros.parameters.param import BUILT_IN, Param, problems
from alpamayo_ros.security.enforcement import ENABLE
from alpamayo_ros.statuses import ConfigError, Status

END_S = 10  # `alpamayo up` kills after 5 s; this is for a node whose supervisor is gone


class ConfigurationError(ConfigError):
    """A node refuses to configure; the text says what to change."""


class AlpamayoNode(Node):
    """A node whose parameters are checked before anything else exists."""

    def __init__(self, name: str, parameters: Iterable[Param]) -> None:
        super().__init__(name, automatically_declare_parameters_from_overrides=True)
        self.settings, self.limits, self.faults = configure(self, parameters)


def configure(node: Node, parameters: Iterable[Param]) -> tuple[SimpleNamespace, Limits, FaultLog]:
    """Checked parameters, the safety limits that they name, and the log of faults."""
    settings = read_parameters(node, parameters)
    return settings, read_limits(settings), FaultLog(node)


def read_parameters(node: Node, parameters: Iterable[Param]) -> SimpleNamespace:
    """Values of all parameters of ``node``, checked and made read-only.

    ConfigurationError names each misfit.
    """
    declared = (*COMMON, *parameters)
    found = node.get_parameters_by_prefix('')
    wrong = problems(declared, {name: parameter.value for name, parameter in found.items()})
    if wrong:
        lines = '\n  '.join(wrong)
        text = f'{node.get_fully_qualified_name()} refuses to configure:\n  {lines}\n'
        raise ConfigurationError(str(Fault(Code.PARAMETER, text)))
    values = {}
    for param in declared:
        value = found[param.name].value
        node.set_descriptor(param.name, _descriptor(param, found[param.name]))
        values[param.name] = float(value) if param.kind is float else value
    _fix_built_in(node)
    node.add_pre_set_parameters_callback(
        partial(_tell_denied, node, frozenset((*values, *BUILT_IN)))
    )
    return SimpleNamespace(**values)


def read_limits(settings: SimpleNamespace) -> Limits:
    """The safety limits that the node is started with; ConfigurationError names the wrong key."""
    try:
        return load_limits(settings.limits or None)
    except (OSError, ValueError) as error:
        text = f'the limits refuse to configure: {error}'
        raise ConfigurationError(str(Fault(Code.PARAMETER, text))) from error


def _fix_built_in(node: Node) -> None:
    """Nor may anybody change the clock of a node that runs: its stamps would jump by decades."""
    for name in filter(node.has_parameter, BUILT_IN):
        if not node.describe_parameter(name).read_only:
            kind = node.get_parameter(name).type_.value
            text = 'Set when the node starts.'
            fixed = ParameterDescriptor(type=kind, description=text, read_only=True)
            node.set_descriptor(name, fixed)


def _tell_denied(
    node: Any, fixed: frozenset[str], wanted: list[Parameter[Any]]
) -> list[Parameter[Any]]:
    """PARAM_DENIED in the log for each attempt to change what is read-only; rclpy refuses it."""
    names = ', '.join(parameter.name for parameter in wanted if parameter.name in fixed)
    if names:
        services = (f'~/{verb}' for verb in ('set_parameters', 'set_parameters_atomically'))
        who = askers(node, *map(node.resolve_service_name, services))
        node.faults.event(Fault(Code.PARAM_DENIED, f'{node.get_name()}: {names}, by {who}.'))
    return wanted


def _descriptor(param: Param, parameter: Parameter) -> ParameterDescriptor:
    value = parameter.value
    descriptor = ParameterDescriptor(
        name=param.name,
        type=parameter.type_.value,
        description=param.description,
        additional_constraints=', '.join(param.choices),
        read_only=True,
    )
    if param.low is not None and param.high is not None:
        if isinstance(value, float):
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=float(param.low), to_value=float(param.high))
            ]
        elif isinstance(value, int):
            descriptor.integer_range = [
                IntegerRange(from_value=int(param.low), to_value=int(param.high))
            ]
    return descriptor


def die_with_supervisor() -> None:
    """End with `alpamayo up`, which names itself in the environment."""
    if parent := os.environ.get(PARENT):
        die_with(int(parent), signal.SIGTERM)


def end_in_time(status: int) -> None:
    """Let the kernel end this process where the middleware hangs while it is taken down.

    Fast DDS 3.2 waits for ever in ``ResourceEvent::unregister_timer`` now and then when its peers
    were killed; a signal's default action needs no Python, which may be held by that call.  The
    supervisor reads ``status`` where it said, as the signal leaves another.
    """
    if path := os.environ.get(STATUS_FILE):
        with suppress(OSError):  # nobody asks any more
            Path(path).write_text(str(int(status)))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(END_S)


def begin(args: list[str] | None) -> None:
    """``rclpy.init``; what it cannot read or secure is a ConfigurationError."""
    try:
        rclpy.init(args=args)
    except (RCLError, UnknownROSArgsError) as error:
        raise ConfigurationError(refused(error)) from None


def refused(error: Exception) -> str:
    """Why the middleware makes no node, in a sentence; first where security is asked for."""
    said = ' '.join(str(error).split())
    if os.environ.get(ENABLE) != 'true':
        return said
    text = f'refuses to start: {ENABLE} is true, and the middleware says: {said}.'
    return f'{text} Expected a keystore and a middleware built with security; see SECURITY.md'


def run(make: Callable[[], Node], args: list[str] | None = None) -> int:
    """Run one node until Ctrl-C, SIGTERM or its own end; its status is one of ``Status``."""
    loaded()
    die_with_supervisor()
    made: list[Node] = []
    status = int(Status.INTERNAL)  # where anything else is raised
    with Interrupts(signal.SIGINT) as interrupts:
        try:
            status = _spin(make, args, made, interrupts)
        finally:
            end_in_time(status)
            for node in made:
                node.destroy_node()
            rclpy.try_shutdown()
    return status


def _spin(
    make: Callable[[], Node], args: list[str] | None, made: list[Node], interrupts: Interrupts
) -> int:
    """The status of the node, which is in ``made`` once it is made."""
    try:
        check_domain()
        begin(args)
        made.append(make())
        executor = NodeExecutor()
        executor.add_node(made[0])
        executor.spin()
    except ConfigError as error:
        print(error, file=sys.stderr, flush=True)
        return error.status
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (RCLError, InvalidHandle) as error:
        if not made and os.environ.get(ENABLE) == 'true':
            print(refused(error), file=sys.stderr, flush=True)
            return Status.USAGE
        if rclpy.ok() and not interrupts.came:
            raise  # else: the signal came while the node was being made
    except RuntimeError:
        if not interrupts.came:
            raise
    return int(getattr(made[0], 'exit_code', 0)) if made else 0


__all__ = [
    'BUILT_IN',
    'AlpamayoNode',
    'ConfigurationError',
    'configure',
    'run',
]
