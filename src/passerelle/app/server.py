"""Serving HTTP in this process, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import uvicorn
from fastapi import FastAPI

from passerelle.app.sockets import tell_supervisor
from passerelle.kit.http.protocol import Http1, raise_file_limit


class QuietServer(uvicorn.Server):
    """Leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing to capture."""
        yield


class HttpServer(QuietServer):
    """Tells when it answers."""

    tell: Callable[[str], None] = staticmethod(tell_supervisor)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As the parent's."""
        await super().startup(sockets)
        self.tell("READY=1")


async def serve(
    app: FastAPI,
    sock: socket.socket,
    stop: asyncio.Event,
    leave: Callable[[], None],
    trusted_proxies: Sequence[str] = (),
    goes_on: timedelta = timedelta(),
    tell: Callable[[str], None] = tell_supervisor,
) -> None:
    """Answer requests until `stop` is set; requests under way are finished, for ten seconds at most.

    app              `app.state.stopping` turns true when `stop` is set
    leave            ends those that only wait for something to happen
    trusted_proxies  addresses and networks whose `X-Forwarded-For` and `X-Forwarded-Proto` say who asks, and how
    goes_on          for how long requests are answered after `stop`, while the balancer notices
    """
    server = HttpServer(
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
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=list(trusted_proxies),
        )
    )
    server.tell = tell
    spare_collector()
    raise_file_limit()
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.tell("STOPPING=1")
    app.state.stopping = True
    if not serving.done() and goes_on:
        await asyncio.wait({serving}, timeout=goes_on.total_seconds())
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


def stop_on_signals(at_latest: float | None = None) -> asyncio.Event:
    """An event that SIGINT and SIGTERM set.

    at_latest  seconds after which the process ends whatever it still waits for; the queue takes over what is left
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        stop.set()
        if at_latest is not None:
            last = threading.Timer(at_latest, os._exit, (1,))
            last.daemon = True
            last.start()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    return stop
