"""Whether a server may listen where it was told to, asked before a model is started for it."""

from __future__ import annotations

import errno
import socket

from alpamayo_ros.statuses import ConfigError, MachineError

LOWEST = 1024  # ports below are those of the administrator


def target(host: str, port: int) -> str:
    """Both as gRPC writes them: an address with colons in brackets."""
    bare = _bare(host)
    return f'[{bare}]:{port}' if ':' in bare else f'{bare}:{port}'


def check_listening(host: str, port: int) -> None:
    """ConfigError where ``host`` is no address of this machine; MachineError for the port.

    Binds and lets go; a program that takes the port meanwhile is the server's to find.
    """
    try:
        found = socket.getaddrinfo(
            _bare(host), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise ConfigError(
            f'--host {host!r} is no name or address that this machine knows; '
            'expected 127.0.0.1, 0.0.0.0 or another address of it'
        ) from error
    family, kind, protocol, _, address = found[0]
    try:
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
            trial.listen()
    except OSError as error:
        raise _refused(error, host, port) from error


def _refused(error: OSError, host: str, port: int) -> ConfigError:
    """The sentence for what the machine says of an address."""
    if error.errno == errno.EADDRNOTAVAIL:
        return ConfigError(
            f'--host {host!r} is no address of this machine; '
            'expected 127.0.0.1, 0.0.0.0 or another address of it'
        )
    if error.errno == errno.EADDRINUSE:
        text = f'port {port} of {host} is in use by another program; end it or choose --port'
        return MachineError(text)
    if error.errno == errno.EACCES and port < LOWEST:
        text = f'port {port} of {host} is for the administrator; choose --port {LOWEST} or above'
        return MachineError(text)
    said = error.strerror or str(error)
    return MachineError(f'port {port} of {host} cannot be used: {said}; choose --port or --host')


def _bare(host: str) -> str:
    """``host`` without the brackets of an IPv6 address."""
    return host[1:-1] if host.startswith('[') and host.endswith(']') else host
