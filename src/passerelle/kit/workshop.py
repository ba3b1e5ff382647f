"""Work that would hold up everybody else, done in a process of its own, which is killed beyond what it may take.

It is the processor's time that counts: on a busy machine the same work takes longer, and must not be refused for it.
Threads would not do: what takes long here is Python, which runs in one thread at a time.
"""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import CancelledError as FutureCancelledError
from typing import Any, Final, TypeVar

import structlog
from pebble import ProcessExpired, ProcessPool

from passerelle.kit.turns import Turns

log = structlog.get_logger("passerelle.workshop")

SECONDS: Final = 10.0
"""Of the processor, for one piece of work; then its process is killed."""
PATIENCE: Final = 6
"""So many times as long may it take by the clock, as others may need the processor, or it may wait for something."""
MEMORY: Final = 400_000_000
"""Bytes that a process may take beyond what it has when it starts."""
PIECES: Final = 200
"""After so many pieces of work a process makes way for a fresh one, whatever they have left behind."""

T = TypeVar("T")


class WorkKilledError(Exception):
    """The work took too long or too much memory, and was ended."""


class Workshop:
    """A few processes that do one piece of work after the other. They start when they are first needed.

    Those who share a name, as everybody of a workspace does, take turns with the others: a thousand pieces of one
    delay another's by one.
    """

    def __init__(self, processes: int = 1, *, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self._processes = processes
        self._seconds = seconds
        self._memory = memory
        self._pool: ProcessPool | None = None
        self._turns = Turns(processes)

    async def run(self, share: object, function: Callable[..., T], *arguments: Any) -> T:
        """What `function` returns; both it and its arguments are pickled. Raises what it raises, or `WorkKilledError`.

        share   whose work it is
        """
        async with self._turns.turn(share):
            piece = [self._seconds, function, *arguments]
            future = self._started().schedule(_measured, args=piece, timeout=self._seconds * PATIENCE)
            try:
                result: T = await asyncio.wrap_future(future)
            except (TimeoutError, ProcessExpired, MemoryError, FutureCancelledError) as error:
                log.warning("workshop.killed", function=function.__name__, error=repr(error))
                raise WorkKilledError(f"took more than {self._seconds:g} s, or too much memory") from None
            except asyncio.CancelledError:
                future.cancel()
                raise
        return result

    def close(self) -> None:
        """End the processes, whatever they are doing."""
        if self._pool is not None:
            self._pool.stop()
            self._pool.join()
            self._pool = None

    def _started(self) -> ProcessPool:
        if self._pool is not None and not self._pool.active:
            log.error("workshop.lost")  # such as a process that could not start: the next may
            self._pool = None
        if self._pool is None:
            self._pool = ProcessPool(
                max_workers=self._processes,
                max_tasks=PIECES,
                initializer=_prepare,
                initargs=[self._memory],
                # A fork of this process would have its connections and its threads' locks.
                context=multiprocessing.get_context("spawn"),
            )
        return self._pool


def _measured(seconds: float, function: Callable[..., T], *arguments: Any) -> T:
    """As `function`. The kernel ends this process when that has taken so much of the processor, to the next second."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + seconds), hard))
    return function(*arguments)


def _prepare(memory: int) -> None:
    """What a process does first: it takes no more than so much memory, and leaves the processor to those who wait."""
    os.nice(5)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # its memory has what people wrote
    with open("/proc/self/statm", encoding="ascii") as statm:
        now = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + memory, now + memory))
