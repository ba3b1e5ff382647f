"""Serving HTTP in this process, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn
from fastapi import FastAPI

from passerelle.errors import CommandError
from passerelle.kit.http.protocol import Http1


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises `CommandError` where the port is taken or not allowed."""
    server = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((host, port))
        server.listen(2048)
    except OSError as error:
        server.close()
        reason = error.strerror or str(error)
        raise CommandError(f"cannot listen on {host}:{port} ({reason}): choose another with --port") from None
    server.setblocking(False)
    return server


class Server(uvicorn.Server):
    """Leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing to capture."""
        yield


async def serve(app: FastAPI, sock: socket.socket, stop: asyncio.Event, leave: Callable[[], None]) -> None:
    """Answer requests until `stop` is set; requests under way are finished, for ten seconds at most.

    `leave` ends those that only wait for something to happen.
    """
    server = Server(
        uvicorn.Config(
            app,
            http=Http1,
            ws="none",
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=10,
            timeout_keep_alive=75,
        )
    )
    spare_collector()
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    leave()
    stopping.cancel()
    await serving


def spare_collector() -> None:
    """Keep what was loaded at the start out of garbage collections: it stays until the end.

    Each full collection stopped the process for 150 ms, which was the 99th percentile of every request.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 20)


def stop_on_signals() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop
