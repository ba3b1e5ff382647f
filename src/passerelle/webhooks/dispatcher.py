"""Carries events to endpoints: one loop in each worker process.

A turn writes down what has come back, turns new events into deliveries, takes as many as there are places for, and
sends them side by side. Everything that must not be lost is in the database: a process that dies leaves claims that
fall due again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import asyncpg
import structlog

from passerelle.kit.clock import Clock
from passerelle.webhooks.attempts import DeliverySender
from passerelle.webhooks.models import AttemptOutcome, Claimed
from passerelle.webhooks.queue import BATCH, AttemptSlots, DeliveryQueue

log = structlog.get_logger("passerelle.webhooks")

LOOK: Final = 0.03
"""Seconds between two looks for new events."""
LOOK_IDLY: Final = 0.1
"""The same where there is no endpoint at all: so long the first events of the first one may wait."""
LOOK_FOR_DUE: Final = 0.25
"""Seconds between two looks for deliveries that fall due, or that another process has made."""
AT_MOST: Final = 160
"""Attempts under way in this process. Fewer than the connections that the outgoing client opens."""
OF_EACH: Final = 24
"""Of these to one endpoint."""
OF_FAILING: Final = 2
LAST_WAIT: Final = 10.0
"""Seconds that attempts under way have at the end: as long as one may take."""

Gone = Callable[[Claimed], Awaitable[None]]
"""Called when an endpoint says that nobody listens there any more."""


class Dispatcher:
    """Runs until it is stopped; then it finishes what is under way."""

    def __init__(
        self, queue: DeliveryQueue, attempts: DeliverySender, gone: Gone, clock: Clock, *, at_most: int = AT_MOST
    ) -> None:
        self._queue = queue
        self._attempts = attempts
        self._gone = gone
        self._clock = clock
        self._at_most = at_most
        self._under_way: dict[asyncio.Task[AttemptOutcome], Claimed] = {}
        self._back: list[AttemptOutcome] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._due_at = 0.0
        self._look_at = 0.0

    async def run(self) -> None:
        """Work until `stop`. A lost database is waited for. Cancelled, it gives back what is under way."""
        try:
            while not self._stopping:
                await self._turn_or_wait()
                self._wake.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause()):
                        await self._wake.wait()
            await self.settle()
        finally:
            await self._give_back()

    async def stop(self) -> None:
        """Take nothing more; attempts under way are finished."""
        self._stopping = True
        self._wake.set()

    async def turn(self, *, look: bool = True, take: bool = True) -> int:
        """Write down what came back, turn new events into deliveries, begin attempts; returns how many began.

        `look`: for new events. `take`: what is due, even if no event is new.
        """
        await self._record()
        loop = asyncio.get_running_loop()
        found = 0
        if look:
            seen = await self._queue.dispatch(self._clock())
            if not seen.active:
                self._look_at = self._due_at = loop.time() + LOOK_IDLY
                return 0
            found = seen.events
            self._look_at = 0.0 if found >= BATCH else loop.time() + LOOK
        if not (found or take):
            return 0
        self._due_at = loop.time() + LOOK_FOR_DUE
        return await self._take() if len(self._under_way) < self._at_most else 0

    async def settle(self) -> None:
        """Wait for the attempts under way, as long as one may take, and write down what came of them."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=LAST_WAIT)
        await self._record()

    async def _take(self) -> int:
        busy = Counter(claimed.endpoint_id for claimed in self._under_way.values())
        places = AttemptSlots(OF_EACH, OF_FAILING, self._at_most - len(self._under_way))
        claimed = await self._queue.claim(self._clock(), busy, places)
        for one in claimed:
            task = asyncio.create_task(self._attempts.make(one))
            self._under_way[task] = one
            task.add_done_callback(self._came_back)
        return len(claimed)

    def _came_back(self, task: asyncio.Task[AttemptOutcome]) -> None:
        self._under_way.pop(task, None)
        if not task.cancelled():
            self._back.append(task.result())
            # A place is free, and another delivery may have waited for this one.
            self._due_at = 0.0
            self._wake.set()

    async def _record(self) -> None:
        outcomes, self._back = self._back, []
        if not outcomes:
            return
        try:
            await self._queue.record(self._clock(), outcomes)
        except BaseException:
            self._back = outcomes + self._back
            raise
        for outcome in outcomes:
            if outcome.gone:
                await self._gone(outcome.claimed)

    async def _turn_or_wait(self) -> None:
        try:
            now = asyncio.get_running_loop().time()
            await self.turn(look=now >= self._look_at, take=now >= self._due_at)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("webhook.lost_database", error=str(error))
            await asyncio.sleep(1)
        except Exception:
            log.exception("webhook.turn_failed")
            await asyncio.sleep(1)

    def _pause(self) -> float:
        if self._back:
            return 0.0
        return max(0.0, min(self._look_at, self._due_at) - asyncio.get_running_loop().time())

    async def _give_back(self) -> None:
        held = {claimed.claim for claimed in self._under_way.values()}
        for task in list(self._under_way):
            task.cancel()
        # Where the database is away the claims fall due by themselves.
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await self._record()
            if held:
                await self._queue.release(self._clock(), list(held))
