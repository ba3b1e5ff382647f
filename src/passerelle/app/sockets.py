"""What a process listens on, and how systemd hears of it. It loads nothing that serves."""

from __future__ import annotations

import contextlib
import os
import socket

from passerelle.kit.errors import CommandError


def listen(host: str, port: int, *, shared: bool = False, setting: str = "--port") -> socket.socket:
    """A socket that listens; `shared`: beside other processes that do so; `setting`: what says where.

    Raises `CommandError` as `reserve`.
    """
    server = _bound(host, port, shared=shared, setting=setting)
    server.listen(2048)
    server.setblocking(False)
    return server


def reserve(host: str, port: int) -> socket.socket:
    """A socket that keeps a port for processes that share it, while it is open. It takes no connections itself.

    Raises `CommandError` where the port is taken or not allowed.
    """
    # Whoever shares a port is let in by others that do: two servers would share what each takes for its own.
    with _bound(host, port, shared=False) as alone:
        port = alone.getsockname()[1]
    return _bound(host, port, shared=True)


def _bound(host: str, port: int, *, shared: bool, setting: str = "--port") -> socket.socket:
    server = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        server.bind((host, port))
        if not shared:
            server.listen(2048)  # another that listens is found out only now
    except OSError as error:
        server.close()
        reason = error.strerror or str(error)
        raise CommandError(f"cannot listen on {host}:{port} ({reason}): choose another with {setting}") from None
    return server


def tell_supervisor(state: str) -> None:
    """Tell systemd `READY=1` or `STOPPING=1`, where it asked to be told (`sd_notify(3)`); else nothing."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    # A leading @ stands for the zero byte of an abstract address.
    path = "\0" + address[1:] if address.startswith("@") else address
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.sendto(state.encode(), path)
