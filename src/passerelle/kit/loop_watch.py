"""For how long the event loop was held by one thing, during which everybody else waits.

Counted in seconds of this thread's processor time: what a busy machine takes away from the process is not counted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog
from prometheus_client import Histogram

from passerelle.kit.metrics import seconds

log = structlog.get_logger("passerelle.loop")

EVERY: Final = 0.02
"""Seconds from one look to the next."""
TOO_LONG: Final = 0.5
"""Seconds from which on it is said in the log."""
HELD: Final = seconds(
    "loop_held",
    "Processor seconds between two looks at the event loop, which are 20 ms apart where nothing holds it",
    buckets=(0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
)


class LoopWatch:
    """Looks at the loop that it runs on."""

    def __init__(self, worked: Callable[[], float] = time.thread_time, held: Histogram = HELD) -> None:
        self._worked = worked
        self._held = held

    async def run(self) -> None:
        """Look again and again, for as long as the process lives."""
        before = self._worked()
        while True:
            await asyncio.sleep(EVERY)
            now = self._worked()
            self._held.observe(now - before)
            if now - before > TOO_LONG:
                log.warning("loop.held", seconds=round(now - before, 2))
            before = now
