"""How often somebody tried. Counted in the database, so that it holds over every process and through restarts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from passerelle.accounts.errors import TOO_MANY_ATTEMPTS
from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.rates import Limit

PER_PERSON: Final = Limit("person", 10, timedelta(minutes=10))
"""Guesses at one person from one network."""
PER_NETWORK: Final = Limit("network", 100, timedelta(minutes=10))
"""Guesses from one network at anybody."""
PER_TARGET: Final = Limit("target", 100, timedelta(hours=1))
"""Guesses at one person from anywhere."""
EMAILS: Final = Limit("emails", 5, timedelta(hours=1))
"""E-mails to one address that anybody can cause."""


class AttemptCounter:
    """Counts before it lets anything happen: what runs at the same time is counted, too."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def count(self, *counters: tuple[Limit, str]) -> None:
        """Count one attempt under each of `counters`. Raises TOO_MANY_ATTEMPTS where one of them is full."""
        now = self._clock()
        full: list[datetime] = []
        async with self._database.shared() as connection:
            for limit, subject in counters:
                end = await _hit(connection, limit, subject, now)
                if end is not None:
                    full.append(end)
        if full:
            raise _too_many(max(full) - now)

    async def forgive(self, *counters: tuple[Limit, str]) -> None:
        """The attempt was right: it counts no more."""
        now = self._clock()
        async with self._database.shared() as connection:
            for limit, subject in counters:
                await connection.execute(
                    "UPDATE attempt_count SET count = greatest(0, count - 1) WHERE counter = $1 AND window_start = $2",
                    limit.counter(subject),
                    limit.begin(now),
                )


async def _hit(connection: Connection, limit: Limit, subject: str, now: datetime) -> datetime | None:
    start = limit.begin(now)
    count = await connection.fetchval(
        "INSERT INTO attempt_count AS c (counter, window_start, window_end, count) VALUES ($1, $2, $3, 1) "
        "ON CONFLICT (counter, window_start) DO UPDATE SET count = c.count + 1 RETURNING count",
        limit.counter(subject),
        start,
        start + limit.window,
    )
    return start + limit.window if count > limit.most else None


def _too_many(wait: timedelta) -> PasserelleError:
    seconds = max(1, int(wait.total_seconds()) + 1)
    return TOO_MANY_ATTEMPTS.error(
        f"too many attempts: try again in {seconds} seconds", headers={"Retry-After": str(seconds)}
    )
