"""The database's clock: all processes of an installation share it, whatever their machines' own clocks say.

What falls due, leases and expiry are compared across processes. A machine that is ten minutes behind would keep what
it writes from falling due for ten minutes, and one that is ahead would take over what others are working on.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Final

import structlog

from passerelle.kit.clock import SharedClock
from passerelle.kit.database import Database
from passerelle.kit.repeating import repeat

log = structlog.get_logger("passerelle.clock")

ASKED_EVERY: Final = 30.0
"""Seconds from one question to the next."""
TOLERATED: Final = 1.0
"""Seconds by which a machine's own clock may be off without a word."""


async def ask(database: Database, clock: SharedClock) -> None:
    """Set the clock by the database's, and say so in the log where this machine's own is off."""
    async with database.shared() as connection:
        began = time.monotonic()
        moment = await connection.fetchval("SELECT clock_timestamp()")
        clock.told(moment, time.monotonic() - began)
    if abs(clock.off) > TOLERATED:
        log.warning(
            "clock.off",
            seconds=round(clock.off, 1),
            meaning="this machine's clock differs from the database's, which is the one that counts: mend it by NTP",
        )


async def keep_asking(database: Database, clock: SharedClock) -> None:
    """Ask again and again, for as long as the process lives; while the database is away the clock goes on alone."""
    await repeat("clock", ASKED_EVERY, partial(ask, database, clock))
