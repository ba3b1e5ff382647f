"""`serve --processes`: several processes that answer on one port, and this one, which keeps them there.

Each has the port for itself, and the system gives each a share of the connections. What they know of each other goes
through the database, as between processes on several machines.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Final

import structlog

from passerelle.app.logs import configure
from passerelle.app.settings import Settings
from passerelle.app.sockets import reserve, tell_supervisor
from passerelle.kit.errors import CommandError

MOST: Final = 64
AGAIN_AFTER: Final = 1.0
"""Seconds from one start of a process to the next, so that one that always dies does not fill the machine."""
ENDS_WITHIN: Final = 35.0
"""Seconds for processes to end by themselves after SIGTERM: a little more than they take."""

log = structlog.get_logger("passerelle.several")
_SPAWNING: Final = multiprocessing.get_context("spawn")


@dataclass
class _Place:
    """One of the processes, and the next ones in its stead."""

    number: int
    process: Any = None
    told: Connection | None = None
    """Where it says that it answers."""
    started: float = 0.0
    answers: bool = False


class Several:
    """The processes. The first is waited for: what keeps it from starting would keep all."""

    def __init__(self, settings: Settings, host: str, port: int, count: int) -> None:
        self._settings = settings
        self._host = host
        self._socket = reserve(host, port)
        self._port: int = self._socket.getsockname()[1]
        self._places = [_Place(number) for number in range(count)]
        self._stopping = False
        self._woken, self._waker = os.pipe()

    def run(self) -> None:
        """Until SIGINT or SIGTERM. Raises `CommandError` where the first process cannot start."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: os.write(self._waker, b"x"))
        try:
            first, *others = self._places
            self._start(first)
            while not first.answers and not self._stopping:
                self._wait(None)
                if not first.answers and not first.process.is_alive():
                    raise CommandError("the first process could not start: it has said why")
            for place in [] if self._stopping else others:
                self._start(place)
            self._keep()
        finally:
            self._end()

    def _keep(self) -> None:
        said = False
        while not self._stopping:
            if not said and all(place.answers for place in self._places):
                said = True
                address = self._settings.public_url or f"http://localhost:{self._port}"
                print(f"Passerelle answers at {address}, in {len(self._places)} processes", flush=True)
                tell_supervisor("READY=1")
            dead = [place for place in self._places if not place.process.is_alive()]
            for place in dead:
                if place.started + AGAIN_AFTER <= time.monotonic():
                    log.error("process.ended", code=place.process.exitcode, meaning="another one takes its place")
                    self._start(place)
            self._wait(AGAIN_AFTER / 5 if dead else None)

    def _start(self, place: _Place) -> None:
        place.told, telling = _SPAWNING.Pipe(duplex=False)
        arguments = (self._settings.beside(place.number), self._host, self._port, telling)
        place.process = _SPAWNING.Process(target=_serve, args=arguments, name="passerelle serve")
        place.started, place.answers = time.monotonic(), False
        place.process.start()
        telling.close()

    def _wait(self, seconds: float | None) -> None:
        """Until a process has something to say or is over, or somebody wants all of it to end."""
        places = {place.told: place for place in self._places if place.told is not None}
        over = [place.process.sentinel for place in self._places if place.process and place.process.is_alive()]
        for one in wait([*places, *over, self._woken], seconds):
            if one == self._woken:
                os.read(self._woken, 1)
                self._stopping = True
            elif isinstance(one, Connection):
                self._hear(places[one])

    def _hear(self, place: _Place) -> None:
        assert place.told is not None
        try:
            place.answers = place.told.recv() == "READY=1" or place.answers
        except EOFError:
            place.told = None

    def _end(self) -> None:
        tell_supervisor("STOPPING=1")
        there = [place.process for place in self._places if place.process is not None]
        for process in there:
            process.terminate()
        until = time.monotonic() + ENDS_WITHIN + self._settings.stop_delay.total_seconds()
        for process in there:
            process.join(max(0.0, until - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
        self._socket.close()


def _serve(settings: Settings, host: str, port: int, telling: Connection) -> None:
    """One of the processes."""
    import asyncio  # noqa: PLC0415 - what serves is loaded only where it is needed

    import uvloop  # noqa: PLC0415

    from passerelle.app import processes  # noqa: PLC0415

    os.environ.pop("NOTIFY_SOCKET", None)  # systemd listens to the first process alone
    configure(settings.log_level)
    above = multiprocessing.parent_process()
    assert above is not None
    orphaned = above.sentinel

    async def serve() -> None:
        loop = asyncio.get_running_loop()

        def end() -> None:
            loop.remove_reader(orphaned)
            signal.raise_signal(signal.SIGTERM)

        def tell(state: str) -> None:
            with suppress(OSError):  # nobody hears it any more
                telling.send(state)

        loop.add_reader(orphaned, end)
        await processes.serve(settings, host, port, tell)

    try:
        uvloop.run(serve())
    except CommandError as error:
        sys.stderr.write("".join(f"passerelle: {line}\n" for line in str(error).splitlines()))
        sys.exit(1)
