"""What a process does again and again beside its requests: nothing ends it but the end of the process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

log = structlog.get_logger("passerelle.repeating")


async def repeat(name: str, seconds: float, work: Callable[[], Awaitable[object]]) -> NoReturn:
    """Do `work` every so many seconds until it is cancelled.

    Whatever it fails with is logged, when it begins to fail and when it no longer does: a loop that ended by an error
    would not be missed until something hangs on it.
    """
    failing = False
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except Exception as error:
            if not failing:
                log.warning("repeating.fails", work=name, error=repr(error))
            failing = True
        else:
            if failing:
                log.info("repeating.works_again", work=name)
            failing = False
